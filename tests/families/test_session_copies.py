"""Sessions that are saved as copies, in bulk, or after a listing: what was read goes with the data."""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.testing.minimal import MinimalStore
from tests.families.test_session_saving import Writer, session

STORES = {"memory": MemoryStore, "emulated": lambda: Emulated(MinimalStore())}


@pytest.fixture(params=STORES)
def writer(request: pytest.FixtureRequest) -> Writer:
    made = Writer(STORES[request.param]())
    made.save(session(session_data={"session_state": {"n": 0, "log": []}}))
    return made


def count(read: Any, by: int = 1) -> None:
    state = read.session_data["session_state"]
    state["n"] += by
    state["log"].append(state["n"])


def test_shallow_copies_of_one_session_count_what_is_new_once(writer: Writer) -> None:
    mine = writer.get()
    for _ in range(3):
        count(mine)
        writer.save(copy.copy(mine))
    assert writer.data()["session_state"] == {"n": 3, "log": [1, 2, 3]}


def test_what_others_saved_between_two_copies_is_kept(writer: Writer) -> None:
    mine = writer.get()
    count(mine)
    writer.save(copy.copy(mine))
    theirs = writer.get()
    count(theirs, by=10)
    writer.save(theirs)
    count(mine)
    writer.save(copy.copy(mine))
    assert writer.data()["session_state"]["n"] == 12


def test_a_new_session_is_known_again_by_the_data_of_the_copy_that_was_saved(writer: Writer) -> None:
    assert writer.get("s2") is None
    mine = session("s2", agent_data={"name": "clerk"}, session_data={"session_state": {"n": 1, "log": []}})
    writer.save(copy.copy(mine))
    theirs = writer.get("s2")
    count(theirs, by=10)
    writer.save(theirs)
    count(mine)
    writer.save(copy.copy(mine))
    assert writer.data("s2")["session_state"]["n"] == 12


def test_two_sessions_with_one_state_count_what_is_new_once(writer: Writer) -> None:
    # As a workflow and an agent within it have it: objects of their own, one row, and one dict for the state.
    for _ in range(2):
        outer, inner = writer.get(), writer.get()
        inner.session_data["session_state"] = outer.session_data["session_state"]
        count(outer)
        writer.save(inner)
        count(outer)
        writer.save(outer)
    assert writer.data()["session_state"] == {"n": 4, "log": [1, 2, 3, 4]}


def test_two_new_sessions_with_one_state_do_so_too_whichever_threads_they_are_in(writer: Writer) -> None:
    state: dict[str, Any] = {"n": 1}
    assert writer.get("s2") is None

    def inner() -> None:
        assert writer.get("s2") is None
        writer.save(session("s2", session_data={"session_state": state, "session_metrics": {"tokens": 5}}))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(inner).result()
    writer.save(session("s2", session_data={"session_state": state, "session_metrics": {"tokens": 5}}))
    assert writer.data("s2") == {"session_state": {"n": 1}, "session_metrics": {"tokens": 5}}


def test_others_are_merged_with_what_the_last_of_two_sessions_saved(writer: Writer) -> None:
    outer, inner = writer.get(), writer.get()
    inner.session_data["session_state"] = outer.session_data["session_state"]
    count(outer)
    writer.save(inner)
    theirs = writer.get()
    count(theirs, by=10)
    writer.save(theirs)
    count(outer)
    writer.save(outer)
    assert writer.data()["session_state"]["n"] == 12


def test_a_session_that_is_built_anew_of_the_same_parts_replaces(writer: Writer) -> None:
    begun = {"session_state": {"n": 1}}
    writer.save(session("s2", session_data=begun))
    theirs = writer.get("s2")
    theirs.session_data["session_state"]["n"] = 5
    writer.save(theirs)
    writer.save(session("s2", session_data=begun))
    assert writer.data("s2") == begun


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_under_another_name_replaces_what_is_there_and_leaves_the_original_alone(
    writer: Writer, copied: Any
) -> None:
    writer.save(session("s2", session_data={"session_state": {"n": 7, "log": []}}))
    mine = writer.get()
    count(mine)
    branch = copied(mine)
    branch.session_id = "s2"
    writer.save(branch)
    assert writer.data("s2")["session_state"]["n"] == 1
    writer.save(mine)
    assert writer.data()["session_state"]["n"] == 1


def test_a_session_of_nobody_that_a_user_takes_over_is_the_users(writer: Writer) -> None:
    writer.save(session("s2", session_data={"session_state": {"n": 10, "who": ["nobody"]}}))
    assert finish(writer.sessions.get_session("s2", user_id="ada")) is None
    writer.save(session("s2", user_id="ada", session_data={"session_state": {"n": 11, "who": ["ada"]}}))
    assert writer.data("s2") == {"session_state": {"n": 11, "who": ["ada"]}}


def test_who_has_found_a_session_since_does_not_begin_it(writer: Writer) -> None:
    assert writer.get("s2") is None
    with ThreadPoolExecutor(1) as pool:
        pool.submit(writer.save, session("s2", session_data={"session_state": {"n": 3}})).result()
    assert writer.get("s2") is not None
    writer.save(session("s2", session_data={"session_state": {"n": 4}}))
    assert writer.data("s2") == {"session_state": {"n": 4}}


def test_a_deep_copy_goes_its_own_way(writer: Writer) -> None:
    mine = writer.get()
    apart = copy.deepcopy(mine)
    count(mine)
    count(apart)
    writer.save(mine)
    writer.save(apart)
    assert writer.data()["session_state"]["n"] == 2


def test_the_session_that_a_save_answers_can_be_saved(writer: Writer) -> None:
    mine = writer.get()
    count(mine)
    saved = writer.save(mine)
    count(saved)
    writer.save(saved)
    assert writer.data()["session_state"]["n"] == 2


def test_turns_at_once_over_one_sessions_data_are_counted_once_each(writer: Writer) -> None:
    mine = writer.get()
    counting = threading.Lock()

    def turns(_: int) -> None:
        for _ in range(25):
            with counting:
                count(mine)
            writer.save(copy.copy(mine))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(turns, range(8)))
    assert writer.data()["session_state"] == {"n": 200, "log": list(range(1, 201))}


def test_what_was_written_in_bulk_is_not_new_when_it_is_saved(writer: Writer) -> None:
    mine = writer.get()
    count(mine)
    finish(writer.sessions.upsert_sessions([mine]))
    writer.save(mine)
    assert writer.data()["session_state"] == {"n": 1, "log": [1]}


def listed(writer: Writer) -> Any:
    (found,) = finish(writer.sessions.get_sessions())
    return found


def renamed(writer: Writer) -> Any:
    return finish(writer.sessions.rename_session("s1", None, "a name"))


@pytest.mark.parametrize("read", [listed, renamed])
def test_a_session_that_was_read_otherwise_is_merged_too(writer: Writer, read: Any) -> None:
    mine, theirs = read(writer), writer.get()
    count(theirs, by=10)
    writer.save(theirs)
    count(mine)
    writer.save(mine)
    count(mine)
    writer.save(mine)
    assert writer.data()["session_state"]["n"] == 12


def test_a_session_without_data_can_be_listed_and_saved(writer: Writer) -> None:
    writer.save(session("s2"))
    found = next(each for each in finish(writer.sessions.get_sessions()) if each.session_id == "s2")
    found.session_data = {"session_state": {"n": 1}}
    writer.save(found)
    assert writer.data("s2") == {"session_state": {"n": 1}}
