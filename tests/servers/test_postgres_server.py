"""The starter of test servers: what tests of outages and crashes rely on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts.servers import CannotStart, Server, start_postgres
from scripts.servers.places import OWNER, PREFIX, remove_leftovers
from scripts.servers.processes import runs

pytestmark = pytest.mark.backend("postgres", mode="server")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = start_postgres()
    yield server
    server.stop()


def test_what_was_committed_before_a_crash_is_there_after_the_restart(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("create table kept as select 7 as number")
    server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url, connect_timeout=2)
    server.restart()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("select number from kept").fetchone() == (7,)


def test_a_paused_server_answers_nobody_until_it_is_resumed(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        with server.paused(), pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url, connect_timeout=2)
        assert connection.execute("select 1").fetchone() == (1,)


def test_it_listens_on_loopback_only_and_commits_durably(server: Server) -> None:
    with psycopg.connect(server.url) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("show fsync").fetchone() == ("on",)


def test_stopping_removes_the_folder_and_may_be_repeated() -> None:
    server = start_postgres()
    server.stop()
    server.stop()
    assert not server.folder.exists()
    assert not server.running


def test_a_server_whose_starter_was_killed_is_ended_by_the_next_start() -> None:
    starter = """if True:
        import os
        from scripts.servers import start_postgres
        print(start_postgres().folder, flush=True)
        os.kill(os.getpid(), 9)
    """
    killed = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True, check=False)
    folder = Path(killed.stdout.strip())
    assert (folder / OWNER).exists()
    postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    remove_leftovers()
    assert not folder.exists()
    assert not runs(postmaster)


def test_a_running_starters_folder_is_not_a_leftover(server: Server) -> None:
    remove_leftovers()
    assert server.folder.name.startswith(PREFIX)
    assert server.folder.exists()


def test_every_route_that_failed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> Path:
        raise LookupError("nothing here")

    monkeypatch.setattr("scripts.servers.postgres._SOURCES", (("wheel", nothing), ("debian", nothing)))
    with pytest.raises(CannotStart, match="wheel: nothing here; debian: nothing here"):
        start_postgres()
