"""Routers whose databases are agno's own."""

from __future__ import annotations

from typing import Any

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.config import load_mapping


def agno(path: str, **args: Any) -> dict[str, Any]:
    """A database of this class, `sqlite.SqliteDb` for `agno.db.sqlite.SqliteDb`."""
    return {"kind": "agno", "class": path if path.startswith("tests.") else f"agno.db.{path}", "args": args}


def said(databases: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A configuration with these databases; the first has everything if nothing else is said."""
    return {"databases": databases, "agentos": {"db": next(iter(databases))}, **rest}


def router(databases: dict[str, Any], **rest: Any) -> DbRouter:
    """A blocking router."""
    return DbRouter.from_settings(load_mapping(said(databases, **rest)))


def async_router(databases: dict[str, Any], **rest: Any) -> AsyncDbRouter:
    """An awaited router."""
    return AsyncDbRouter.from_settings(load_mapping(said(databases, **rest)))


def families(cls: type[Any], database: str) -> dict[str, str]:
    """Every family that the class serves, sent to this database."""
    from dbrouter.router.any_agno.families import served_by

    return dict.fromkeys(served_by(cls), database)
