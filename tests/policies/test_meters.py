"""Whose meter counts: a tenant has one, whichever of its stores is used."""

from __future__ import annotations

import gc

import pytest

from dbrouter.backends.kernel.errors import LimitExceeded
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.policies.limits.limited import Limited, limited
from dbrouter.policies.limits.limits import UNLIMITED, Limits
from dbrouter.policies.limits.meter import REMEMBERED, Meter, Meters
from tests.policies.limited_world import GET


def test_without_limits_the_store_is_as_it_was() -> None:
    store = MemoryStore()
    assert limited(store, Meters(blocking=True).of("acme", UNLIMITED)) is store


def test_all_stores_of_a_tenant_share_what_it_may_use() -> None:
    meters = Meters(blocking=True)
    limits = Limits(requests_per_second=0.001)
    first, second = (limited(MemoryStore(), meters.of("acme", limits)) for _ in range(2))
    finish(first.execute(GET))
    with pytest.raises(LimitExceeded):
        finish(second.execute(GET))
    finish(limited(MemoryStore(), meters.of("globex", limits)).execute(GET))


def test_a_view_for_a_component_has_its_tenants_limits() -> None:
    class WithViews(MemoryStore):
        def bound(self, _: object) -> MemoryStore:
            return MemoryStore()

    store = Limited(WithViews(), Meter("acme", Limits(requests_per_second=0.001), blocking=True))
    finish(store.bound("an agent").execute(GET))
    with pytest.raises(LimitExceeded):
        finish(store.execute(GET))


def test_new_limits_count_from_the_next_store_on() -> None:
    meters = Meters(blocking=True)
    old = meters.of("acme", Limits(requests_per_second=1))
    assert meters.of("acme", Limits(requests_per_second=1)) is old
    new = meters.of("acme", Limits(requests_per_second=2))
    assert new is not old
    assert meters.of("acme", Limits(requests_per_second=2)) is new


def test_tenants_who_are_gone_leave_only_a_bounded_memory() -> None:
    meters = Meters(blocking=True)
    limits = Limits(requests_per_second=1, concurrent=8, rows={"memories": 1})
    for number in range(REMEMBERED + 500):
        meters.of(f"tenant {number}", limits)
    gc.collect()
    assert len(meters._live) == len(meters._latest) == REMEMBERED
