"""Bindings: what they cross, what they do not, and what they refuse."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dbrouter import ALL, TenantLocked, UnknownTenant, tenant
from dbrouter.router.tenancy.binding import Bound, bind, claimed, current, nothing_claimed
from dbrouter.router.tenancy.request import Request, current_request, refused
from dbrouter.router.tenancy.thread_pools import carrying, forget_tenants, keep_tenants

HOSTILE = ("a/b", "a\0", "a", "ALL", "all", "аcme", "\ud800", "'; drop table x --", "{tenant}", " ", "None", "a" * 5000)


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in an event loop, in the context of its fixtures."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


@pytest.fixture(autouse=True)
def _nothing_is_bound() -> Iterator[None]:
    assert current() is None
    yield
    assert current() is None


def bound() -> Any:
    """Whom the context is bound to."""
    binding = current()
    return binding.whose if isinstance(binding, Bound) else binding


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_but_two_can_be_bound_and_is_bound_as_it_is(name: str) -> None:
    with tenant(name):
        assert bound() == name
        assert bound() is not ALL
    assert bound() is None


@pytest.mark.parametrize("name", ["", "*"])
def test_no_tenant_has_the_empty_name_or_that_of_all_others(name: str) -> None:
    with pytest.raises(UnknownTenant):
        tenant(name)


@pytest.mark.parametrize("name", [None, 1, b"acme", ("acme",)])
def test_a_name_is_text(name: Any) -> None:
    with pytest.raises(TypeError):
        tenant(name)


def test_no_text_is_all_tenants() -> None:
    for name in ("ALL", "all", "All.ALL", repr(ALL), str(ALL)):
        assert name != ALL
        with tenant(name), pytest.raises(TenantLocked), tenant(ALL):
            pass


def test_the_same_tenant_may_be_bound_within_and_another_may_not() -> None:
    with tenant("acme"):
        with tenant("acme"):
            pass
        for other in ("globex", "acm", "acme ", "ACME", ALL):
            with pytest.raises(TenantLocked), tenant(other):
                pass
        assert bound() == "acme"


def test_an_operators_binding_is_not_narrowed_within() -> None:
    with tenant(ALL), pytest.raises(TenantLocked), tenant("acme"):
        pass


def test_an_error_ends_the_binding() -> None:
    with pytest.raises(KeyError), tenant("acme"):
        raise KeyError
    assert bound() is None


def test_one_object_can_be_entered_again() -> None:
    acme = tenant("acme")
    with acme, acme:
        assert bound() == "acme"
    assert bound() is None


@in_a_loop
async def test_tasks_keep_what_was_bound_where_they_began() -> None:
    gate = asyncio.Event()

    async def late() -> Any:
        await gate.wait()
        return bound()

    with tenant("acme"):
        outliving = asyncio.create_task(late())
    with tenant("globex"):
        other = asyncio.create_task(late())
    unbound = asyncio.create_task(late())
    gate.set()
    assert await asyncio.gather(outliving, other, unbound) == ["acme", "globex", None]


@in_a_loop
async def test_tasks_that_bind_do_not_bind_each_other() -> None:
    async def work(name: str) -> list[Any]:
        seen = []
        with tenant(name):
            for _ in range(20):
                await asyncio.sleep(0)
                seen.append(bound())
        return seen

    names = [f"tenant-{number}" for number in range(50)]
    for name, seen in zip(names, await asyncio.gather(*map(work, names)), strict=True):
        assert set(seen) == {name}


@in_a_loop
async def test_threads_of_asyncio_keep_it_and_threads_of_ones_own_do_not() -> None:
    seen: list[Any] = []
    with tenant("acme"):
        assert await asyncio.to_thread(bound) == "acme"
        thread = threading.Thread(target=lambda: seen.append(bound()))
        thread.start()
        thread.join()
    assert seen == [None]


@in_a_loop
async def test_a_generator_that_is_left_alone_binds_nobody_for_good() -> None:
    async def words() -> AsyncIterator[str]:
        with tenant("acme"):
            yield "one"
            yield "two"

    async for _ in words():
        break
    generator = words()
    await anext(generator)
    with tenant("acme"):
        # It ends within our block, which was opened after its own.
        await generator.aclose()
        assert bound() == "acme"
    # Asyncio closes the first one, which was never gone through, in a task of its own.
    for _ in range(5):
        await asyncio.sleep(0)
    assert bound() is None
    with tenant("globex"):
        assert bound() == "globex"
    assert bound() is None


@in_a_loop
async def test_a_generator_that_is_closed_from_another_context_leaves_that_one_as_it_is() -> None:
    async def words() -> AsyncIterator[str]:
        with tenant("acme"):
            yield "one"

    generator = words()
    await asyncio.create_task(anext(generator))  # type: ignore[arg-type]
    with tenant("globex"):
        await generator.aclose()
        assert bound() == "globex"


@pytest.fixture
def request_() -> Iterator[Request]:
    """A request under way."""
    request = Request({"type": "http", "state": {}, "headers": []})
    before = bind(request)
    yield request
    bind(before)


@in_a_loop
async def test_a_request_is_bound_for_good_in_all_its_tasks(request_: Request) -> None:
    begun = asyncio.Event()

    async def earlier() -> Any:
        await begun.wait()
        with pytest.raises(TenantLocked), tenant("globex"):
            pass
        request = current_request()
        return request and request.tenant

    task = asyncio.create_task(earlier())
    with tenant("acme"):
        pass
    begun.set()
    assert await task == "acme"
    assert request_.tenant == "acme"


def test_a_request_never_becomes_an_operators(request_: Request) -> None:
    with pytest.raises(TenantLocked), tenant(ALL):
        pass
    request_.hold("acme")
    with pytest.raises(TenantLocked):
        request_.hold(ALL)
    assert request_.tenant == "acme"


def test_of_two_threads_that_find_different_tenants_one_is_refused() -> None:
    for _ in range(200):
        request = Request({"type": "http"})
        barrier = threading.Barrier(2)

        def hold(name: str, request: Request = request, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            try:
                request.hold(name)
            except TenantLocked:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            held = list(pool.map(hold, ("acme", "globex")))
        assert sorted(held) == [False, True]
        assert request.tenant == ("acme", "globex")[held.index(True)]


def test_what_a_request_is_told_names_no_tenant(request_: Request) -> None:
    request_.hold("acme")
    with pytest.raises(TenantLocked) as caught:
        request_.hold("globex")
    assert "acme" not in str(caught.value)
    assert "acme" in caught.value.__notes__[0]
    refused(caught.value)
    refused(TenantLocked("later"))
    assert request_.refused is caught.value


def test_a_pool_of_threads_keeps_the_binding_while_it_is_asked_to() -> None:
    plain = ThreadPoolExecutor.submit
    keep_tenants()
    keep_tenants()
    forget_tenants()
    with ThreadPoolExecutor(1) as pool:
        with tenant("acme"):
            kept = pool.submit(bound)
        assert (kept.result(), pool.submit(bound).result()) == ("acme", None)
        with tenant("globex"), pytest.raises(ZeroDivisionError):
            pool.submit(lambda: 1 / 0).result()
        # A thread that failed is nobody's either.
        assert pool.submit(bound).result() is None
    forget_tenants()
    assert ThreadPoolExecutor.submit is plain
    assert carrying(bound) is bound


def test_the_binding_is_all_of_the_context_that_a_pool_of_threads_carries() -> None:
    other = contextvars.ContextVar("other", default="default")
    keep_tenants()
    token = other.set("changed")
    with ThreadPoolExecutor(1) as pool, tenant("acme"):
        assert pool.submit(other.get).result() == "default"
    other.reset(token)
    forget_tenants()


@in_a_loop
async def test_a_claim_binds_the_tasks_that_it_starts_and_not_the_claimer() -> None:
    async def poll() -> list[Any]:
        seen: list[asyncio.Task[Any]] = []
        for schedule, whose in (("s1", "acme"), ("s2", "globex")):
            claimed(schedule, whose)
            seen.append(asyncio.create_task(execute()))
        nothing_claimed()
        seen.append(asyncio.create_task(execute()))
        # The claimer itself is free.
        with tenant("initech"):
            assert bound() == "initech"
        return await asyncio.gather(*seen)

    async def execute() -> Any:
        binding: Any = current()
        await asyncio.sleep(0)
        if binding.whose is not None:
            with pytest.raises(TenantLocked), tenant("initech"):
                pass
        return binding.whose

    assert await asyncio.create_task(poll()) == ["acme", "globex", None]


def test_who_is_bound_claims_for_no_others() -> None:
    with tenant("acme"):
        claimed("s", "acme")
        assert isinstance(current(), Bound)
