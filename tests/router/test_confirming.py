"""What is remembered of where records are is a hint: it may be wrong by now, and nothing is lost by that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import MissingParent
from dbrouter.backends.kernel.filters import EVERYTHING, all_of, eq, is_null, one_of
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Commit,
    Computed,
    Delete,
    Insert,
    Measure,
    Remove,
    Update,
    Upsert,
)
from dbrouter.router.agno_types import UserMemory
from tests.router.test_placing import agent, fill, run
from tests.router.world import Calls, World


def test_a_deleted_session_of_one_component_may_be_begun_again_by_another(world: World) -> None:
    fill(world)
    assert world.db.delete_session("s-helper") is True
    world.db.upsert_session(agent("s-helper", "ops-bot"))
    assert world.where("sessions", "s-helper") == ["ops"]
    found = world.db.get_sessions(component_id="ops-bot", session_type="agent", deserialize=False)[0]
    assert sorted(each["session_id"] for each in found) == ["s-helper", "s-ops"]


DELETIONS: dict[str, Callable[[Calls], Any]] = {
    "one": lambda db: db.delete_session("s-helper"),
    "several": lambda db: db.delete_sessions(["s-helper", "s-crew"]),
    "several of a user": lambda db: db.ask(
        Delete(table="sessions", where=all_of(one_of("session_id", ["s-helper", "s-crew"]), is_null("user_id")))
    ),
    "all": lambda db: db.ask(Delete(table="sessions", where=EVERYTHING)),
    "a commit": lambda db: db.ask(Commit(writes=(Remove(table="sessions", key=("s-helper",)),))),
}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another process"])
@pytest.mark.parametrize("deletion", DELETIONS)
def test_what_was_deleted_is_stored_anew_where_its_component_belongs(
    world: World, deletion: str, *, elsewhere: bool
) -> None:
    fill(world)
    DELETIONS[deletion](world.cold() if elsewhere else world.db)
    world.db.upsert_session(agent("s-helper", "ops-bot"))
    assert world.where("sessions", "s-helper") == ["ops"]
    world.db.upsert_run(run("r2", "ops-bot"), "s-helper")
    assert world.where("runs", "r2") == ["ops"]


@pytest.mark.parametrize("deletion", DELETIONS)
def test_of_its_own_deletions_a_router_asks_nobody(world: World, deletion: str) -> None:
    fill(world)
    DELETIONS[deletion](world.db)
    world.forget_counts()
    world.db.upsert_session(agent("s-helper", "ops-bot"))
    assert world.counts() == {"ops": 1}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another process"])
def test_memories_that_were_cleared_are_nobodys_any_more(world: World, *, elsewhere: bool) -> None:
    for agent_id in ("helper", "ops-bot"):
        world.db.upsert_user_memory(UserMemory(memory="x", memory_id="m", user_id="u", agent_id=agent_id))
        assert world.where("memories", "m") == ["primary"]
    (world.cold() if elsewhere else world.db).clear_memories()
    world.db.upsert_user_memory(UserMemory(memory="x", memory_id="m", user_id="u", agent_id="ops-bot"))
    assert world.where("memories", "m") == ["ops"]


def test_what_is_elsewhere_than_its_rule_says_is_changed_where_it_is(world: World) -> None:
    world.primary.ask(
        Insert(table="sessions", records=({"session_id": "s", "session_type": "agent", "created_at": 1},))
    )
    assert world.db.get_session("s") is not None
    world.forget_counts()
    world.db.upsert_session(agent("s", "ops-bot"))
    # Once more than elsewhere: first it is asked whether it is still there.
    assert (world.where("sessions", "s"), world.counts()) == (["primary"], {"primary": 2})


def test_what_moved_on_is_found_in_its_third_database(world: World) -> None:
    fill(world)
    moved = world.primary.inner_rows("sessions")
    world.primary.ask(Delete(table="sessions", where=eq("session_id", "s-helper")))
    world.cheap.ask(Insert(table="sessions", records=tuple(moved)))
    world.db.upsert_session(agent("s-helper", "ops-bot"))
    assert world.where("sessions", "s-helper") == ["cheap"]


def test_what_is_remembered_where_its_rule_says_is_not_asked_for(world: World) -> None:
    fill(world)
    world.forget_counts()
    for session_id, agent_id in (("s-helper", "helper"), ("s-ops", "ops-bot")):
        world.db.upsert_session(agent(session_id, agent_id))
        world.db.upsert_run(run("more", "helper"), session_id)
        world.db.get_runs(session_id)
    assert world.counts() == {"primary": 3, "ops": 3}


def move(world: World, session_id: str) -> None:
    """Another process deletes the session of one component and begins it anew as another's."""
    other = world.cold()
    assert other.delete_session(session_id) is True
    other.upsert_session(agent(session_id, "ops-bot"))
    assert world.where("sessions", session_id) == ["ops"]


def test_a_run_goes_beside_its_session_where_that_is_now(world: World) -> None:
    fill(world)
    move(world, "s-helper")
    world.db.upsert_run(run("r2", "ops-bot"), "s-helper")
    assert world.where("runs", "r2") == ["ops"]


def test_a_run_whose_session_is_gone_is_refused(world: World) -> None:
    fill(world)
    world.cold().delete_session("s-helper")
    for _ in range(2):
        with pytest.raises(MissingParent):
            world.db.upsert_run(run("r2"), "s-helper")


def test_what_follows_a_session_unbidden_goes_where_that_is_now(world: World) -> None:
    fill(world)
    compaction = {"compaction_id": "c", "session_id": "s-ops", "created_at": 1}
    other = world.cold()
    other.delete_session("s-ops")
    other.upsert_session(agent("s-ops", "helper"))
    world.db.ask(Upsert(table="compactions", records=(compaction,), returning=False))
    assert [len(each.inner_rows("compactions")) for each in world.databases.values()] == [1, 0, 0]


def test_a_session_is_begun_beside_what_was_stored_for_it(world: World) -> None:
    compaction = {"compaction_id": "c", "session_id": "s", "created_at": 1}
    world.db.ask(Upsert(table="compactions", records=(compaction,), returning=False))
    world.db.upsert_session(agent("s", "ops-bot"))
    assert world.where("sessions", "s") == ["primary"]


FOLLOWERS: dict[str, Callable[[Calls], Any]] = {
    "a listing": lambda db: db.get_runs("s-helper"),
    "a count": lambda db: (
        db.ask(
            Aggregate(
                table="runs",
                by={},
                measures=(Computed(name="n", measure=Measure.COUNT),),
                where=eq("session_id", "s-helper"),
            )
        )
        .records[0]
        .get("n")
    ),
    "a change": lambda db: db.ask(
        Update(table="runs", where=eq("session_id", "s-helper"), changes={"status": "CANCELLED"})
    ),
    "a change of one": lambda db: db.ask(
        Update(table="runs", where=all_of(eq("session_id", "s-helper"), eq("run_id", "r")), changes={"status": "x"})
    ),
    "a deletion": lambda db: db.ask(Delete(table="runs", where=eq("session_id", "s-helper"))),
}


@pytest.mark.parametrize("asked", FOLLOWERS)
def test_what_follows_a_session_is_found_where_that_is_now(world: World, asked: str) -> None:
    fill(world)
    move(world, "s-helper")
    world.cold().upsert_run(run("r", "ops-bot"), "s-helper")
    assert FOLLOWERS[asked](world.db)


def test_a_session_without_runs_is_asked_for_where_it_is(world: World) -> None:
    world.db.upsert_session(agent("s", "ops-bot"))
    world.primary.away = True
    world.forget_counts()
    assert world.db.get_runs("s") == []
    assert world.counts() == {"ops": 2}
