"""Records of one commit that meet each other: a parent that goes, a record that is told twice."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.backends.kernel.errors import MissingParent
from dbrouter.backends.kernel.merging import Least, Replace
from dbrouter.backends.kernel.ops import Batch, Commit, Get, Insert, Put, Remove, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.redis.store import RedisStore
from dbrouter.testing.conformance.records import run, session
from scripts.servers import Server
from tests.redis.entries import disagreements


@pytest.fixture
def store(redis_server: Server, prefix: str) -> RedisStore:
    return RedisStore(redis_server.url, prefix=prefix)


def test_a_record_does_not_stay_without_the_parent_that_the_same_commit_removes(
    store: RedisStore, client: Any, prefix: str
) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    finish(store.execute(Insert(table="runs", records=(run("r1"),))))
    writes = (Remove(table="sessions", key=("s1",)), Put(table="runs", record=run("r1", status="COMPLETED")))
    with pytest.raises(MissingParent):
        finish(store.execute(Commit(writes=writes)))
    assert finish(store.execute(Get(table="runs", key=("r1",)))) is not None
    assert disagreements(client, prefix) == []


def test_a_record_that_is_told_twice_overwrites_nothing_that_came_between(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    run_ = store._run
    between = [Upsert(table="sessions", records=(session("s1", agent_id="bot"),), rules={"agent_id": Replace()})]

    async def then_another(*given: Any, **named: Any) -> Any:
        answers = await run_(*given, **named)
        # Between the try that finds what is stored and the one that merges into it.
        if between:
            await store.execute(between.pop())
        return answers

    monkeypatch.setattr(store, "_run", then_another)
    owner = Upsert(table="sessions", records=(session("s1", user_id="ann"),), rules={"user_id": Replace()})
    earlier = Upsert(table="sessions", records=(session("s1", created_at=50),), rules={"created_at": Least()})
    finish(store.execute(Batch(upserts=(owner, earlier))))
    stored = finish(store.execute(Get(table="sessions", key=("s1",))))
    assert stored is not None
    found = {column: stored.record[column] for column in ("user_id", "agent_id", "created_at")}
    assert found == {"user_id": "ann", "agent_id": "bot", "created_at": 50}
