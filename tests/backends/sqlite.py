"""SQLite: a file, and a folder of tenants' files beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.backends.backend import Backend, Row


def _file(folder: str, name: str) -> Path:
    return Path(folder) / f"{name}.db"


def _files(folder: str, name: str) -> Iterator[tuple[str | None, Path]]:
    """Namespace and file, where there is one."""
    file = _file(folder, name)
    if file.exists():
        yield None, file
    for each in sorted(file.with_name(f"{file.name}.tenants").glob("*.db")):
        yield each.stem, each


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]


def _empty(folder: str, name: str) -> None:
    for _, file in _files(folder, name):
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("pragma synchronous = off")
            for table in _tables(connection):
                connection.execute(f'delete from "{table}"')


def _rows(folder: str, name: str) -> Iterator[Row]:
    for namespace, file in _files(folder, name):
        with closing(sqlite3.connect(file)) as connection:
            connection.row_factory = sqlite3.Row
            for table in _tables(connection):
                for row in connection.execute(f'select * from "{table}"'):
                    yield namespace, f"{file.name}.{table}", dict(row)


BACKENDS = (
    Backend(
        name="sqlite",
        kind="sqlite",
        settings=lambda folder, name: {"kind": "sqlite", "path": str(_file(folder, name))},
        empty=_empty,
        rows=_rows,
        lasts=True,
    ),
)
