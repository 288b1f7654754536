"""Databases of older agnos, one for each test, in every kind of database that agno's own can be brought from."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from typer.testing import CliRunner

from dbrouter.cli.app import app
from scripts.servers import Server
from tests.migrations.old import Old, in_mongo, in_mysql, in_postgres, in_sqlite

SERVERS = {"postgres": "postgres", "mysql": "mariadb", "mongo": "mongo"}
"""Kind -> the server it needs."""

_MAKERS: dict[str, Callable[[str, Any], Old]] = {
    "sqlite": in_sqlite,
    "postgres": in_postgres,
    "mysql": in_mysql,
    "mongo": in_mongo,
}

MakeOld: TypeAlias = Callable[[str], Old]
Migrate: TypeAlias = Callable[..., Any]


def on(*kinds: str) -> pytest.MarkDecorator:
    """Run a test on each of these kinds."""
    return pytest.mark.parametrize(
        "kind", [pytest.param(each, marks=pytest.mark.backend(each, mode="migrations")) for each in kinds]
    )


@pytest.fixture
def old(kind: str, tmp_path: Path, start_server: Callable[[str], Server]) -> Iterator[MakeOld]:
    """Makes a database as a release wrote it, as often as it is asked to."""
    made: list[Old] = []

    def make(release: str) -> Old:
        place = start_server(SERVERS[kind]).url if kind in SERVERS else tmp_path
        made.append(_MAKERS[kind](release, place))
        return made[-1]

    yield make
    for each in made:
        each.drop()


def configured(folder: Path, *olds: Old, **more: Any) -> Path:
    """A configuration of these databases, the first of which everything goes to: `one`, `two` and so on."""
    names = ("one", "two", "three")
    said = {"id": "old", "databases": {name: each.entry for name, each in zip(names, olds, strict=False)}}
    file = folder / "dbrouter.yaml"
    # JSON is YAML.
    file.write_text(json.dumps({**said, "agentos": {"db": "one"}, **more}))
    return file


@pytest.fixture
def migrate() -> Migrate:
    """Runs `dbrouter migrate` with a file and these words."""

    def run(file: Path, *words: str) -> Any:
        result = CliRunner().invoke(app, ["migrate", *words, "--file", str(file)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """Keep agno's migrations from telling every step at length."""
    logging.getLogger("agno").setLevel(logging.ERROR)
