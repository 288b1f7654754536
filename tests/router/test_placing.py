"""Rows go to their component's database, followers beside their leader, and are found by their id alone."""

from __future__ import annotations

from typing import Any

import pytest
from agno.db.base import ComponentType

from dbrouter.backends.kernel.errors import MissingParent, RoutingError, Unsupported
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Check,
    Commit,
    Delete,
    Get,
    Insert,
    Put,
    Scan,
    Upsert,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.router.agno_types import AgentSession, EvalRunRecord, EvalType, TeamSession, UserMemory, WorkflowSession
from dbrouter.router.routes import Component, Routes
from tests.families.test_schedules import run as schedule_run
from tests.families.test_schedules import schedule
from tests.families.trace_samples import span, trace
from tests.router.world import CREW, DIGEST, OPS_BOT, World, rule


def agent(session_id: str, agent_id: str = "helper", **fields: Any) -> AgentSession:
    return AgentSession(**{"session_id": session_id, "agent_id": agent_id, "created_at": 1, **fields})


def run(run_id: str, agent_id: str = "helper", **fields: Any) -> dict[str, Any]:
    return {"run_id": run_id, "agent_id": agent_id, "status": "COMPLETED", "created_at": 1, **fields}


def fill(world: World) -> None:
    world.db.upsert_session(agent("s-helper"))
    world.db.upsert_session(agent("s-ops", "ops-bot"))
    world.db.upsert_session(TeamSession(session_id="s-crew", team_id="crew", created_at=1))
    world.db.upsert_session(WorkflowSession(session_id="s-digest", workflow_id="digest", created_at=1))
    for session_id in ("s-helper", "s-ops", "s-crew", "s-digest"):
        world.db.upsert_run(run(f"r-{session_id}"), session_id)


PLACES = {"s-helper": ["primary"], "s-ops": ["ops"], "s-crew": ["cheap"], "s-digest": ["cheap"]}


def test_sessions_go_to_their_components_database(world: World) -> None:
    fill(world)
    assert {each: world.where("sessions", each) for each in PLACES} == PLACES


def test_runs_follow_their_session_whoever_they_say_they_are_of(world: World) -> None:
    fill(world)
    world.db.upsert_run(run("member", "ops-bot"), "s-crew")
    world.cold().upsert_run(run("member2", "ops-bot"), "s-helper")
    assert {each: world.where("runs", f"r-{each}") for each in PLACES} == PLACES
    assert world.where("runs", "member") == ["cheap"]
    assert world.where("runs", "member2") == ["primary"]
    for db in (world.db, world.cold()):
        assert [each.run_id for each in db.get_runs(agent_id="ops-bot")] == ["member", "member2"]


def test_a_run_without_its_session_is_refused_as_by_one_database(world: World) -> None:
    with pytest.raises(MissingParent):
        world.db.upsert_run(run("r1"), "nowhere")


def test_families_go_where_their_own_rules_say(world: World) -> None:
    world.db.create_eval_run(EvalRunRecord(run_id="e1", eval_type=EvalType.ACCURACY, eval_data={}))
    world.db.create_eval_run(EvalRunRecord(run_id="e2", eval_type=EvalType.ACCURACY, eval_data={}, agent_id="ops-bot"))
    world.db.upsert_user_memory(UserMemory(memory="x", memory_id="m1", user_id="u"))
    world.db.upsert_user_memory(UserMemory(memory="x", memory_id="m2", user_id="u", agent_id="ops-bot"))
    world.db.upsert_learning("l1", "t", {}, team_id="crew")
    world.db.upsert_learning("l2", "t", {}, agent_id="helper")
    assert [each["run_id"] for each in world.cheap.inner_rows("evals")] == ["e1"]
    assert [each["run_id"] for each in world.ops.inner_rows("evals")] == ["e2"]
    assert world.where("memories", "m1") == ["primary"]
    assert world.where("memories", "m2") == ["ops"]
    assert [each["learning_id"] for each in world.cheap.inner_rows("learnings")] == ["l1"]
    assert [each["learning_id"] for each in world.primary.inner_rows("learnings")] == ["l2"]


def test_a_trace_goes_with_its_component_and_its_spans_with_it(world: World) -> None:
    world.db.upsert_trace(trace("t1", agent_id="ops-bot"))
    world.db.upsert_trace(trace("t2", workflow_id="digest", agent_id="ops-bot"))
    world.db.upsert_trace(trace("t3"))
    world.db.create_spans([span("1", "t1"), span("2", "t2"), span("3", "t3"), span("4", "t4")])
    world.cold().create_spans([span("5", "t1"), span("6", "t2")])
    assert [world.where("traces", each) for each in ("t1", "t2", "t3", "t4")] == [
        ["ops"],
        ["cheap"],
        ["primary"],
        ["primary"],
    ]
    spans = [world.where("spans", each) for each in "123456"]
    assert spans == [["ops"], ["cheap"], ["primary"], ["primary"], ["ops"], ["cheap"]]


def test_a_trace_that_is_somewhere_stays_there(world: World) -> None:
    world.db.create_spans([span("1", "t1")])
    for db in (world.db, world.cold()):
        db.upsert_trace(trace("t1", session_id="s"))
        assert world.where("traces", "t1") == ["primary"]


def test_schedule_runs_follow_their_schedule(world: World) -> None:
    world.view(OPS_BOT).create_schedule(schedule("c1", name="one"))
    world.db.create_schedule(schedule("c2", name="two"))
    for db, number in ((world.db, 1), (world.cold(), 2)):
        db.create_schedule_run(schedule_run(f"a{number}", "c1"))
        db.create_schedule_run(schedule_run(f"b{number}", "c2"))
    assert [world.where("schedules", each) for each in ("c1", "c2")] == [["ops"], ["primary"]]
    assert [world.where("schedule_runs", each) for each in ("a1", "a2", "b1", "b2")] == [["ops"]] * 2 + [
        ["primary"]
    ] * 2


@pytest.mark.parametrize("session_id", PLACES)
def test_an_id_alone_is_enough(world: World, session_id: str) -> None:
    fill(world)
    for db in (world.db, world.cold()):
        assert db.get_session(session_id).session_id == session_id
        assert [each["run_id"] for each in db.get_session(session_id, deserialize=False)["runs"]] == [f"r-{session_id}"]
        assert db.get_run(f"r-{session_id}", deserialize=False)["session_id"] == session_id
        assert len(db.get_runs(session_id)) == 1
    assert world.db.get_session("nowhere") is None
    assert world.db.get_run("nowhere") is None


def test_what_was_seen_is_asked_for_once(world: World) -> None:
    fill(world)
    cold = world.cold()
    world.forget_counts()
    cold.get_session("s-ops")
    assert world.counts() == {"primary": 1, "ops": 1, "cheap": 1}
    world.forget_counts()
    cold.get_session("s-ops")
    cold.upsert_run(run("more"), "s-ops")
    cold.get_runs("s-ops")
    cold.upsert_session(agent("s-ops", "ops-bot"))
    assert world.counts() == {"ops": 4}


def test_a_component_that_is_named_is_asked_for_where_it_is(world: World) -> None:
    fill(world)
    world.forget_counts()
    assert [
        each["session_id"]
        for each in world.db.get_sessions(component_id="ops-bot", session_type="agent", deserialize=False)[0]
    ] == ["s-ops"]
    assert world.counts() == {"ops": 2}


def test_what_went_elsewhere_is_found_again(world: World) -> None:
    fill(world)
    assert world.db.get_session("s-ops") is not None
    moved = world.ops.inner_rows("sessions")
    world.ops.ask(Delete(table="sessions", where=eq("session_id", "s-ops")))
    world.primary.ask(Insert(table="sessions", records=tuple(moved)))
    assert world.db.get_session("s-ops") is not None
    world.forget_counts()
    assert world.db.get_session("s-ops") is not None
    assert world.counts() == {"primary": 1}


def test_deletions_reach_every_database(world: World) -> None:
    fill(world)
    assert world.cold().delete_session("s-crew") is True
    assert world.where("runs", "r-s-crew") == []
    assert world.db.delete_session("s-crew") is False
    world.db.delete_sessions(["s-helper", "s-ops", "nowhere"])
    assert [world.where("sessions", each) for each in PLACES] == [[], [], [], ["cheap"]]
    assert world.cold().delete_run("r-s-digest") is True
    world.db.upsert_user_memory(UserMemory(memory="x", memory_id="m1", user_id="u", agent_id="ops-bot"))
    world.db.upsert_user_memory(UserMemory(memory="x", memory_id="m2", user_id="u"))
    world.db.clear_memories()
    assert world.where("memories", "m1") == world.where("memories", "m2") == []


def test_a_bulk_save_is_split_and_answered_in_order(world: World) -> None:
    sessions = [
        agent("b1"),
        agent("b2", "ops-bot"),
        agent("b3"),
        TeamSession(session_id="b4", team_id="crew", created_at=1),
    ]
    saved = world.db.upsert_sessions(sessions)
    assert [each.session_id for each in saved] == ["b1", "b2", "b3", "b4"]
    assert [world.where("sessions", each) for each in ("b1", "b2", "b3", "b4")] == [
        ["primary"],
        ["ops"],
        ["primary"],
        ["cheap"],
    ]


def test_a_bulk_save_leaves_out_what_another_owner_has_wherever_it_is(world: World) -> None:
    world.db.upsert_session(agent("b1", user_id="ann"))
    world.db.upsert_session(agent("b2", "ops-bot", user_id="ann"))
    given = [agent("b1", user_id="bob"), agent("b2", "ops-bot", user_id="ann"), agent("b3", user_id="bob")]
    assert [each.session_id for each in world.cold().upsert_sessions(given)] == ["b2", "b3"]


def test_the_ops_of_a_store_that_crosses_databases_are_refused_whole(world: World) -> None:
    records = tuple(
        {"session_id": each, "session_type": "agent", "agent_id": agent_id, "created_at": 1}
        for each, agent_id in (("x", "helper"), ("y", "ops-bot"))
    )
    with pytest.raises(Unsupported, match="primary, ops"):
        world.db.ask(Insert(table="sessions", records=records))
    with pytest.raises(Unsupported, match="spans the databases primary, ops"):
        world.db.ask(Commit(writes=tuple(Put(table="sessions", record=each, expect=ABSENT) for each in records)))
    assert world.where("sessions", "x") == world.where("sessions", "y") == []


def test_a_commit_of_families_in_two_databases_is_refused_before_anything_is_written(world: World) -> None:
    component = {"component_id": "bot", "component_type": "agent", "created_at": 1}
    evaluated = {"run_id": "e", "eval_type": "accuracy", "eval_data": {}, "created_at": 1}
    across = Commit(
        writes=(
            Put(table="components", record=component, expect=ABSENT),
            Put(table="evals", record=evaluated, expect=ABSENT),
        )
    )
    for db in (world.db, world.cold(), world.view(OPS_BOT)):
        with pytest.raises(
            Unsupported, match=r"a commit of components, evals spans the databases primary, (cheap|ops)"
        ):
            db.ask(across)
    assert [each.inner_rows(table) for each in world.databases.values() for table in ("components", "evals")] == [
        []
    ] * 6


def test_a_component_is_archived_with_its_schedules_where_they_are_together(world: World) -> None:
    for db in (world.db, world.cold()):
        db.upsert_component("bot", ComponentType.AGENT)
        for key, provenance in (("theirs", {"target_type": "agent", "target_id": "bot"}), ("other", {})):
            world.db.create_schedule(schedule(key, name=key, **provenance))
        assert db.delete_component("bot", hard_delete=True)
        assert [(each["id"], each["enabled"]) for each in world.primary.inner_rows("schedules")] == [
            ("other", True),
            ("theirs", False),
        ]
        for key in ("theirs", "other"):
            world.db.delete_schedule(key)


def test_a_component_whose_schedules_are_elsewhere_is_not_archived_in_part(world: World) -> None:
    world.db.upsert_component("bot", ComponentType.AGENT)
    world.view(OPS_BOT).create_schedule(schedule("theirs", target_type="agent", target_id="bot"))
    for db in (world.db, world.cold()):
        with pytest.raises(Unsupported, match="spans the databases primary, ops"):
            db.delete_component("bot")
    (component,) = world.primary.inner_rows("components")
    assert component["deleted_at"] is None
    assert world.ops.inner_rows("schedules")[0]["enabled"] is True


def test_a_commit_goes_where_its_records_are(world: World) -> None:
    fill(world)
    for db in (world.db, world.cold()):
        stored = db.ask(Get(table="sessions", key=("s-ops",), versioned=True))
        renamed = {**stored.record, "metadata": {"n": 1}}
        (version,) = db.ask(Commit(writes=(Put(table="sessions", record=renamed, expect=stored.version),)))
        db.ask(
            Commit(
                writes=(Check(table="sessions", key=("s-ops",), expect=version), Put(table="sessions", record=renamed))
            )
        )
    assert world.where("sessions", "s-ops") == ["ops"]


def test_an_upsert_answers_in_the_order_of_its_records(world: World) -> None:
    fill(world)
    records = tuple(
        {"session_id": each, "session_type": "agent", "agent_id": "helper", "created_at": 5}
        for each in ("s-digest", "new", "s-ops", "s-helper")
    )
    answers = world.cold().ask(Upsert(table="sessions", records=records))
    assert [each.record["session_id"] for each in answers] == ["s-digest", "new", "s-ops", "s-helper"]
    assert world.where("sessions", "new") == ["primary"]


# --- views ---


def test_a_view_writes_what_names_no_component_to_its_component(world: World) -> None:
    view = world.view(OPS_BOT)
    view.upsert_user_memory(UserMemory(memory="x", memory_id="m1", user_id="u"))
    view.upsert_trace(trace("t1", session_id="s"))
    assert world.where("memories", "m1") == ["ops"]
    assert world.where("traces", "t1") == ["ops"]


def test_a_view_asks_its_own_database_first_and_the_others_only_then(world: World) -> None:
    fill(world)
    view = world.view(OPS_BOT)
    world.store._directory._places.clear()
    world.forget_counts()
    assert view.get_session("s-ops") is not None
    assert world.counts() == {"ops": 1}
    assert view.get_session("s-helper") is not None
    assert world.counts() == {"ops": 2, "primary": 1, "cheap": 1}


def test_a_turn_of_a_view_touches_one_database(world: World) -> None:
    view = world.view(OPS_BOT)
    world.forget_counts()
    assert view.get_session("new") is None
    view.upsert_session(agent("new", "ops-bot"))
    view.upsert_run(run("r1", "ops-bot"), "new")
    assert view.get_session("new") is not None
    counts = world.counts()
    assert (counts["ops"], counts.get("primary", 0), counts.get("cheap", 0)) == (4, 1, 1)


def test_views_share_what_they_have_seen(world: World) -> None:
    fill(world)
    world.view(CREW).get_session("s-helper")
    world.forget_counts()
    world.db.get_session("s-helper")
    world.view(DIGEST).get_session("s-helper")
    assert world.counts() == {"primary": 2}


def test_a_component_without_a_rule_has_the_view_of_everybody(world: World) -> None:
    view = world.view(Component("agent", "helper"))
    view.upsert_user_memory(UserMemory(memory="x", memory_id="m1", user_id="u"))
    assert world.where("memories", "m1") == ["primary"]


# --- the edges of routes ---


def test_one_database_is_asked_without_a_detour() -> None:
    world = World(Routes((rule("primary"),)))
    world.db.upsert_session(agent("s1", "ops-bot"))
    world.db.upsert_run(run("r1"), "s1")
    world.db.get_session("s1")
    assert world.counts() == {"primary": 3}


def test_a_family_without_a_database_is_not_served() -> None:
    world = World(Routes((rule("primary", "sessions"), rule("ops", component=OPS_BOT))))
    for op in (
        Scan(table="memories"),
        Get(table="memories", key=("m1",)),
        Delete(table="memories", where=eq("memory_id", "m1")),
    ):
        with pytest.raises(RoutingError, match="no database is named for memories"):
            world.db.ask(op)
    world.db.upsert_session(agent("s1"))
    assert world.db.get_session("s1") is not None


def test_tables_are_made_in_every_database_that_can_hold_them(world: World) -> None:
    finish(world.store.create_tables(("sessions", "evals", "schedules")))
    made = {name: finish(each.existing_tables()) for name, each in world.databases.items()}
    assert "agno_sessions" in made["primary"] & made["ops"] & made["cheap"]
    assert "agno_eval_runs" not in made["primary"]
    assert finish(world.store.existing_tables()) == made["primary"] | made["ops"] | made["cheap"]
