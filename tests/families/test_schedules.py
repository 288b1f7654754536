"""Schedules: claimed once, released by who holds them, disabled with their target."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.ops import Claim, Delete, Insert, Update
from dbrouter.backends.kernel.running import finish
from dbrouter.router.families.context import Context
from dbrouter.router.families.schedule_runs import ScheduleRuns
from dbrouter.router.families.schedules import Schedules
from tests.families.recorded import Recorded

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.store import Store

NOW = 1_700_000_000


def schedules_in(store: Store, now: int = NOW) -> Schedules:
    return Schedules(Context(store, now=lambda: now))


def schedule(id: str, **columns: object) -> Record:  # noqa: A002
    return {
        "id": id,
        "name": id,
        "method": "POST",
        "endpoint": "/agents/a/runs",
        "cron_expr": "* * * * *",
        "timezone": "UTC",
        "timeout_seconds": 60,
        "max_retries": 0,
        "retry_delay_seconds": 1,
        "enabled": True,
        "created_at": 1,
        **columns,
    }


def run(id: str, schedule_id: str, **columns: object) -> Record:  # noqa: A002
    return {"id": id, "schedule_id": schedule_id, "attempt": 1, "status": "running", "created_at": 1, **columns}


async def test_a_created_schedule_is_given_back_and_found_by_id_owner_and_name(store: Store) -> None:
    schedules = schedules_in(store)
    given = schedule("s1", name="digest", user_id="u1", payload={"x": [1]})
    assert await schedules.create_schedule(given) is given
    stored = await schedules.get_schedule("s1")
    assert stored is not None
    assert stored["payload"] == {"x": [1]}
    assert await schedules.get_schedule("s1", user_id="u1") == stored
    assert await schedules.get_schedule("s1", user_id="u2") is None
    assert await schedules.get_schedule("s1", user_id="") is None
    assert await schedules.get_schedule_by_name("digest", user_id="u1") == stored
    assert await schedules.get_schedule_by_name("digest") is None


async def test_without_an_owner_a_name_finds_only_the_unowned_schedule(store: Store) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("s1", name="digest", user_id="u1"))
    await schedules.create_schedule(schedule("s2", name="digest"))
    found = await schedules.get_schedule_by_name("digest")
    assert found is not None
    assert found["id"] == "s2"


async def test_an_owner_gives_a_name_once(store: Store) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("s1", name="digest", user_id="u1"))
    await schedules.create_schedule(schedule("s2", name="digest", user_id="u2"))
    await schedules.create_schedule(schedule("s3", name="digest"))
    for again in (schedule("s4", name="digest", user_id="u1"), schedule("s4", name="digest"), schedule("s1")):
        with pytest.raises(Duplicate):
            await schedules.create_schedule(again)
    await schedules.create_schedule(schedule("s5", name="other", user_id="u1"))
    with pytest.raises(Duplicate):
        await schedules.update_schedule("s5", name="digest")


async def test_listings_are_newest_first_and_count_all_that_match(store: Store) -> None:
    schedules = schedules_in(store)
    for number in range(5):
        await schedules.create_schedule(
            schedule(f"s{number}", created_at=number // 2, enabled=number != 0, user_id="u1" if number < 3 else None)
        )
    found, total = await schedules.get_schedules(limit=2, page=1)
    assert ([each["id"] for each in found], total) == (["s4", "s3"], 5)
    found, total = await schedules.get_schedules(limit=2, page=3)
    assert ([each["id"] for each in found], total) == (["s0"], 5)
    found, total = await schedules.get_schedules(enabled=True, user_id="u1", raise_on_error=True)
    assert ([each["id"] for each in found], total) == (["s2", "s1"], 2)
    with pytest.raises(ValueError, match="1-indexed"):
        await schedules.get_schedules(page=0)


async def test_a_table_that_was_never_written_to_is_an_empty_list_even_for_strict_callers(store: Store) -> None:
    assert await schedules_in(store).get_schedules(raise_on_error=True) == ([], 0)


async def test_enabling_forgets_why_it_was_disabled_in_one_request(store: Store) -> None:
    await schedules_in(store).create_schedule(schedule("s1", enabled=False, disabled_reason="gone"))
    recorded = Recorded(store)
    changed = await schedules_in(recorded).update_schedule("s1", enabled=True)
    assert changed is not None
    assert (changed["enabled"], changed["disabled_reason"], changed["updated_at"]) == (True, None, NOW)
    assert [type(op) for op in recorded.ops] == [Update]


async def test_an_update_may_disable_with_a_reason_and_touches_only_the_owners_schedule(store: Store) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("s1", user_id="u1"))
    assert await schedules.update_schedule("s1", user_id="u2", enabled=False) is None
    changed = await schedules.update_schedule("s1", user_id="u1", enabled=False, disabled_reason="why")
    assert changed is not None
    assert (changed["enabled"], changed["disabled_reason"]) == (False, "why")
    assert await schedules.update_schedule("s9", enabled=False) is None


@pytest.mark.parametrize("column", ["locked_by", "managed_by", "id", "created_at", "target_id"])
async def test_an_update_refuses_what_only_a_dedicated_method_may_change(store: Store, column: str) -> None:
    with pytest.raises(ValueError, match="cannot modify"):
        await schedules_in(store).update_schedule("s1", **{column: "x"})


async def test_deleting_takes_the_runs_along_in_one_request(store: Store) -> None:
    schedules, runs = schedules_in(store), ScheduleRuns(Context(store))
    await schedules.create_schedule(schedule("s1", user_id="u1"))
    await runs.create_schedule_run(run("r1", "s1", user_id="u1"))
    await runs.create_schedule_run(run("r2", "s1", user_id="u2"))
    recorded = Recorded(store)
    assert await schedules_in(recorded).delete_schedule("s1", user_id="u1") is True
    assert [type(op) for op in recorded.ops] == [Delete]
    assert await runs.get_schedule_runs("s1") == ([], 0)
    assert await schedules.delete_schedule("s1") is False


async def test_deleting_a_foreign_schedule_leaves_it_and_all_its_runs(store: Store) -> None:
    schedules, runs = schedules_in(store), ScheduleRuns(Context(store))
    await schedules.create_schedule(schedule("s1", user_id="u1"))
    await runs.create_schedule_run(run("r1", "s1", user_id="u2"))
    assert await schedules.delete_schedule("s1", user_id="u2") is False
    assert await schedules.get_schedule("s1") is not None
    assert (await runs.get_schedule_runs("s1"))[1] == 1


async def test_archiving_a_target_disables_every_owners_schedule_of_it(store: Store) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("tagged", target_type="agent", target_id="x", endpoint="/other"))
    await schedules.create_schedule(schedule("routed", endpoint="/agents/x/runs", user_id="u1"))
    await schedules.create_schedule(schedule("slashed", endpoint="/agents/x/runs/", user_id="u2"))
    await schedules.create_schedule(schedule("off", endpoint="/agents/x/runs", enabled=False, disabled_reason="mine"))
    await schedules.create_schedule(schedule("team", target_type="team", target_id="x", endpoint="/teams/x/runs"))
    assert await schedules.disable_schedules_for_target("agent", "x", reason="archived") == 3
    enabled, _ = await schedules.get_schedules(enabled=True)
    assert [each["id"] for each in enabled] == ["team"]
    untouched = await schedules.get_schedule("off")
    assert untouched is not None
    assert untouched["disabled_reason"] == "mine"


async def test_provenance_is_stamped_and_nothing_else(store: Store) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("s1"))
    assert await schedules.stamp_schedule_provenance("s1", managed_by="studio", target_type="agent") is True
    stored = await schedules.get_schedule("s1")
    assert stored is not None
    assert (stored["managed_by"], stored["target_type"], stored["updated_at"]) == ("studio", "agent", NOW)
    assert await schedules.stamp_schedule_provenance("s9", managed_by="studio") is False
    with pytest.raises(ValueError, match="cannot write"):
        await schedules.stamp_schedule_provenance("s1", user_id="u1")


async def test_the_schedule_that_has_been_due_longest_is_claimed_first(store: Store) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("later", next_run_at=NOW - 1))
    await schedules.create_schedule(schedule("first", next_run_at=NOW - 5))
    await schedules.create_schedule(schedule("off", next_run_at=NOW - 9, enabled=False))
    await schedules.create_schedule(schedule("future", next_run_at=NOW + 1))
    await schedules.create_schedule(schedule("never"))
    recorded = Recorded(store)
    claims = [await schedules_in(recorded).claim_due_schedule("w") for _ in range(3)]
    assert [each and each["id"] for each in claims] == ["first", "later", None]
    assert claims[0] is not None
    assert (claims[0]["locked_by"], claims[0]["locked_at"]) == ("w", NOW)
    assert {type(op) for op in recorded.ops} == {Claim}


async def test_a_lock_is_taken_over_after_its_grace_and_not_before(store: Store) -> None:
    await schedules_in(store).create_schedule(schedule("s1", next_run_at=NOW))
    assert await schedules_in(store).claim_due_schedule("dead", lock_grace_seconds=300) is not None
    assert await schedules_in(store, NOW + 299).claim_due_schedule("next", lock_grace_seconds=300) is None
    taken = await schedules_in(store, NOW + 300).claim_due_schedule("next", lock_grace_seconds=300)
    assert taken is not None
    assert taken["locked_by"] == "next"


async def test_of_32_workers_one_claims_each_due_schedule(store: Store) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("s1", next_run_at=NOW))
    await schedules.create_schedule(schedule("s2", next_run_at=NOW))
    if store.runtime.blocking:
        with ThreadPoolExecutor(32) as workers:
            claims = list(workers.map(lambda number: finish(schedules.claim_due_schedule(f"w{number}")), range(32)))
    else:
        claims = await asyncio.gather(*(schedules.claim_due_schedule(f"w{number}") for number in range(32)))
    won = [each for each in claims if each is not None]
    assert sorted(each["id"] for each in won) == ["s1", "s2"]
    for claim in won:
        stored = await schedules.get_schedule(claim["id"])
        assert stored is not None
        assert stored["locked_by"] == claim["locked_by"]


async def test_only_the_holder_of_a_lock_releases_it(store: Store) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("s1", next_run_at=NOW))
    await schedules.claim_due_schedule("w1")
    assert await schedules.release_schedule("s1", NOW + 60, worker_id="w2", locked_at=NOW) is False
    assert await schedules.release_schedule("s1", NOW + 60, worker_id="w1", locked_at=NOW - 1) is False
    assert await schedules.release_schedule("s1", NOW + 60, worker_id="w1", locked_at=NOW) is True
    stored = await schedules.get_schedule("s1")
    assert stored is not None
    assert (stored["locked_by"], stored["locked_at"], stored["next_run_at"]) == (None, None, NOW + 60)


async def test_releasing_keeps_the_due_time_unless_it_is_given(store: Store) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("s1", next_run_at=NOW))
    assert await schedules.release_schedule("s1") is True
    stored = await schedules.get_schedule("s1")
    assert stored is not None
    assert stored["next_run_at"] == NOW
    assert await schedules.release_schedule("s9") is False


@pytest.mark.parametrize("next_run_at", [None, NOW + 60])
async def test_a_schedule_whose_cron_was_cleared_while_it_ran_is_not_due_again(
    store: Store, next_run_at: int | None
) -> None:
    schedules = schedules_in(store)
    await schedules.create_schedule(schedule("s1", next_run_at=NOW))
    await schedules.claim_due_schedule("w1")
    await schedules.update_schedule("s1", cron_expr="")
    assert await schedules.release_schedule("s1", next_run_at, worker_id="w1") is True
    stored = await schedules.get_schedule("s1")
    assert stored is not None
    assert stored["next_run_at"] is None


async def test_creating_is_one_request(store: Store) -> None:
    recorded = Recorded(store)
    await schedules_in(recorded).create_schedule(schedule("s1"))
    assert [type(op) for op in recorded.ops] == [Insert]
