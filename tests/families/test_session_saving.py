"""Saving sessions: two writers of one session, sessions that moved, owners, policies."""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Conflict
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import Commit, Get, Load, Loaded, Op, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.router.agno_types import AgentSession
from dbrouter.router.families.context import Context, OnConflict
from dbrouter.router.families.sessions import Sessions
from dbrouter.testing.minimal import MinimalStore
from tests.families.recorded import Recorded

R = TypeVar("R")


def session(session_id: str = "s1", **fields: Any) -> AgentSession:
    return AgentSession(**{"session_id": session_id, "agent_id": "a", "created_at": 1, **fields})


class Writer:
    """The sessions of one db, as plain calls."""

    def __init__(self, store: Store, place: str = "here", on_conflict: OnConflict = "merge") -> None:
        self.sessions = Sessions(Context(store, now=lambda: 9, place=place, on_conflict=on_conflict))

    def get(self, session_id: str = "s1") -> Any:
        return finish(self.sessions.get_session(session_id))

    def save(self, saved: AgentSession) -> Any:
        return finish(self.sessions.upsert_session(saved))

    def data(self, session_id: str = "s1") -> Any:
        return self.get(session_id).session_data


class Overtaken(Recorded):
    """A store in which another writer counts one more after each of the first reads."""

    def __init__(self, inner: Store, times: int) -> None:
        super().__init__(inner)
        self.left = times
        self.n = 1

    async def execute(self, op: Op[R], /) -> R:
        answer = await super().execute(op)
        if isinstance(answer, Loaded) and self.left:
            self.left, self.n = self.left - 1, self.n + 1
            other = {**answer.record, "session_data": {"n": self.n}}
            await self.inner.execute(Upsert(table="sessions", records=(other,), rules={"session_data": Replace()}))
        return answer


@pytest.fixture
def writer(store: Store) -> Writer:
    made = Writer(store)
    made.save(session(session_data={"session_state": {"n": 1, "list": ["a"]}, "session_name": "old"}))
    return made


def test_two_that_read_the_same_both_keep_their_changes(writer: Writer, store: Store) -> None:
    mine, theirs = writer.get(), Writer(store).get()
    theirs.session_data["session_state"].update(n=3, theirs=True)
    theirs.session_data["session_state"]["list"].append("theirs")
    writer.save(theirs)
    mine.session_data["session_state"].update(n=11, mine=True)
    mine.session_data["session_state"]["list"].append("mine")
    saved = writer.save(mine)
    expected = {"n": 13, "list": ["a", "theirs", "mine"], "theirs": True, "mine": True}
    assert writer.data() == {"session_state": expected, "session_name": "old"}
    assert saved.session_data["session_state"] == expected


def test_an_object_saved_again_and_again_adds_only_what_is_new(writer: Writer) -> None:
    mine, theirs = writer.get(), writer.get()
    for _ in range(3):
        mine.session_data["session_state"]["n"] += 1
        writer.save(mine)
        theirs.session_data["session_state"]["n"] += 10
        writer.save(theirs)
        writer.save(theirs)
        writer.save(mine)
    assert writer.data()["session_state"]["n"] == 1 + 3 + 30


def test_two_that_both_found_none_both_keep_what_they_began(store: Store) -> None:
    barrier = threading.Barrier(2)

    def begin(name: str) -> None:
        writer = Writer(store)
        assert writer.get() is None
        barrier.wait()
        writer.save(session(session_data={"session_state": {name: True, "n": 1}}))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(begin, ["one", "two"]))
    assert Writer(store).data()["session_state"] == {"one": True, "two": True, "n": 2}


def test_an_object_that_was_never_read_replaces(writer: Writer) -> None:
    writer.save(session(session_data={"session_state": {"n": 7}}))
    assert writer.data() == {"session_state": {"n": 7}}


def test_a_copy_of_an_object_carries_what_it_was_read_as(writer: Writer) -> None:
    mine = copy.deepcopy(writer.get())
    theirs = writer.get()
    theirs.session_data["session_state"]["n"] = 5
    writer.save(theirs)
    mine.session_data["session_state"]["n"] = 2
    writer.save(mine)
    assert writer.data()["session_state"]["n"] == 6


def test_a_session_that_was_deleted_meanwhile_is_brought_back_as_agno_does(writer: Writer) -> None:
    mine = writer.get()
    assert finish(writer.sessions.delete_session("s1"))
    mine.session_data["session_state"]["n"] = 2
    assert writer.save(mine) is not None
    assert writer.data()["session_state"]["n"] == 2


def test_a_session_copied_to_another_database_replaces_what_is_there(writer: Writer) -> None:
    other = Writer(MemoryStore(), place="there")
    other.save(session(session_data={"session_state": {"n": 99, "old": True}}))
    found = writer.get()
    assert other.save(found) is not None
    assert other.data() == writer.data()


def test_an_object_copied_there_and_back_is_saved_where_it_came_from(writer: Writer) -> None:
    other = Writer(MemoryStore(), place="there")
    found = writer.get()
    other.save(found)
    found.session_data["session_state"]["n"] = 50
    writer.save(found)
    assert writer.data()["session_state"]["n"] == 50


def test_another_owner_gets_none_and_changes_nothing(writer: Writer, store: Store) -> None:
    writer.save(session("s2", user_id="ann", session_data={"x": 1}))
    stolen = writer.get("s2")
    stolen.user_id, stolen.session_data = "bob", {"x": 2}
    assert writer.save(stolen) is None
    assert Writer(store).data("s2") == {"x": 1}


def test_a_session_that_changed_hands_meanwhile_is_not_overwritten(writer: Writer, store: Store) -> None:
    writer.save(session("s2", user_id="ann", session_data={"x": 1}))
    mine = writer.get("s2")
    assert finish(writer.sessions.reassign_session_owner("s2", previous_user_id="ann", user_id="bob"))
    mine.session_data["x"] = 2
    assert writer.save(mine) is None
    assert Writer(store).data("s2") == {"x": 1}


def test_the_last_writer_wins_where_that_is_the_policy(store: Store) -> None:
    writer = Writer(store, on_conflict="last_writer")
    writer.save(session(session_data={"n": 1}))
    mine, theirs = writer.get(), writer.get()
    theirs.session_data = {"n": 5, "theirs": True}
    writer.save(theirs)
    mine.session_data = {"n": 2}
    writer.save(mine)
    assert writer.data() == {"n": 2}


def test_a_true_conflict_raises_where_that_is_the_policy_and_the_rest_merges(store: Store) -> None:
    writer = Writer(store, on_conflict="raise")
    writer.save(session(session_data={"n": 1, "text": "a"}))
    mine, theirs, third = writer.get(), writer.get(), writer.get()
    theirs.session_data = {"n": 5, "text": "theirs"}
    writer.save(theirs)
    third.session_data = {"n": 2, "text": "a"}
    writer.save(third)
    assert writer.data() == {"n": 6, "text": "theirs"}
    mine.session_data = {"n": 1, "text": "mine"}
    with pytest.raises(Conflict, match=r"session_data\.text"):
        writer.save(mine)
    assert writer.data() == {"n": 6, "text": "theirs"}


def test_a_turn_alone_is_one_read_and_one_write() -> None:
    store = Recorded(MemoryStore())
    writer = Writer(store)
    writer.save(session(session_data={"n": 1}))
    store.ops.clear()
    for turn in range(3):
        mine = writer.get()
        mine.session_data["n"] = turn
        writer.save(mine)
    assert [type(op) for op in store.ops] == [Load, Upsert] * 3


def test_a_turn_beside_another_writer_reads_once_more() -> None:
    store = Recorded(MemoryStore())
    writer = Writer(store)
    writer.save(session(session_data={"n": 1}))
    mine, theirs = writer.get(), writer.get()
    theirs.session_data["n"] = 2
    writer.save(theirs)
    store.ops.clear()
    mine.session_data["n"] = 2
    writer.save(mine)
    assert [type(op) for op in store.ops] == [Upsert, Get, Commit]


def test_each_try_after_a_lost_race_is_one_read_and_one_write_where_the_kernel_merges() -> None:
    asked: list[Op[Any]] = []
    store = Emulated(MinimalStore(watch=asked.append))
    writer = Writer(store)
    writer.save(session(session_data={"n": 1}))
    mine, theirs = writer.get(), writer.get()
    theirs.session_data["n"] = 2
    writer.save(theirs)
    asked.clear()
    mine.session_data["n"] = 4
    writer.save(mine)
    assert [type(op) for op in asked] == [Get, Get, Commit]
    assert writer.data() == {"n": 5}


def test_a_row_that_was_saved_over_anothers_is_as_it_is_stored_and_shares_nothing(writer: Writer, store: Store) -> None:
    mine, theirs = writer.get(), Writer(store).get()
    theirs.session_data["theirs"] = True
    writer.save(theirs)
    mine.session_data["mine"] = {"list": [1]}
    row = finish(writer.sessions.upsert_session(mine, deserialize=False))
    stored = finish(store.execute(Get(table="sessions", key=("s1",))))
    assert stored is not None
    assert row == {**stored.record, "runs": []}
    mine.session_data["mine"]["list"].append(2)
    assert row == {**stored.record, "runs": []}


def test_a_session_that_was_deleted_since_it_was_read_comes_back(writer: Writer) -> None:
    mine, theirs = writer.get(), writer.get()
    theirs.session_data["theirs"] = True
    writer.save(theirs)
    assert finish(writer.sessions.delete_session("s1"))
    mine.session_data["mine"] = True
    writer.save(mine)
    assert writer.data()["mine"] is True


def test_renaming_beside_another_writer_keeps_what_it_wrote() -> None:
    inner = MemoryStore()
    writer = Writer(inner)
    writer.save(session(session_data={"n": 1}))
    finish(Writer(Overtaken(inner, times=2)).sessions.rename_session("s1", None, "new"))
    assert writer.data() == {"n": 3, "session_name": "new"}


def test_renaming_beside_writers_that_are_always_faster_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbrouter.backends.kernel.racing.ATTEMPTS", 3)
    monkeypatch.setattr("dbrouter.backends.kernel.racing.PATIENCE", 0.0)
    inner = MemoryStore()
    writer = Writer(inner)
    writer.save(session(session_data={"n": 1}))
    with pytest.raises(Conflict, match="rename it again"):
        finish(Writer(Overtaken(inner, times=9)).sessions.rename_session("s1", None, "new"))
    assert writer.data() == {"n": 4}
