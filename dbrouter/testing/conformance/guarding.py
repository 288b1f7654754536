"""Owner guards: who may change whose record. The reference is `OwnerGuard.admits`."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from dbrouter.backends.kernel.merging import Next, OwnerGuard, Replace, Rule
from dbrouter.backends.kernel.ops import ABSENT, Upsert
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import all_well, at_once, insert, record_of, version_of
from dbrouter.testing.conformance.records import learning, run, session

OWNERS = ("ann", "bob", "", None)
RULES = {"user_id": Replace(), "content": Replace()}


@pytest.mark.parametrize(("claim", "unscoped"), [(False, False), (False, True), (True, False), (True, True)])
async def test_a_guard_admits_whom_the_reference_admits(store: Store, claim: bool, unscoped: bool) -> None:
    guard = OwnerGuard("user_id", claim=claim, unscoped=unscoped)
    pairs = list(itertools.product(OWNERS, OWNERS))
    before = [learning(f"{index:02}", user_id=owner) for index, (owner, _) in enumerate(pairs)]
    after = [learning(f"{index:02}", user_id=writer, content={"n": 1}) for index, (_, writer) in enumerate(pairs)]
    await insert(store, "learnings", *before)
    answers = await store.execute(Upsert(table="learnings", records=tuple(after), rules=RULES, guard=guard))
    for stored, incoming, answer in zip(before, after, answers, strict=True):
        admitted = guard.admits(stored, incoming)
        assert (answer is not None) is admitted, (stored["user_id"], incoming["user_id"])
        now = await record_of(store, "learnings", stored["learning_id"])
        assert now["content"] == ({"n": 1} if admitted else {})
        assert now["user_id"] == (incoming if admitted else stored)["user_id"]


async def test_a_guard_lets_anyone_insert(store: Store) -> None:
    guard = OwnerGuard("user_id", claim=False)
    records = tuple(learning(f"{index}", user_id=owner) for index, owner in enumerate(OWNERS))
    answers = await store.execute(Upsert(table="learnings", records=records, rules=RULES, guard=guard))
    assert [answer and answer.record["user_id"] for answer in answers] == list(OWNERS)


async def test_a_refused_change_leaves_the_version_as_it_was(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="ann"))
    version = await version_of(store, "learnings", "a")
    guard = OwnerGuard("user_id", claim=True)
    upsert = Upsert(table="learnings", records=(learning("a", user_id="bob"),), rules=RULES, guard=guard)
    assert await store.execute(upsert) == [None]
    assert await version_of(store, "learnings", "a") == version


async def test_a_guard_refuses_even_where_the_version_is_the_expected_one(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="ann"))
    guard = OwnerGuard("user_id", claim=True)
    for expect in (await version_of(store, "learnings", "a"), ABSENT):
        records = (learning("a", user_id="bob"),)
        upsert = Upsert(table="learnings", records=records, rules=RULES, guard=guard, expect=expect)
        assert await store.execute(upsert) == [None]
    assert (await record_of(store, "learnings", "a"))["user_id"] == "ann"


@pytest.mark.parametrize("rules", [{"run_data": Replace()}, {"run_data": Replace(), "run_index": Next("session_id")}])
@pytest.mark.parametrize("refusal", [{"guard": OwnerGuard("session_id", claim=False)}, {"expect": ABSENT}])
async def test_a_refusal_is_told_before_a_missing_parent(
    store: Store, rules: dict[str, Rule], refusal: dict[str, Any]
) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(store, "runs", run("r1", "s1"))
    records = (run("r1", "s9", run_data={"n": 1}),)
    assert await store.execute(Upsert(table="runs", records=records, rules=rules, **refusal)) == [None]
    assert (await record_of(store, "runs", "r1"))["run_data"] == {}


async def test_of_many_owners_who_claim_an_unowned_record_one_gets_it(store: Store) -> None:
    await insert(store, "learnings", learning("a"))
    guard = OwnerGuard("user_id", claim=True)
    calls = [
        lambda n=n: store.execute(
            Upsert(
                table="learnings", records=(learning("a", user_id=f"u{n}", content={"n": n}),), rules=RULES, guard=guard
            )
        )
        for n in range(16)
    ]
    answers = await all_well(at_once(store, calls))
    winners = [answer[0].record for answer in answers if answer[0] is not None]
    assert len(winners) == 1
    assert await record_of(store, "learnings", "a") == winners[0]
