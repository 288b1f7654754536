"""What opening a connection costs."""

from __future__ import annotations

import ssl

import pytest

from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.ops import Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.mysql.store import MySqlStore
from scripts.servers import Server


def test_the_systems_authorities_are_read_once_for_all_connections(
    mariadb: Server, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    create = ssl.create_default_context

    def counted(**files: str | None) -> ssl.SSLContext:
        made.append("context")
        return create(**files)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    for _ in range(3):
        store = MySqlStore(mariadb.url, schema=schema)
        assert finish(store.execute(Scan(table="sessions", where=EVERYTHING))).records == []
        finish(store.close())
    assert len(made) <= 1
