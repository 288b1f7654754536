"""Many threads on one queue: each job has one winner, and each session one turn at a time."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.router.families.context import Context
from tests.oracle.conftest import Ours
from tests.oracle.test_jobs import GRACE, job, turn

THREADS = 32
ROUNDS = {"memory": 200, "sqlite": 25, "postgres": 40}
FEW = 3


class Crowd:
    """Threads that call at the same moment, again and again."""

    def __init__(self, queue: Any, pool: ThreadPoolExecutor, rounds: int) -> None:
        self.queue = queue
        self.rounds = rounds
        self._pool = pool

    def at_once(self, *calls: Callable[[], Any]) -> list[Any]:
        """What the calls answer, made by all threads in equal parts."""
        start = threading.Barrier(THREADS)

        def call(number: int) -> Any:
            start.wait()
            return calls[number % len(calls)]()

        return list(self._pool.map(call, range(THREADS)))


@pytest.fixture
def crowd(side: str, our_store: Store) -> Iterator[Crowd]:
    """Threads on an empty queue."""
    ours = Ours(Context(our_store))
    ours.ensure_jobs_table()
    with ThreadPoolExecutor(THREADS) as pool:
        yield Crowd(ours, pool, ROUNDS.get(side, FEW))
    finish(our_store.close())


def old(id_: str, **columns: Any) -> dict[str, Any]:
    """A job that was accepted some time ago."""
    return job(id_, at=int(time.time()) - 100, **columns)


def held(crowd: Crowd, number: int, **columns: Any) -> str:
    """A job of this round's, claimed by `w` in its first attempt."""
    id_ = f"j{number}"
    crowd.queue.enqueue_job(old(id_, **columns))
    assert crowd.queue.claim_job("w", GRACE)["id"] == id_
    return id_


def test_each_job_is_claimed_by_one(crowd: Crowd) -> None:
    queue, claimed = crowd.queue, Counter[str]()
    for number in range(max(2, crowd.rounds // 10)):
        for each in range(THREADS - 8):
            queue.enqueue_job(old(f"{number}-{each}"))
        found = crowd.at_once(lambda: queue.claim_job(threading.current_thread().name, GRACE))
        got = [each for each in found if each is not None]
        claimed.update(each["id"] for each in got)
        assert len(got) == THREADS - 8
        assert {each["attempt"] for each in got} == {1}
    assert set(claimed.values()) == {1}


def test_one_takes_over_from_a_lost_worker(crowd: Crowd) -> None:
    lost = int(time.time()) - 2 * GRACE
    for number in range(crowd.rounds):
        id_ = f"j{number}"
        crowd.queue.enqueue_job(old(id_, status="running", locked_by="dead", locked_at=lost, attempt=1, max_attempts=2))
        found = crowd.at_once(
            lambda: crowd.queue.claim_job("w", GRACE),
            lambda: crowd.queue.complete_job(id_, "dead", 1, "completed") and "dead",  # noqa: B023  # called at once
        )
        assert sum(each is not None and each is not False for each in found) == 1
        crowd.queue.complete_job(id_, "w", 2, "completed")


def test_one_end_is_written(crowd: Crowd) -> None:
    queue = crowd.queue
    for number in range(crowd.rounds):
        id_ = held(crowd, number)
        found = crowd.at_once(
            lambda: queue.complete_job(id_, "w", 1, "completed") and "completed",  # noqa: B023
            lambda: queue.complete_job(id_, "w", 1, "failed", "no") and "failed",  # noqa: B023
            lambda: queue.retry_or_fail_job(id_, "w", 1, "no") and "failed",  # noqa: B023
            lambda: queue.cancel_job(id_) and "never",  # noqa: B023
        )
        (won,) = [each for each in found if each]
        assert queue.get_job(id_)["status"] == won


def test_a_job_is_cancelled_or_claimed_and_never_both(crowd: Crowd) -> None:
    queue = crowd.queue
    for number in range(crowd.rounds):
        id_ = f"j{number}"
        queue.enqueue_job(old(id_))
        found = crowd.at_once(
            lambda: queue.cancel_job(id_) and "cancelled",  # noqa: B023
            lambda: queue.claim_job("w", GRACE) and "running",
        )
        (won,) = [each for each in found if each]
        assert queue.get_job(id_)["status"] == won


def test_a_job_is_queued_again_once(crowd: Crowd) -> None:
    for number in range(crowd.rounds):
        id_ = held(crowd, number)
        crowd.queue.complete_job(id_, "w", 1, "failed", "no")
        assert Counter(crowd.at_once(lambda: crowd.queue.requeue_job(id_)))[True] == 1  # noqa: B023
        assert crowd.queue.claim_job("w", GRACE)["attempt"] == 2
        assert crowd.queue.claim_job("w", GRACE) is None


def test_a_pause_ends_once(crowd: Crowd) -> None:
    queue = crowd.queue
    for number in range(crowd.rounds):
        id_ = held(crowd, number)
        queue.complete_job(id_, "w", 1, "paused")
        found = crowd.at_once(
            lambda: queue.continue_job(id_, {"by": threading.get_ident()})["outcome"],  # noqa: B023
            lambda: queue.settle_paused_job(id_, "completed") and "settled",  # noqa: B023
        )
        assert Counter(each in {"queued", "settled"} for each in found)[True] == 1
        queue.cancel_job(id_)


def test_a_lost_job_is_swept_by_one(crowd: Crowd) -> None:
    lost = int(time.time()) - 2 * GRACE
    for number in range(crowd.rounds):
        id_ = f"j{number}"
        crowd.queue.enqueue_job(old(id_, status="running", locked_by="dead", locked_at=lost, attempt=1))
        found = crowd.at_once(
            lambda: crowd.queue.acquire_sweep(id_, threading.current_thread().name, GRACE),  # noqa: B023
            lambda: crowd.queue.heartbeat_jobs("dead", [id_]) and False,  # noqa: B023
        )
        holder = crowd.queue.get_job(id_)["locked_by"]
        assert Counter(found)[True] == (0 if holder == "dead" else 1)


def test_a_key_is_accepted_once(crowd: Crowd) -> None:
    queue = crowd.queue
    for number in range(crowd.rounds):
        user = "ann" if number % 2 else None

        def submit(key: str = f"k{number}", user: str | None = user) -> dict[str, Any]:
            id_ = f"{key}-{threading.get_ident()}"
            answer: dict[str, Any] = queue.enqueue_job(old(id_, idempotency_key=key, user_id=user))
            return answer

        answers = crowd.at_once(submit)
        assert Counter(each["reason"] for each in answers) == {None: 1, "duplicate": THREADS - 1}
        assert len({each["job"]["id"] for each in answers}) == 1


def test_sessions_have_one_turn_at_a_time_in_the_order_of_acceptance(crowd: Crowd) -> None:
    """Doors accept while workers work, and some turns fail, pause and are tried again."""
    queue, chance = crowd.queue, random.Random(7)
    sessions = 6
    turns = 4 * max(2, crowd.rounds // 25)
    accepted: dict[str, list[str]] = {f"s{number}": [] for number in range(sessions)}
    started: dict[str, list[str]] = {name: [] for name in accepted}
    active: dict[str, str] = {}
    lock, doors = threading.Lock(), {name: threading.Lock() for name in accepted}
    deadline = time.monotonic() + 100

    def door(name: str) -> None:
        for number in range(turns):
            with doors[name]:
                id_ = f"{name}-{chance.randrange(10**9)}-{number}"
                made = turn(id_, name, at=int(time.time()) - chance.randrange(50), max_attempts=3)
                assert queue.enqueue_job(made)["accepted"]
                accepted[name].append(id_)

    def work(worker: str) -> None:
        while len(done) < sessions * turns and time.monotonic() < deadline:
            mine = queue.claim_job(worker, GRACE)
            if mine is None:
                continue
            id_, name, attempt = mine["id"], mine["session_id"], mine["attempt"]
            with lock:
                assert name not in active, f"{id_} of {name} runs beside {active[name]}"
                active[name] = id_
                if attempt == 1:
                    started[name].append(id_)
            time.sleep(chance.random() * 0.002)
            with lock:
                del active[name]
            if attempt == 1 and chance.random() < 0.3:
                assert queue.retry_or_fail_job(id_, worker, attempt, "no", 0) == "queued"
            else:
                assert queue.complete_job(id_, worker, attempt, "completed")
                done.add(id_)

    done: set[str] = set()
    with ThreadPoolExecutor(THREADS) as pool:
        calls = [pool.submit(door, name) for name in accepted]
        calls += [pool.submit(work, f"w{number}") for number in range(12)]
        for each in calls:
            each.result()
    assert started == accepted
    assert queue.queue_stats()["counts"] == {"completed": sessions * turns}


def test_turns_that_are_accepted_at_once_never_overlap(crowd: Crowd) -> None:
    queue = crowd.queue
    for number in range(max(3, crowd.rounds // 5)):
        session = f"s{number}"

        def accept(session: str = session) -> None:
            queue.enqueue_job(turn(f"{session}-{threading.get_ident()}", session, at=int(time.time()) - 9))

        found = crowd.at_once(accept, lambda: queue.claim_job("w", GRACE))
        claimed = [each["id"] for each in found if each is not None]
        assert len(claimed) <= 1
        running, _ = queue.list_jobs(status="running", session_id=session)
        assert [each["id"] for each in running] == claimed
        for each in queue.list_jobs(session_id=session, limit=99)[0]:
            queue.complete_job(each["id"], "w", each["attempt"], "completed")
            queue.cancel_job(each["id"])
