"""Tenants take turns at a database; threads and tasks, floods, cancellations, errors."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import time
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Conflict, LimitExceeded, Unavailable
from dbrouter.backends.kernel.ops import Get, Op
from dbrouter.backends.kernel.places import RECENTLY, Places
from dbrouter.backends.kernel.running import AsyncRuntime, BlockingRuntime, finish
from dbrouter.policies.limits.fairness import FairGate
from tests.waiting import until

OP = Get(table="sessions", key=("s",))
LONG = 20.0


class SlowTasks:
    """A store whose calls end when the test says so; it notes in which order they began."""

    def __init__(self) -> None:
        self.runtime = AsyncRuntime()
        self.begun: list[str] = []
        self._ends: list[asyncio.Future[None]] = []

    def of(self, tenant: str, gate: FairGate) -> Any:
        return gate.of(_Named(self, tenant), tenant)  # type: ignore[arg-type]

    async def one_ends(self) -> None:
        self._ends.pop(0).set_result(None)
        await settled()

    async def called(self, name: str) -> None:
        self.begun.append(name)
        end = asyncio.get_running_loop().create_future()
        self._ends.append(end)
        await end


class _Named:
    def __init__(self, slow: SlowTasks, name: str) -> None:
        self.runtime = slow.runtime
        self._slow = slow
        self._name = name

    async def execute(self, _: Op[Any]) -> None:
        await self._slow.called(self._name)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def flood(slow: SlowTasks, gate: FairGate, tenant: str, calls: int) -> list[asyncio.Task[Any]]:
    store = slow.of(tenant, gate)
    tasks = [asyncio.create_task(store.execute(OP)) for _ in range(calls)]
    await settled()
    return tasks


def test_a_tenant_with_a_thousand_calls_gets_its_turn_as_often_as_one_with_three() -> None:
    async def story() -> list[str]:
        slow, gate = SlowTasks(), FairGate("db", 1, blocking=False)
        tasks = await flood(slow, gate, "flood", 1000)
        for tenant in ("a", "b"):
            tasks += await flood(slow, gate, tenant, 3)
        while len(slow.begun) < len(tasks):
            await slow.one_ends()
        await slow.one_ends()
        await asyncio.gather(*tasks)
        return slow.begun

    begun = asyncio.run(story())
    assert begun[:9] == ["flood", "a", "b"] * 3
    assert begun[9:] == ["flood"] * 997


def test_a_quiet_tenant_finds_a_place_kept_free_from_the_flood() -> None:
    async def story() -> None:
        slow, gate = SlowTasks(), FairGate("db", 4, blocking=False)
        tasks = await flood(slow, gate, "flood", 100)
        assert slow.begun == ["flood"] * 3
        tasks += await flood(slow, gate, "quiet", 1)
        assert slow.begun == ["flood"] * 3 + ["quiet"]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert gate.places.parties == 0

    asyncio.run(story())


def test_beside_others_a_flood_of_slow_calls_has_half_of_the_places_at_most() -> None:
    async def story() -> None:
        slow, gate = SlowTasks(), FairGate("db", 5, blocking=False)
        tasks = await flood(slow, gate, "flood", 100)
        assert gate.places.holds("flood") == 4, "alone, it has all but the one that is kept"
        tasks += await flood(slow, gate, "quiet", 1)
        for _ in range(3):
            await slow.one_ends()
        assert gate.places.holds("flood") == 2
        # Nothing of the flood ends any more; what others ask for at once is begun all the same.
        tasks += await flood(slow, gate, "quiet", 1)
        tasks += await flood(slow, gate, "another", 1)
        assert slow.begun[-3:] == ["flood", "quiet", "another"]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert gate.places.parties == 0

    asyncio.run(story())


def test_a_flood_has_all_places_again_when_the_others_were_quiet_for_a_while_and_in_order() -> None:
    async def story() -> None:
        places = Places(4, blocking=False, share=2)
        assert places.enter("quiet")
        places.leave("quiet")
        assert places.enter("flood")
        assert places.enter("flood")
        assert not places.enter("flood"), "the other one was here a moment ago"
        first = asyncio.create_task(places.wait("flood", LONG))
        await asyncio.sleep(RECENTLY + 0.05)
        assert not first.done(), "nothing has ended, so nobody asked again"
        assert not places.enter("flood"), "not before the one that waits"
        second = asyncio.create_task(places.wait("flood", LONG))
        assert await first
        assert await second
        assert places.holds("flood") == 4

    asyncio.run(story())


def test_the_next_place_goes_to_the_tenant_that_holds_the_fewest() -> None:
    async def story() -> None:
        slow, gate = SlowTasks(), FairGate("db", 4, blocking=False, kept=0)
        tasks = await flood(slow, gate, "slow", 10)  # holds all four
        tasks += await flood(slow, gate, "other", 10)
        for _ in range(2):
            await slow.one_ends()
        # Two places each now; from here they alternate.
        assert slow.begun == ["slow"] * 4 + ["other"] * 2
        assert gate.places.holds("slow") == gate.places.holds("other") == 2
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(story())


def test_a_cancelled_call_gives_its_turn_to_the_next_even_if_it_was_just_told() -> None:
    async def story() -> None:
        slow, gate = SlowTasks(), FairGate("db", 1, blocking=False)
        (first,) = await flood(slow, gate, "a", 1)
        (second,) = await flood(slow, gate, "b", 1)
        (third,) = await flood(slow, gate, "c", 1)
        gate.places.leave("a")  # b is told, and cancelled before its task runs again
        second.cancel()
        await settled()
        assert slow.begun == ["a", "c"]
        assert gate.places.holds("b") == gate.places.waits("b") == 0
        third.cancel()
        await asyncio.gather(second, third, return_exceptions=True)
        assert gate.places.enter("a"), "the place is free again"
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    asyncio.run(story())


def test_tasks_of_a_loop_that_was_closed_under_them_block_nobody() -> None:
    places = Places(1, blocking=False)
    assert places.enter("a")
    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(places.wait("gone", LONG)) for _ in range(3000)]
    loop.run_until_complete(asyncio.sleep(0))
    assert places.waits("gone") == 3000
    loop.close()

    async def after() -> bool:
        waiting = asyncio.create_task(places.wait("alive", LONG))
        await asyncio.sleep(0)
        places.leave("a")
        return await waiting

    assert asyncio.run(after())
    places.leave("alive")
    # The dead ones passed the place on, each to the next, and nothing of them is left.
    assert places.parties == 0
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    del tasks, task
    gc.collect()
    assert places.enter("b")


def test_who_waits_too_long_for_its_own_calls_is_told_so_and_when_to_come_back() -> None:
    async def story() -> None:
        slow, gate = SlowTasks(), FairGate("primary", 1, blocking=False, deadline=0.01)
        (first,) = await flood(slow, gate, "acme", 1)
        with pytest.raises(LimitExceeded, match="'acme' has 1 calls under way in primary") as refused:
            await slow.of("acme", gate).execute(OP)
        assert refused.value.retry_after == 0.01
        assert refused.value.retryable
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert gate.places.parties == 0

    asyncio.run(story())


def test_who_waits_too_long_for_others_is_told_that_the_database_is_slow() -> None:
    async def story() -> None:
        slow, gate = SlowTasks(), FairGate("primary", 1, blocking=False, deadline=0.01)
        (first,) = await flood(slow, gate, "other", 1)
        with pytest.raises(Unavailable, match="primary: all 1 places were busy"):
            await slow.of("acme", gate).execute(OP)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    asyncio.run(story())


class SlowThreads:
    """A blocking store that counts how many are in it at once."""

    def __init__(self, fails: bool = False) -> None:
        self.runtime = BlockingRuntime()
        self.inside = 0
        self.most = 0
        self.done = 0
        self._fails = fails
        self._lock = threading.Lock()

    async def execute(self, _: Op[Any]) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(random.random() / 2000)  # noqa: ASYNC251  # this store blocks
        with self._lock:
            self.inside -= 1
            self.done += 1
        if self._fails:
            raise Conflict("as told")


def test_many_threads_share_few_places_and_none_is_forgotten() -> None:
    slow = SlowThreads()
    gate = FairGate("db", 3, blocking=True, deadline=LONG)
    errors: list[BaseException] = []

    def calls(tenant: str) -> None:
        store = gate.of(slow, tenant)  # type: ignore[arg-type]
        try:
            for _ in range(40):
                finish(store.execute(OP))
        except BaseException as error:  # noqa: BLE001  # shown by the test
            errors.append(error)

    threads = [threading.Thread(target=calls, args=(f"t{number % 5}",)) for number in range(25)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LONG)
    assert errors == []
    assert slow.done == 25 * 40
    assert slow.most == 3
    assert gate.places.parties == 0


def test_a_thread_waits_its_turn_and_gives_up_at_the_deadline() -> None:
    gate = FairGate("db", 1, blocking=True, deadline=0.02)
    slow = SlowThreads()
    assert gate.places.enter("other")
    with pytest.raises(Unavailable, match=r"for 0\.02 s"):
        finish(gate.of(slow, "acme").execute(OP))  # type: ignore[arg-type]
    gate.places.leave("other")
    finish(gate.of(slow, "acme").execute(OP))  # type: ignore[arg-type]
    assert gate.places.parties == 0


def test_a_call_that_fails_gives_its_place_back() -> None:
    gate = FairGate("db", 1, blocking=True, deadline=0.02)
    store = gate.of(SlowThreads(fails=True), "acme")  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(Conflict):
            finish(store.execute(OP))
    assert gate.places.parties == 0


def test_tasks_of_two_loops_share_the_places() -> None:
    """A trace writer has an event loop of its own beside the application's."""
    places = Places(2, blocking=False)
    inside, most, lock = 0, 0, threading.Lock()

    async def call(party: str) -> None:
        nonlocal inside, most
        if not places.enter(party):
            assert await places.wait(party, LONG)
        with lock:
            inside += 1
            most = max(most, inside)
        await asyncio.sleep(random.random() / 2000)
        with lock:
            inside -= 1
        places.leave(party)

    async def many(party: str) -> None:
        await asyncio.gather(*(call(f"{party}{number % 3}") for number in range(300)))

    threads = [threading.Thread(target=lambda name=name: asyncio.run(many(name))) for name in ("x", "y")]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LONG)
        assert not each.is_alive(), "somebody was never woken"
    assert most == 2
    assert places.parties == 0


def test_tasks_cancelled_at_random_lose_no_place_and_wake_everybody() -> None:
    async def story(seed: int) -> None:
        chance = random.Random(seed)
        places = Places(3, blocking=False, kept=1)
        done = 0

        async def call(party: str) -> None:
            nonlocal done
            if not places.enter(party):
                assert await places.wait(party, LONG)
            try:
                await asyncio.sleep(0 if chance.random() < 0.5 else 0.0005)
                done += 1
            finally:
                places.leave(party)

        tasks = [asyncio.create_task(call(f"t{number % 7}")) for number in range(400)]
        victims = chance.sample(tasks, 200)
        for each in victims:
            await asyncio.sleep(0)
            each.cancel()
        outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), LONG)
        lost = sum(isinstance(each, asyncio.CancelledError) for each in outcomes)
        assert done + lost == 400
        assert all(each is None or isinstance(each, asyncio.CancelledError) for each in outcomes)
        assert places.parties == 0
        assert all(places.enter(name) for name in "abc"), "all places are free again"

    for seed in range(10):
        asyncio.run(story(seed))


def test_an_interrupted_thread_gives_its_place_to_the_next() -> None:
    class Interrupted(BaseException):
        pass

    places = Places(1, blocking=True)
    assert places.enter("a")
    coroutine = places.wait("b", LONG)
    started = threading.Event()
    outcome: list[bool] = []

    def waits() -> None:
        started.set()
        outcome.append(finish(places.wait("c", LONG)))

    thread = threading.Thread(target=waits)
    original = Places._wake

    def interrupted(self: Places, woken: Any) -> None:
        original(self, woken)
        raise Interrupted

    Places._wake = interrupted  # type: ignore[method-assign]
    try:
        with pytest.raises(Interrupted):
            coroutine.send(None)
    finally:
        Places._wake = original  # type: ignore[method-assign]
    assert places.waits("b") == 0
    thread.start()
    until(lambda: places.waits("c") == 1)
    places.leave("a")
    thread.join(LONG)
    assert outcome == [True]


def test_tenants_who_rest_cost_no_memory() -> None:
    gate = FairGate("db", 2, blocking=True)
    slow = SlowThreads()
    for number in range(500):
        finish(gate.of(slow, f"tenant {number}").execute(OP))  # type: ignore[arg-type]
    assert gate.places.parties == 0


def test_who_comes_again_and_again_does_not_overtake_who_waits() -> None:
    places = Places(1, blocking=True)
    outcome: list[bool] = []
    assert places.enter("all")
    thread = threading.Thread(target=lambda: outcome.append(finish(places.wait("all", LONG))))
    thread.start()
    until(lambda: places.waits("all") == 1)
    places.leave("all")
    assert not places.enter("all"), "the place was the waiting thread's at once"
    thread.join(LONG)
    assert outcome == [True]
