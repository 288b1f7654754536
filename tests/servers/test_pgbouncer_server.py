"""The starter of PgBouncer: that it pools as the tests of tenants rely on."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from scripts.servers import CannotStart, Server, start_pgbouncer
from scripts.servers.pgbouncer import POOL


@pytest.fixture
def server(postgres: Server) -> Iterator[Server]:
    server = start_pgbouncer(postgres.url)
    yield server
    server.stop()


def test_many_clients_share_few_connections_to_the_server(server: Server) -> None:
    clients = [psycopg.connect(server.url, prepare_threshold=None) for _ in range(4 * POOL)]
    asked = "select pg_backend_pid()"
    # In as many transactions as there are connections; the next ones have to take one of those.
    pids = [client.execute(asked).fetchone() for client in clients[:POOL]]
    assert len(set(pids)) == POOL
    for client in clients[:POOL]:
        client.rollback()
    for client in clients[POOL:]:
        assert client.execute(asked).fetchone() in pids
        client.rollback()
    for client in clients:
        client.close()


def test_it_says_which_version_it_is_and_leaves_nothing_behind(server: Server) -> None:
    assert server.version[0].isdigit()
    server.stop()
    assert not server.running
    assert not server.folder.exists()


def test_a_role_that_it_was_not_told_of_is_refused(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url.replace("postgres@", "stranger@"), connect_timeout=5)


def test_a_machine_without_it_and_without_root_is_told_what_to_install(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.servers.pgbouncer.shutil.which", lambda *_, **__: None)
    with pytest.raises(CannotStart, match="install the package pgbouncer"):
        start_pgbouncer(postgres.url)
