"""A commit that removes more than goes at once: what is refused is refused before anything is gone."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Conflict, Duplicate, MissingParent, TooLarge
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.ops import ABSENT, Check, Commit, Get, Insert, Put, Remove, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.redis.blocking import BlockingWire
from dbrouter.backends.redis.store import RedisStore
from dbrouter.testing.conformance.records import run, session, token
from scripts.servers import Server
from tests.redis.entries import disagreements

RUNS = 5500
"""One script removes 5,000 records."""


@pytest.fixture
def store(redis_server: Server, prefix: str) -> RedisStore:
    """Two sessions; `large` has more runs than go at once."""
    store = RedisStore(redis_server.url, prefix=prefix)
    finish(store.execute(Insert(table="sessions", records=(session("large"), session("other")))))
    for start in range(0, RUNS, 500):
        runs = tuple(run(f"r{number}", "large", run_index=number) for number in range(start, start + 500))
        finish(store.execute(Insert(table="runs", records=runs)))
    finish(store.execute(Insert(table="auth_tokens", records=(token("a"),))))
    return store


def version(store: RedisStore, session_id: str) -> str:
    stored = finish(store.execute(Get(table="sessions", key=(session_id,), versioned=True)))
    assert stored is not None
    return stored.version


def runs(store: RedisStore) -> int:
    page = finish(store.execute(Scan(table="runs", where=eq("session_id", "large"), columns=("run_id",))))
    return len(page.records)


def test_a_commit_that_is_refused_has_removed_nothing(store: RedisStore, client: Any, prefix: str) -> None:
    stale, now = version(store, "other"), version(store, "large")
    finish(store.execute(Commit(writes=(Put(table="sessions", record=session("other", agent_id="new")),))))
    remove = Remove(table="sessions", key=("large",), expect=now)
    refused: list[tuple[type[Exception], Any]] = [
        (Conflict, Put(table="sessions", record=session("other"), expect=stale)),
        (Conflict, Check(table="sessions", key=("other",), expect=stale)),
        (Conflict, Remove(table="sessions", key=("other",), expect=stale)),
        (Duplicate, Put(table="sessions", record=session("other"), expect=ABSENT)),
        (Duplicate, Put(table="auth_tokens", record=token("b"))),
        (MissingParent, Put(table="runs", record=run("new", "large"))),
    ]
    for error, beside in refused:
        for writes in ((remove, beside), (beside, remove)):
            if error is MissingParent and writes[0] is beside:
                continue  # it goes with its session
            with pytest.raises(error):
                finish(store.execute(Commit(writes=writes)))
            assert runs(store) == RUNS
    assert disagreements(client, prefix) == []


def test_a_commit_that_is_not_refused_is_done_as_a_whole(store: RedisStore, client: Any, prefix: str) -> None:
    writes = (
        Remove(table="sessions", key=("large",), expect=version(store, "large")),
        Check(table="auth_tokens", key=("none",), expect=ABSENT),
        Put(table="sessions", record=session("other", agent_id="new"), expect=version(store, "other")),
        Put(table="runs", record=run("r7", "other")),
    )
    finish(store.execute(Commit(writes=writes)))
    assert runs(store) == 0
    assert [each["run_id"] for each in finish(store.execute(Scan(table="runs"))).records] == ["r7"]
    assert [each["agent_id"] for each in finish(store.execute(Scan(table="sessions"))).records] == ["new"]
    assert disagreements(client, prefix) == []


def test_a_version_that_moves_between_the_steps_ends_them(
    store: RedisStore, client: Any, prefix: str, redis_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for start in range(RUNS, 2 * RUNS, 500):
        more = tuple(run(f"r{number}", "large", run_index=number) for number in range(start, start + 500))
        finish(store.execute(Insert(table="runs", records=more)))
    now, exchange, steps = version(store, "large"), BlockingWire.exchange, 0
    other = RedisStore(redis_server.url, prefix=prefix)

    async def watched(self: Any, connection: Any, commands: Any, deadline: Any) -> list[Any]:
        nonlocal steps
        answers = await exchange(self, connection, commands, deadline)
        steps += 1
        if steps == 2:  # tried as a whole, then the first step
            await other.execute(Commit(writes=(Put(table="sessions", record=session("large", agent_id="new")),)))
        return answers

    monkeypatch.setattr(BlockingWire, "exchange", watched)
    with pytest.raises(Conflict):
        finish(store.execute(Commit(writes=(Remove(table="sessions", key=("large",), expect=now),))))
    monkeypatch.undo()
    assert runs(store) == 2 * RUNS - 2500
    assert disagreements(client, prefix) == []


def test_a_commit_of_too_many_writes_beside_is_refused_and_nothing_is_removed(store: RedisStore) -> None:
    beside = tuple(Put(table="runs", record=run(f"new{number}", "other")) for number in range(2500))
    with pytest.raises(TooLarge, match="nothing was written"):
        finish(store.execute(Commit(writes=(Remove(table="sessions", key=("large",)), *beside))))
    assert runs(store) == RUNS


def test_runs_that_a_sandbox_is_bound_to_go_with_their_session(store: RedisStore, client: Any, prefix: str) -> None:
    binding = {"namespace": "n", "session_id": "large", "agent_id": "a", "run_id": "r1", "epoch": 1, "record": {}}
    finish(store.execute(Insert(table="sandbox_bindings", records=(binding,))))
    finish(store.execute(Commit(writes=(Remove(table="sessions", key=("large",)),))))
    assert runs(store) == 0
    assert finish(store.execute(Scan(table="sandbox_bindings"))).records == []
    assert disagreements(client, prefix) == []
