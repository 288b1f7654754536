"""Routers with databases of agno's own, for real agents, teams, workflows and AgentOS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.config import load_mapping
from tests.agno.conftest import kept, pytest_pyfunc_call
from tests.agno.live import Live
from tests.any_agno.routers import agno

__all__ = ["pytest_pyfunc_call"]

Said = Callable[[Path], dict[str, Any]]


def _all_of_agno(folder: Path) -> dict[str, Any]:
    databases = {"primary": agno("sqlite.SqliteDb", db_file=str(folder / "agno.db"))}
    return {"databases": databases, "agentos": {"db": "primary"}}


def _some_of_agno(folder: Path) -> dict[str, Any]:
    databases = {"primary": {"kind": "memory"}, "other": agno("json.JsonDb", db_path=str(folder / "json"))}
    families = dict.fromkeys(("memories", "knowledge"), "other")
    return {"databases": databases, "agentos": {"db": "primary", "families": families}}


def _components_of_agno(folder: Path) -> dict[str, Any]:
    databases = {"primary": {"kind": "memory"}, "other": agno("sqlite.SqliteDb", db_file=str(folder / "agno.db"))}
    families = dict.fromkeys(("sessions", "memories", "evals"), "other")
    return {"databases": databases, "agentos": {"db": "primary"}, "agents": {"ops-bot": {"families": families}}}


def _awaited(folder: Path) -> dict[str, Any]:
    databases = {
        "primary": agno("sqlite.AsyncSqliteDb", db_file=str(folder / "agno.db")),
        "other": agno("json.JsonDb", db_path=str(folder / "json")),
    }
    return {"databases": databases, "agentos": {"db": "primary", "families": {"memories": "other"}}}


WORLDS: dict[str, tuple[str, Said]] = {
    "all of agno": ("blocking", _all_of_agno),
    "some families of agno": ("blocking", _some_of_agno),
    "a component of agno": ("async", _components_of_agno),
    "awaited": ("async", _awaited),
}


@pytest.fixture(params=WORLDS)
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Live:
    """A router of each of these."""
    mode, said = WORLDS[request.param]
    router = DbRouter if mode == "blocking" else AsyncDbRouter
    settings = load_mapping({"id": "live", **said(tmp_path)})
    return kept(request, Live(backend="agno's", mode=mode, db=router.from_settings(settings)))
