"""Schedule runs: the latest of each schedule, pages of one, and expiry of what is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.errors import Duplicate, MissingParent
from dbrouter.router.families.context import Context
from dbrouter.router.families.schedule_runs import ScheduleRuns
from tests.families.recorded import Recorded
from tests.families.test_schedules import run, schedule, schedules_in

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.store import Store


async def runs_in(store: Store, *schedule_ids: str) -> ScheduleRuns:
    for each in schedule_ids or ("s1",):
        await schedules_in(store).create_schedule(schedule(each))
    return ScheduleRuns(Context(store))


def ids_of(found: tuple[list[Record], int]) -> tuple[list[str], int]:
    return [each["id"] for each in found[0]], found[1]


async def test_a_created_run_is_given_back_and_found_by_id_and_owner(store: Store) -> None:
    runs = await runs_in(store)
    given = run("r1", "s1", user_id="u1", input={"a": 1}, requirements=[{"b": 2}])
    assert await runs.create_schedule_run(given) is given
    stored = await runs.get_schedule_run("r1", user_id="u1")
    assert stored is not None
    assert (stored["input"], stored["requirements"], stored["output"]) == ({"a": 1}, [{"b": 2}], None)
    assert await runs.get_schedule_run("r1", user_id="") is None
    with pytest.raises(Duplicate):
        await runs.create_schedule_run(given)


async def test_a_run_needs_its_schedule(store: Store) -> None:
    runs = await runs_in(store)
    with pytest.raises(MissingParent):
        await runs.create_schedule_run(run("r1", "s9"))


async def test_an_update_gives_back_the_run_as_it_is_now(store: Store) -> None:
    runs = await runs_in(store)
    await runs.create_schedule_run(run("r1", "s1"))
    changed = await runs.update_schedule_run("r1", status="success", completed_at=9, output={"ok": True})
    assert changed == await runs.get_schedule_run("r1")
    assert changed is not None
    assert (changed["status"], changed["completed_at"], changed["output"]) == ("success", 9, {"ok": True})
    assert await runs.update_schedule_run("r1") == changed
    assert await runs.update_schedule_run("r9", status="success") is None


async def test_a_page_is_newest_first_and_counts_all(store: Store) -> None:
    runs = await runs_in(store, "s1", "s2")
    for number in range(5):
        owner = "u1" if number < 2 else None
        await runs.create_schedule_run(run(f"r{number}", "s1", created_at=number // 2, user_id=owner))
    await runs.create_schedule_run(run("other", "s2"))
    assert ids_of(await runs.get_schedule_runs("s1", limit=2)) == (["r4", "r3"], 5)
    assert ids_of(await runs.get_schedule_runs("s1", limit=2, page=3)) == (["r0"], 5)
    assert ids_of(await runs.get_schedule_runs("s1", user_id="u1")) == (["r1", "r0"], 2)


async def test_the_latest_run_of_each_schedule_takes_two_requests(store: Store) -> None:
    runs = await runs_in(store, "s1", "s2", "s3")
    for each in (
        run("a", "s1", triggered_at=5, created_at=9),
        run("b", "s1", triggered_at=7, created_at=1),
        run("c", "s1", triggered_at=7, created_at=2),
        run("d", "s1", triggered_at=7, created_at=2),
        run("e", "s2", triggered_at=1, created_at=1),
    ):
        await runs.create_schedule_run(each)
    recorded = Recorded(store)
    latest = await ScheduleRuns(Context(recorded)).get_latest_schedule_runs(["s1", "s2", "s3"])
    assert {schedule_id: each["id"] for schedule_id, each in latest.items()} == {"s1": "d", "s2": "e"}
    assert len(recorded.ops) == 2


async def test_the_latest_runs_of_many_schedules_are_read_some_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbrouter.router.families.schedule_runs.AT_ONCE", 2)
    recorded = Recorded(store)
    names = [f"s{number}" for number in range(5)]
    runs = await runs_in(recorded, *names)
    for each in names:
        await runs.create_schedule_run(run(f"old {each}", each, triggered_at=1))
        await runs.create_schedule_run(run(f"new {each}", each, triggered_at=2))
    recorded.ops.clear()
    latest = await runs.get_latest_schedule_runs([*names, "s9"])
    assert {schedule_id: each["id"] for schedule_id, each in latest.items()} == {each: f"new {each}" for each in names}
    assert len(recorded.ops) == 1 + 3


async def test_a_run_that_is_not_triggered_yet_is_the_latest(store: Store) -> None:
    runs = await runs_in(store)
    await runs.create_schedule_run(run("a", "s1", triggered_at=5))
    await runs.create_schedule_run(run("b", "s1", triggered_at=None))
    assert (await runs.get_latest_schedule_runs(["s1"]))["s1"]["id"] == "b"


async def test_no_schedules_and_schedules_without_runs_have_no_latest_run(store: Store) -> None:
    runs = await runs_in(store)
    assert await runs.get_latest_schedule_runs([]) == {}
    assert await runs.get_latest_schedule_runs(["s1", "s9"]) == {}


async def test_only_what_was_completed_before_the_cutoff_expires(store: Store) -> None:
    runs = await runs_in(store, "s1", "s2")
    for each in (
        run("old", "s1", completed_at=9),
        run("at", "s1", completed_at=10),
        run("going", "s1"),
        run("other", "s2", completed_at=9),
    ):
        await runs.create_schedule_run(each)
    assert await runs.delete_schedule_runs("s1", before=10) == 1
    assert ids_of(await runs.get_schedule_runs("s1"))[1] == 2
    assert ids_of(await runs.get_schedule_runs("s2"))[1] == 1
