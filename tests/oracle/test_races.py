"""Thirty-two threads on every method that compares and sets: in each round exactly one wins, and the rest are told so.

`make races` plays a thousand rounds of each on memory, and a thousand of all together on each database (DBROUTER_RACES sets
how many times as many rounds as here).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.ops import Delete
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.router.agno_types import (
    AgentSession,
    ComponentType,
    ComponentVersionConflictError,
    RunOutput,
    RunStatus,
    task_run_id,
)
from dbrouter.router.families.context import Context
from tests.families.test_schedules import schedule
from tests.oracle.conftest import Ours
from tests.oracle.test_jobs_at_once import THREADS, Crowd

FACTOR = int(os.environ.get("DBROUTER_RACES", "1"))
ROUNDS = {side: rounds * FACTOR for side, rounds in {"memory": 60, "sqlite": 6, "postgres": 2}.items()}
"""Of each race: with the races below more than a thousand on memory and SQLite together."""

Prepare: TypeAlias = Callable[[Any, int], Any]
"""Makes, in the round of that number, what will be fought for, and answers with what the threads have to know."""


@dataclass(frozen=True)
class Race:
    """What each thread calls with what was prepared and its own number.

    lost: what a loser may be told instead of getting nothing. read_whole: a table that each call reads as a whole, and that
    is emptied before each round, else every round would take longer than the one before.
    """

    prepare: Prepare
    call: Callable[[Any, Any, int], Any]
    lost: tuple[type[Exception], ...] = ()
    read_whole: str | None = None

    def run(self, crowd: Crowd, store: Store, number: int) -> list[Any]:
        """What the winners got."""
        if self.read_whole is not None:
            finish(store.execute(Delete(table=self.read_whole, where=EVERYTHING)))
        prepared = self.prepare(crowd.queue, number)

        def call(thread: int) -> Any:
            try:
                return self.call(crowd.queue, prepared, thread)
            except self.lost:
                return None

        found = crowd.at_once(*(lambda thread=thread: call(thread) for thread in range(THREADS)))
        return [each for each in found if each is not None and each is not False]


def component(db: Any, number: int, *versions: str) -> str:
    """A component with versions in these stages; the first one that is published is current."""
    id_ = f"c{number}"
    db.upsert_component(id_, ComponentType.AGENT)
    for stage in versions:
        db.upsert_config(id_, {"n": 1}, stage=stage)
    return id_


def published(db: Any, number: int) -> str:
    """A component with three published versions, of which the first is current."""
    id_ = component(db, number, "published", "published", "published")
    assert db.set_current_version(id_, 1)
    return id_


def drafted(db: Any, number: int) -> str:
    return component(db, number, "published", "draft")


def archived(db: Any, number: int) -> str:
    id_ = published(db, number)
    assert db.delete_component(id_)
    return id_


def task(db: Any, number: int, **columns: Any) -> str:
    """A task that was proposed."""
    id_ = f"t{number}"
    if number == 0:
        db.create_product({"id": "p", "name": "p", "created_at": 1})
    executor = {"executor_type": "agent", "executor_id": "bot"}
    described = {"id": id_, "product_id": "p", "title": id_, "status": "backlog", "transitions": [], "created_at": 1}
    db.create_task({**described, **executor, **columns})
    return id_


def accepted_task(db: Any, number: int) -> str:
    return task(db, number, status="ready")


def running_task(db: Any, number: int) -> str:
    id_ = accepted_task(db, number)
    assert db.start_task_run(id_, 1, [])["status"] == "in_progress"
    return id_


def project(db: Any, number: int) -> str:
    id_ = f"p{number}"
    if number == 0:
        db.create_product({"id": "p", "name": "p", "created_at": 1})
    described = {"id": id_, "product_id": "p", "name": id_, "status": "proposed", "transitions": [], "created_at": 1}
    db.create_project(described)
    return id_


def routine(db: Any, number: int) -> list[str]:
    """A task for each thread, all proposed by one routine, in several products."""
    products = [f"p{each}" for each in range(4)]
    if number == 0:
        for each in products:
            db.create_product({"id": each, "name": each, "created_at": 1})
    ids = [f"t{number}-{thread}" for thread in range(THREADS)]
    described = {"title": "t", "status": "backlog", "transitions": [], "created_at": 1}
    for thread, id_ in enumerate(ids):
        of = {"product_id": products[thread % len(products)], "routine_id": f"r{number}"}
        db.create_task({"id": id_, **of, **described})
    return ids


def accept(db: Any, ids: list[str], thread: int) -> Any:
    """Accept the thread's task for the routine, which may accept one."""
    number = ids[0].removeprefix("t").partition("-")[0]
    policy = {"routine_id": f"r{number}", "policy": "one", "max_acceptances": 1}
    who = {"executor_type": "agent", "executor_id": "bot"}
    return db.transition_task(ids[thread], "ready", "accepted", **who, expected_updated_at=None, auto_accept=policy)


def transaction(db: Any, number: int) -> str:
    id_ = f"x{number}"
    db.store_mcp_oauth_transaction(
        txn_id=id_, client_id="c", params="{}", expires_at=1_000, now=1, max_pending=1_000_000
    )
    return id_


def code(db: Any, number: int) -> str:
    id_ = f"k{number}"
    db.store_mcp_oauth_code(code_hash=id_, payload="{}", expires_at=1_000, now=1)
    return id_


def refresh_token(db: Any, number: int) -> str:
    id_ = f"h{number}"
    db.store_mcp_oauth_refresh(token_hash=id_, client_id="c", scopes="all", expires_at=1_000, now=1, family_id="f")
    return id_


def due(db: Any, number: int) -> str:
    id_ = f"s{number}"
    db.create_schedule(schedule(id_, next_run_at=1, endpoint=f"/agents/{number}/runs"))
    return id_


def approval(db: Any, number: int) -> str:
    id_ = f"a{number}"
    about = {"run_id": "r", "session_id": "s", "source_type": "agent", "pause_type": "confirmation"}
    db.create_approval({"id": id_, "status": "pending", **about})
    return id_


def session(db: Any, number: int) -> str:
    id_ = f"s{number}"
    db.upsert_session(AgentSession(session_id=id_, agent_id="a", user_id="u", created_at=1))
    return id_


def pending_run(db: Any, number: int) -> str:
    id_ = session(db, number)
    run = RunOutput(run_id=id_, agent_id="a", user_id="u", session_id=id_, status=RunStatus.pending)
    db.upsert_run(run, session_id=id_)
    return id_


def nothing(_: Any, number: int) -> str:
    return f"n{number}"


READY = {"executor_type": "agent", "executor_id": "bot"}
STALE = (ComponentVersionConflictError,)

RACES: dict[str, Race] = {
    "set_current_version": Race(
        published,
        lambda db, id_, thread: db.set_current_version(id_, 2 + thread % 2, expected_current_version=1),
        lost=STALE,
    ),
    "upsert_config, of a draft that is published": Race(
        drafted,
        lambda db, id_, thread: db.upsert_config(id_, {"by": thread}, version=2, stage="published"),
        lost=(ValueError,),
    ),
    "upsert_config, of the latest version": Race(
        published,
        lambda db, id_, thread: db.upsert_config(id_, {"by": thread}, expected_latest_version=3),
        lost=STALE,
    ),
    "create_component_with_config": Race(
        nothing,
        lambda db, id_, thread: db.create_component_with_config(id_, ComponentType.AGENT, None, {"by": thread}),
        lost=(ValueError,),
    ),
    "delete_component": Race(published, lambda db, id_, _: db.delete_component(id_, expected_current_version=1)),
    "delete_component, for good": Race(published, lambda db, id_, _: db.delete_component(id_, hard_delete=True)),
    "restore_component": Race(archived, lambda db, id_, _: db.restore_component(id_)),
    "transition_task": Race(
        task,
        lambda db, id_, _: db.transition_task(id_, "ready", "go", **READY, expected_updated_at=None),
        lost=(ValueError,),
    ),
    "transition_project": Race(
        project,
        lambda db, id_, _: db.transition_project(id_, "active", "go", expected_updated_at=None),
        lost=(ValueError,),
    ),
    "start_task_run": Race(accepted_task, lambda db, id_, _: db.start_task_run(id_, 1, [])),
    "complete_task_run": Race(
        running_task,
        lambda db, id_, thread: db.complete_task_run(id_, task_run_id(id_, 1), {"status": "COMPLETED", "by": thread}),
    ),
    "acceptances of a routine": Race(routine, accept, lost=(ValueError,), read_whole="tasks"),
    "delete_task": Race(task, lambda db, id_, _: db.delete_task(id_)),
    "consume_mcp_oauth_transaction": Race(transaction, lambda db, id_, _: db.consume_mcp_oauth_transaction(id_, 1)),
    "delete_mcp_oauth_code": Race(code, lambda db, id_, _: db.delete_mcp_oauth_code(id_)),
    "delete_mcp_oauth_refresh": Race(refresh_token, lambda db, id_, _: db.delete_mcp_oauth_refresh(id_)),
    "insert_mcp_oauth_key": Race(
        nothing, lambda db, id_, thread: db.insert_mcp_oauth_key(kid=id_, secret=str(thread), created_at=1)
    ),
    "create_service_account": Race(
        nothing,
        lambda db, id_, thread: db.create_service_account(
            {
                "id": f"{id_}-{thread}",
                "name": id_,
                "token_hash": f"{id_}-{thread}",
                "token_prefix": "t",
                "scopes": [],
                "created_at": 1,
            }
        ),
        lost=(Duplicate,),
    ),
    "claim_due_schedule": Race(due, lambda db, _, thread: db.claim_due_schedule(f"w{thread}")),
    "update_approval": Race(
        approval,
        lambda db, id_, thread: db.update_approval(
            id_, expected_status="pending", status=("approved", "rejected")[thread % 2], resolved_by=str(thread)
        ),
    ),
    "cancel_pending_run": Race(
        pending_run, lambda db, id_, _: db.cancel_pending_run(id_, session_id=id_, reason="late", user_id="u")
    ),
    "reassign_session_owner": Race(
        session, lambda db, id_, thread: db.reassign_session_owner(id_, previous_user_id="u", user_id=f"v{thread}")
    ),
    "insert_session_if_absent": Race(
        nothing,
        lambda db, id_, thread: db.insert_session_if_absent(
            AgentSession(session_id=id_, agent_id="a", user_id=f"u{thread}", created_at=1)
        ),
    ),
}


@pytest.fixture
def crowd(side: str, our_store: Store) -> Iterator[Crowd]:
    """Threads on empty tables."""
    with ThreadPoolExecutor(THREADS) as pool:
        yield Crowd(Ours(Context(our_store)), pool, ROUNDS[side])
    finish(our_store.close())


@pytest.mark.parametrize("name", RACES)
def test_one_wins(crowd: Crowd, our_store: Store, name: str) -> None:
    for number in range(crowd.rounds):
        winners = RACES[name].run(crowd, our_store, number)
        assert len(winners) == 1, (number, winners)


def test_the_races_are_long_enough() -> None:
    assert (ROUNDS["memory"] + ROUNDS["sqlite"]) * len(RACES) >= 1_000


def test_a_client_of_mcp_is_used_up_by_the_first(crowd: Crowd) -> None:
    db = crowd.queue
    for number in range(crowd.rounds):
        client = {"client_id": f"c{number}", "client_metadata": "{}", "now": 1, "unconsumed_ttl": 9, "max_clients": 9}
        assert db.create_mcp_oauth_client(**client)
        crowd.at_once(lambda: db.mark_mcp_oauth_client_consumed(client["client_id"], 2))  # noqa: B023
        # Those that are used up do not count, and never go.
        assert db.get_mcp_oauth_client(client["client_id"]) == "{}"
    client["client_id"] = "one more"
    assert db.create_mcp_oauth_client(**{**client, "max_clients": 1, "now": 100})
    assert not db.create_mcp_oauth_client(**{**client, "client_id": "too many", "max_clients": 1, "now": 100})


def test_of_roles_that_are_set_at_once_one_remains(crowd: Crowd) -> None:
    db = crowd.queue
    for number in range(crowd.rounds):
        roles = [f"r{number}-{thread}" for thread in range(4)]
        crowd.at_once(*(lambda role=role: db.replace_authz_subject_roles("ann", role) for role in roles))
        (role,) = db.get_authz_direct_roles("ann")
        assert role in roles


def test_of_policies_that_are_set_at_once_those_of_one_remain(crowd: Crowd) -> None:
    db = crowd.queue
    for number in range(crowd.rounds):
        sets = [[(f"{number}-{of}-{each}", "read", "allow") for each in range(3)] for of in range(4)]
        crowd.at_once(*(lambda rows=rows: db.set_authz_role_policies("editor", rows) for rows in sets))
        assert sorted(db.get_authz_role_policies("editor")) in sets


def test_a_proposal_that_comes_many_times_at_once_is_one_task(crowd: Crowd) -> None:
    db = crowd.queue
    db.create_product({"id": "p", "name": "p", "created_at": 1})
    for number in range(crowd.rounds):
        described = {"product_id": "p", "title": "t", "status": "backlog", "created_at": 1, "dedupe_key": f"k{number}"}
        proposals = [{"id": f"{number}-{thread}", **described} for thread in range(4)]
        found = crowd.at_once(*(lambda each=each: db.create_task(each)["id"] for each in proposals))
        assert len({*found}) == 1
        assert db.get_tasks(limit=100)[1] == number + 1


def test_an_assigned_role_is_assigned_once(crowd: Crowd) -> None:
    db = crowd.queue
    for number in range(crowd.rounds):
        crowd.at_once(lambda: db.assign_authz_role("ann", f"r{number}"))  # noqa: B023
        assert len(db.get_authz_direct_roles("ann")) == number + 1
