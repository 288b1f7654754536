"""The durable queue as agno's own keep it: its Postgres class, and its contract reference in memory.

Beside memory and SQLite, for which agno has no queue in a database, stands `InMemoryQueueStore`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from agno.db.postgres import PostgresDb
from agno.db.postgres import postgres as agno_postgres
from agno.job_queue import store as agno_reference
from agno.job_queue.store import InMemoryQueueStore

from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.router.families.context import Context
from tests.backends.places import Place
from tests.oracle.conftest import Both, Clock, Ours

GRACE = 30


class InOneProcess:
    """agno's contract reference, as plain methods. It is no database, so it has no table to make."""

    def __init__(self) -> None:
        self._store = InMemoryQueueStore()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)
        return lambda *args, **kwargs: asyncio.run(method(*args, **kwargs))


@pytest.fixture
def queue(side: str, place: Place, our_store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    """agno's queue and ours, both empty, with one clock."""
    clock = Clock()
    its_time = SimpleNamespace(**{**vars(time), "time": clock})
    ours = Ours(Context(our_store, now=clock))
    if side == "postgres":
        url = place.settings()["url"].replace("postgresql:", "postgresql+psycopg:")
        agno: Any = PostgresDb(db_url=url, db_schema=place.name)
        agno.ensure_jobs_table()
        # It asks the database for the time.
        monkeypatch.setattr(agno_postgres, "_db_epoch", clock)
        monkeypatch.setattr(agno_postgres, "time", its_time)
    else:
        agno = InOneProcess()
        monkeypatch.setattr(agno_reference, "time", its_time)
    ours.ensure_jobs_table()
    yield Both(agno, ours, clock)
    if side == "postgres":
        agno.close()
    finish(our_store.close())


def job(id_: str, **columns: Any) -> dict[str, Any]:
    """A job as AgentOS accepts it, with every column."""
    now = columns.pop("at", 1_700_000_000)
    return {
        "id": id_,
        "component_type": "agent",
        "job_type": "run",
        "deployment_id": None,
        "component_id": "clerk",
        "session_id": f"session of {id_}",
        "user_id": None,
        "payload": {"input": "add 3", "kwargs": {"a": [1, None, "é"]}},
        "status": "queued",
        "attempt": 0,
        "max_attempts": 1,
        "idempotency_key": None,
        "available_at": now,
        "locked_by": None,
        "locked_at": None,
        "error": None,
        "created_at": now,
        "updated_at": now,
        "completed_at": None,
        **columns,
    }


def turn(id_: str, session: str = "s", **columns: Any) -> dict[str, Any]:
    """A job that waits for the others of its session."""
    return job(id_, session_id=session, payload={"input": id_, "serialize_session": True}, **columns)


def same_rows(both: Both, *ids: str) -> None:
    """Both hold the same jobs."""
    for each in ids:
        both.get_job(each)
        both.get_job(each, strict=True)
    both.queue_stats()
    both.count_queued_jobs()


def test_a_job_is_accepted_claimed_and_completed(queue: Both) -> None:
    queue.enqueue_job(job("a", user_id="ann"))
    same_rows(queue, "a", "nobody")
    assert queue.claim_job("w1", GRACE)["attempt"] == 1
    assert queue.claim_job("w2", GRACE) is None
    same_rows(queue, "a")
    queue.clock.tick(10)
    assert queue.heartbeat_jobs("w1", ["a", "nobody"]) == 1
    assert queue.heartbeat_jobs("w2", ["a"]) == 0
    assert queue.heartbeat_jobs("w1", []) == 0
    same_rows(queue, "a")
    assert queue.complete_job("a", "w2", 1, "completed") is False
    assert queue.complete_job("a", "w1", 2, "completed") is False
    assert queue.complete_job("a", "w1", 1, "completed", "a note") is True
    assert queue.complete_job("a", "w1", 1, "failed") is False
    same_rows(queue, "a")


def test_the_oldest_is_claimed_first_and_ids_break_ties(queue: Both) -> None:
    for each in (job("c", created_at=5), job("b", created_at=5), job("a", created_at=9), job("d", created_at=1)):
        queue.enqueue_job(each)
    assert [queue.claim_job("w", GRACE)["id"] for _ in range(4)] == ["d", "b", "c", "a"]


def test_one_is_found_behind_any_number_that_cannot_be_executed(queue: Both) -> None:
    for number in range(50):
        queue.enqueue_job(turn(f"t{number:02}", created_at=number))
    queue.enqueue_job(job("free", created_at=99))
    assert queue.claim_job("w", GRACE)["id"] == "t00"
    assert queue.claim_job("w", GRACE)["id"] == "free"
    assert queue.claim_job("w", GRACE) is None


def test_a_worker_gets_jobs_of_its_deployment_and_of_none(queue: Both) -> None:
    for each in (job("blue", deployment_id="blue"), job("plain", created_at=1_700_000_001)):
        queue.enqueue_job(each)
    queue.clock.tick()
    assert queue.claim_job("w", GRACE, "green")["id"] == "plain"
    assert queue.claim_job("w", GRACE) is None
    assert queue.claim_job("w", GRACE, "blue")["id"] == "blue"


def test_a_key_is_accepted_once_per_user_even_if_the_queue_is_full(queue: Both) -> None:
    answers = [
        queue.enqueue_job(job(id_, user_id=user, idempotency_key=key), max_depth=depth)
        for id_, user, key, depth in (
            ("a", "ann", "k", 0),
            ("b", "ann", "k", 1),
            ("c", "bob", "k", 1),
            ("d", "bob", "k", 2),
            ("e", None, "k", 0),
            ("f", None, "k", 0),
            ("g", None, "", 0),
            ("h", None, "", 0),
        )
    ]
    assert [each["reason"] for each in answers] == [
        None, "duplicate", "queue_full", None, None, "duplicate", None, None
    ]  # fmt: skip
    same_rows(queue, *"abcdefgh")


def test_a_taken_id_is_no_duplicate_submission(queue: Both) -> None:
    queue.enqueue_job(job("a"))
    for side in (queue.agno, queue.ours):
        with pytest.raises(Exception, match=r"exist|unique|same"):
            side.enqueue_job(job("a"))


def test_a_failure_is_retried_until_the_attempts_are_over(queue: Both) -> None:
    queue.enqueue_job(job("a", max_attempts=2))
    queue.claim_job("w", GRACE)
    assert queue.retry_or_fail_job("a", "other", 1, "no") is None
    assert queue.retry_or_fail_job("a", "w", 1, "no", retry_delay_seconds=7) == "queued"
    same_rows(queue, "a")
    assert queue.claim_job("w", GRACE) is None
    queue.clock.tick(7)
    assert queue.claim_job("w", GRACE)["attempt"] == 2
    assert queue.retry_or_fail_job("a", "w", 2, "no again") == "failed"
    same_rows(queue, "a")
    assert queue.requeue_job("a") is True
    assert queue.requeue_job("a") is False
    same_rows(queue, "a")
    assert queue.claim_job("w", GRACE)["attempt"] == 3
    assert queue.retry_or_fail_job("a", "w", 3, "and again") == "failed"


def test_a_lost_workers_job_goes_to_another_while_attempts_are_left(queue: Both) -> None:
    queue.enqueue_job(job("again", max_attempts=2))
    queue.enqueue_job(job("once", created_at=1_700_000_001, available_at=0))
    queue.claim_job("dead", GRACE)
    queue.claim_job("dead", GRACE)
    queue.clock.tick(GRACE - 1)
    assert queue.claim_job("w", GRACE) is None
    assert queue.sweep_exhausted_jobs(GRACE) == []
    queue.clock.tick()
    assert queue.claim_job("w", GRACE)["id"] == "again"
    assert queue.complete_job("again", "dead", 1, "completed") is False
    assert queue.claim_job("w", GRACE) is None
    assert [each["id"] for each in queue.sweep_exhausted_jobs(GRACE)] == ["once"]
    assert queue.acquire_sweep("again", "w", GRACE) is False
    assert queue.acquire_sweep("nobody", "w", GRACE) is False
    assert queue.acquire_sweep("once", "w", GRACE) is True
    assert queue.acquire_sweep("once", "x", GRACE) is False
    same_rows(queue, "again", "once")
    assert queue.settle_swept_job("once", "x", "failed") is False
    assert queue.settle_swept_job("once", "w", "queued") is False
    assert queue.settle_swept_job("once", "w", "failed", "lost") is True
    assert queue.complete_job("once", "dead", 1, "completed") is False
    same_rows(queue, "again", "once")


def test_the_longest_lost_are_swept_first_and_not_more_than_asked_for(queue: Both) -> None:
    for number in range(45):
        queue.enqueue_job(job(f"j{number:02}", max_attempts=1 + number % 2, created_at=number))
        queue.claim_job("dead", 1000)
        queue.clock.tick()
    queue.clock.tick(GRACE)
    assert len(queue.sweep_exhausted_jobs(GRACE)) == 20
    assert [each["id"] for each in queue.sweep_exhausted_jobs(GRACE, limit=3)] == ["j00", "j02", "j04"]
    assert len(queue.sweep_exhausted_jobs(GRACE, limit=100)) == 23


def test_what_waits_can_be_cancelled_and_what_runs_cannot(queue: Both) -> None:
    for each in ("queued", "running", "paused"):
        queue.enqueue_job(job(each, created_at={"paused": 1, "running": 2, "queued": 3}[each]))
    queue.claim_job("w", GRACE)
    queue.complete_job("paused", "w", 1, "paused")
    queue.claim_job("w", GRACE)
    assert [queue.cancel_job(each) for each in ("queued", "running", "paused", "nobody")] == [True, False, True, False]
    assert queue.cancel_job("queued") is False
    same_rows(queue, "queued", "running", "paused")


def test_a_paused_job_is_continued_with_the_last_inputs_only(queue: Both) -> None:
    queue.enqueue_job(job("a"))
    assert queue.continue_job("a", {"tools": 1})["outcome"] == "attach"
    queue.claim_job("w", GRACE)
    assert queue.continue_job("a", {"tools": 1})["outcome"] == "attach"
    queue.complete_job("a", "w", 1, "paused")
    same_rows(queue, "a")
    queue.clock.tick()
    assert queue.continue_job("a", {"tools": 2, "user": "ann"})["outcome"] == "queued"
    assert queue.continue_job("a", {"tools": 3})["outcome"] == "attach"
    queue.claim_job("w", GRACE)
    queue.complete_job("a", "w", 2, "paused")
    assert queue.continue_job("a", {"tools": 4})["job"]["payload"]["continue"] == {"tools": 4}
    queue.claim_job("w", GRACE)
    queue.complete_job("a", "w", 3, "completed")
    assert queue.continue_job("a", {"tools": 5})["outcome"] == "conflict"
    assert queue.continue_job("nobody", {}) == {"outcome": "conflict", "job": None}
    same_rows(queue, "a")


def test_a_paused_job_is_settled_by_whoever_continued_it_outside(queue: Both) -> None:
    queue.enqueue_job(job("a"))
    queue.claim_job("w", GRACE)
    assert queue.settle_paused_job("a", "completed") is False
    queue.complete_job("a", "w", 1, "paused")
    assert queue.settle_paused_job("a", "paused") is False
    assert queue.settle_paused_job("a", "failed", "no") is True
    assert queue.settle_paused_job("a", "completed") is False
    same_rows(queue, "a")


def test_a_session_has_one_turn_at_a_time_in_the_order_of_acceptance(queue: Both) -> None:
    # The clock of the door that accepted the second was behind.
    for each in (turn("z", created_at=9), turn("a", created_at=1), turn("m", created_at=5), turn("other", "t")):
        queue.enqueue_job(each)
    same_rows(queue, "z", "a", "m", "other")
    assert [queue.session_blocker(each) for each in ("z", "a", "m", "other", "nobody")] == [None, "z", "z", None, None]
    assert queue.claim_job("w", GRACE)["id"] == "z"
    assert queue.claim_job("w", GRACE)["id"] == "other"
    assert queue.claim_job("w", GRACE) is None
    queue.complete_job("z", "w", 1, "paused")
    assert queue.session_blocker("a") == "z"
    assert queue.claim_job("w", GRACE) is None
    queue.cancel_job("z")
    assert queue.claim_job("w", GRACE)["id"] == "a"
    assert queue.session_blocker("a") is None
    queue.retry_or_fail_job("a", "w", 1, "no")
    # Behind those that were accepted meanwhile.
    queue.requeue_job("z")
    same_rows(queue, "z", "a", "m")
    assert [queue.claim_job("w", GRACE)["id"] for _ in range(1)] == ["m"]
    queue.complete_job("m", "w", 1, "completed")
    assert queue.claim_job("w", GRACE)["id"] == "z"


def test_only_jobs_that_ask_for_it_wait_for_their_session(queue: Both) -> None:
    for each in (turn("first"), job("free", session_id="s", created_at=1_700_000_001), turn("second", created_at=2)):
        queue.enqueue_job(each)
    queue.clock.tick()
    assert [queue.claim_job("w", GRACE) and "claimed" for _ in range(3)] == ["claimed", "claimed", None]
    same_rows(queue, "first", "free", "second")


def test_a_turn_that_is_tried_again_keeps_its_place(queue: Both) -> None:
    for each in (turn("first", max_attempts=2), turn("second")):
        queue.enqueue_job(each)
    queue.claim_job("w", GRACE)
    queue.retry_or_fail_job("first", "w", 1, "no", retry_delay_seconds=5)
    assert queue.claim_job("w", GRACE) is None
    queue.clock.tick(5)
    assert queue.claim_job("w", GRACE)["id"] == "first"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"status": "queued"},
        {"status": ["queued", "cancelled"]},
        {"status": []},
        {"session_id": "session of b"},
        {"session_id": ["session of b", "session of c"]},
        {"user_id": "ann"},
        {"user_id": ""},
        {"limit": 2},
        {"limit": 2, "page": 2},
        {"limit": 2, "page": 0},
        {"limit": 2, "page": 9},
        {"sort_order": "asc"},
        {"sort_by": "updated_at"},
        {"sort_by": "updated_at", "sort_order": "asc", "limit": 3},
        {"sort_by": "id", "sort_order": "asc"},
        {"sort_by": "id"},
        {"status": "queued", "user_id": "ann", "raise_on_error": True},
    ],
)
def test_listings_agree(queue: Both, asked: dict[str, Any]) -> None:
    users = {"a": "ann", "b": "ann", "c": "", "d": None, "e": "bob"}
    for number, (id_, user) in enumerate(users.items()):
        updated = None if id_ == "d" else 100 - number
        queue.enqueue_job(job(id_, user_id=user, created_at=number, updated_at=updated))
    queue.cancel_job("b")
    queue.list_jobs(**asked)


def test_old_jobs_are_deleted_when_they_are_at_their_end(queue: Both) -> None:
    for number, status in enumerate(("completed", "failed", "cancelled", "paused", "queued", "running")):
        at_its_end = None if status in {"queued", "running"} else 1_700_000_000
        queue.enqueue_job(job(status, status=status, created_at=number, completed_at=at_its_end))
    queue.enqueue_job(job("fresh", status="completed", completed_at=1_700_000_050))
    queue.clock.tick(100)
    assert queue.cleanup_jobs(101) == 0
    assert queue.cleanup_jobs(100) == 3
    assert queue.list_jobs()[1] == 4
    same_rows(queue, "paused", "queued", "running", "fresh", "failed")


@pytest.mark.parametrize("seed", range(4))
def test_any_calls_in_any_order_are_answered_as_agno_does(queue: Both, seed: int) -> None:
    chance = random.Random(seed)
    ids = [f"j{number}" for number in range(12)]
    claims: list[tuple[str, str, int]] = [("j0", "w1", 1)]

    def claim() -> None:
        worker = chance.choice(["w1", "w2"])
        claimed = queue.claim_job(worker, GRACE, chance.choice([None, "blue"]))
        if claimed is not None:
            claims.append((claimed["id"], worker, claimed["attempt"]))

    def accept() -> None:
        known = {each["id"] for each in queue.list_jobs(limit=99, sort_by="id", sort_order="asc")[0]}
        free = [each for each in ids if each not in known]
        if free:
            made = chance.choice([job, lambda id_, **given: turn(id_, chance.choice("st"), **given)])
            queue.enqueue_job(
                made(
                    chance.choice(free),
                    at=queue.clock() - chance.randrange(3),
                    max_attempts=chance.randrange(1, 4),
                    deployment_id=chance.choice([None, None, "blue"]),
                    idempotency_key=chance.choice([None, "k", "l"]),
                    user_id=chance.choice([None, "ann"]),
                ),
                max_depth=chance.choice([0, 6]),
            )

    def held() -> tuple[str, str, int]:
        return chance.choice(claims[-4:])

    calls: list[Callable[[], Any]] = [
        accept,
        accept,
        claim,
        claim,
        claim,
        lambda: queue.complete_job(*held(), chance.choice(["completed", "failed", "paused", "cancelled"])),
        lambda: queue.retry_or_fail_job(*held(), "no", chance.randrange(20)),
        lambda: queue.heartbeat_jobs(chance.choice(["w1", "w2"]), chance.sample(ids, 4)),
        lambda: queue.cancel_job(chance.choice(ids)),
        lambda: queue.requeue_job(chance.choice(ids)),
        lambda: queue.continue_job(chance.choice(ids), {"n": chance.randrange(99)}),
        lambda: queue.settle_paused_job(chance.choice(ids), "completed"),
        lambda: queue.acquire_sweep(chance.choice(ids), chance.choice(["w1", "w2"]), GRACE),
        lambda: queue.settle_swept_job(*held()[:2], chance.choice(["failed", "paused", "completed"])),
        lambda: {each["id"] for each in queue.sweep_exhausted_jobs(GRACE)},
        lambda: queue.session_blocker(chance.choice(ids)),
        lambda: queue.cleanup_jobs(chance.choice([20, 60])),
        lambda: queue.clock.tick(chance.choice([1, 5, 40])),
    ]
    for _ in range(250):
        chance.choice(calls)()
        queue.queue_stats()
    queue.list_jobs(limit=99, sort_by="id", sort_order="asc")
