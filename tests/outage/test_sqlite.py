"""SQLite files that cannot be opened, are no databases, or are held by another process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore
from dbrouter.router.agno_types import AgentSession
from dbrouter.router.opening import Opened
from tests.outage.asking import METHODS, READS, Outcome, ask_all
from tests.waiting import PATIENCE, SLACK

DEADLINE = 1.0
OF_PYTHON = 5.0
"""Seconds that Python's sqlite3 waits for a held file by itself."""

pytestmark = pytest.mark.backend("sqlite", mode="outage")
MODES = pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "async"])

HOLDER = """if True:
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    for statement in sys.argv[2:]:
        connection.execute(statement).fetchall()
    print("held", flush=True)
    sys.stdin.read()
"""


def opened(path: Path, *, blocking: bool, deadline: float = DEADLINE) -> Any:
    if blocking:
        return DbRouter(SqliteStore(path, deadline=deadline))
    return AsyncDbRouter(
        AsyncSqliteStore(path, deadline=deadline),
        blocking=lambda: Opened.alone(SqliteStore(path, deadline=deadline)),
    )


@contextmanager
def held(path: Path, *statements: str) -> Iterator[None]:
    """The file while another process has run these statements and stays."""
    command = [sys.executable, "-c", HOLDER, str(path), *statements]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.stdin.close()


def made(path: Path) -> None:
    """A file with all tables and a session."""
    db = opened(path, blocking=True)
    db._create_all_tables()
    db.upsert_session(AgentSession(session_id="s1", agent_id="a", created_at=1))
    db.close()


def assert_all_unavailable(outcomes: dict[str, Outcome]) -> None:
    wrong = {
        name: each
        for name, each in outcomes.items()
        if not isinstance(each.error, Unavailable) or each.seconds > DEADLINE + SLACK
    }
    assert wrong == {}


@MODES
def test_a_folder_that_cannot_be_made_is_an_outage(tmp_path: Path, *, blocking: bool) -> None:
    (tmp_path / "file").write_text("no folder")
    assert_all_unavailable(ask_all(opened(tmp_path / "file" / "a.db", blocking=blocking), blocking=blocking))


@MODES
def test_a_folder_in_place_of_the_file_is_an_outage(tmp_path: Path, *, blocking: bool) -> None:
    (tmp_path / "a.db").mkdir()
    assert_all_unavailable(ask_all(opened(tmp_path / "a.db", blocking=blocking), blocking=blocking))


@MODES
def test_a_file_that_is_no_database_is_an_outage(tmp_path: Path, *, blocking: bool) -> None:
    (tmp_path / "a.db").write_bytes(b"something else entirely" * 400)
    assert_all_unavailable(ask_all(opened(tmp_path / "a.db", blocking=blocking), blocking=blocking))


@MODES
def test_a_file_that_another_process_keeps_for_itself_is_an_outage(tmp_path: Path, *, blocking: bool) -> None:
    path = tmp_path / "a.db"
    made(path)
    exclusive = (
        "PRAGMA locking_mode = EXCLUSIVE",
        "BEGIN IMMEDIATE",
        "UPDATE agno_sessions SET created_at = 1",
        "COMMIT",
    )
    with held(path, *exclusive):
        assert_all_unavailable(ask_all(opened(path, blocking=blocking), blocking=blocking))


@MODES
def test_readers_go_on_beside_a_writer_of_another_process_and_writers_give_up_in_time(
    tmp_path: Path, *, blocking: bool
) -> None:
    path = tmp_path / "a.db"
    made(path)
    # Metrics are brought up to date by a read of them, so that they write; learnings and others write at once.
    reads = tuple(name for name in READS if name != "get_metrics")
    with held(path, "BEGIN IMMEDIATE", "UPDATE agno_sessions SET agent_id = 'b'"):
        read = ask_all(opened(path, blocking=blocking), blocking=blocking, names=reads)
        assert {name: each.error for name, each in read.items() if each.error is not None} == {}
        written = ask_all(
            opened(path, blocking=blocking),
            blocking=blocking,
            names=("upsert_session", "upsert_run", "upsert_user_memory", "create_approval", "claim_due_schedule"),
        )
        assert_all_unavailable(written)


def test_a_held_file_is_used_again_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made(path)
    db = opened(path, blocking=True)
    began = time.monotonic()
    with held(path, "BEGIN IMMEDIATE"), pytest.raises(Unavailable, match="another process"):
        db.upsert_session(AgentSession(session_id="s2", agent_id="a", created_at=1))
    assert time.monotonic() - began < OF_PYTHON
    assert db.upsert_session(AgentSession(session_id="s2", agent_id="a", created_at=1)) is not None
    db.close()


def test_a_waiting_writer_gets_the_file_when_it_is_free_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made(path)

    async def body() -> None:
        db = opened(path, blocking=False, deadline=PATIENCE)
        with held(path, "BEGIN IMMEDIATE"):
            waiting = asyncio.create_task(db.upsert_session(AgentSession(session_id="s2", agent_id="a", created_at=1)))
            await asyncio.sleep(0.3)
            assert not waiting.done()
        assert await waiting is not None
        await db.close()

    asyncio.run(body())


def test_no_method_was_left_out() -> None:
    assert set(READS) < set(METHODS)
