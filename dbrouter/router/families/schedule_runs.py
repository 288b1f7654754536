"""Schedule runs: what came of each call that a schedule made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.filters import (
    Comparison,
    Field,
    Filter,
    all_of,
    any_of,
    compare,
    eq,
    equals,
    is_null,
    one_of,
)
from dbrouter.backends.kernel.ops import Aggregate, Computed, Delete, Get, Insert, Measure, Order, Scan, Update
from dbrouter.router.families.moments import seconds
from dbrouter.router.families.paging import offset_of

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.router.families.context import Context

SCHEDULE_RUNS = "schedule_runs"
NEWEST_FIRST = (Order(Field("created_at"), descending=True),)
LATEST_FIRST = (
    Order(Field("triggered_at"), descending=True),
    Order(Field("created_at"), descending=True),
    Order(Field("id"), descending=True),
)

AT_ONCE = 500
"""For so many schedules the latest runs are read in one request: each is a condition, and databases take some 30,000
parameters."""


class ScheduleRuns:
    """Keeps the history of schedules."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def create_schedule_run(self, run_data: Record) -> Record:
        """The given run, once it is stored. A taken id raises `Duplicate`, an unknown schedule `MissingParent`."""
        await self._store.execute(Insert(table=SCHEDULE_RUNS, records=(dict(run_data),)))
        return run_data

    async def update_schedule_run(self, schedule_run_id: str, **kwargs: Any) -> Record | None:
        """The changed run, or `None` if there is none with this id."""
        if not kwargs:
            return await self.get_schedule_run(schedule_run_id)
        changed = await self._store.execute(
            Update(table=SCHEDULE_RUNS, where=eq("id", schedule_run_id), changes=kwargs)
        )
        return changed[0] if changed else None

    async def get_schedule_run(self, run_id: str, user_id: str | None = None) -> Record | None:
        """The run, or `None` if there is none with this id (and this owner, if one is given)."""
        stored = await self._store.execute(Get(table=SCHEDULE_RUNS, key=(run_id,), where=equals(user_id=user_id)))
        return None if stored is None else stored.record

    async def get_latest_schedule_runs(self, schedule_ids: list[str]) -> dict[str, Record]:
        """Schedule id -> its run that was triggered last, for those of the schedules that have runs.

        A run that is not triggered yet counts as the latest. Two requests for up to 500 schedules, whatever the length
        of their histories, and one for each further 500.
        """
        if not schedule_ids:
            return {}
        latest = await self._store.execute(
            Aggregate(
                table=SCHEDULE_RUNS,
                by={"schedule_id": Field("schedule_id")},
                measures=(
                    Computed(name="triggered_at", measure=Measure.MAX, field=Field("triggered_at")),
                    Computed(name="waiting", measure=Measure.COUNT, where=is_null("triggered_at")),
                ),
                where=one_of("schedule_id", schedule_ids),
            )
        )
        runs: dict[str, Record] = {}
        for start in range(0, len(latest.records), AT_ONCE):
            some = latest.records[start : start + AT_ONCE]
            these = one_of("schedule_id", [each["schedule_id"] for each in some])
            where = all_of(these, any_of(*map(_not_earlier, some)))
            found = await self._store.execute(Scan(table=SCHEDULE_RUNS, where=where, order=LATEST_FIRST))
            for run in found.records:
                runs.setdefault(run["schedule_id"], run)
        return runs

    async def get_schedule_runs(
        self, schedule_id: str, limit: int = 20, page: int = 1, user_id: str | None = None
    ) -> tuple[list[Record], int]:
        """One page of the schedule's runs, newest first, and how many there are."""
        found = await self._store.execute(
            Scan(
                table=SCHEDULE_RUNS,
                where=equals(schedule_id=schedule_id, user_id=user_id),
                order=NEWEST_FIRST,
                limit=limit,
                offset=offset_of(limit, page),
                total=True,
            )
        )
        return found.records, found.total or 0

    async def delete_schedule_runs(self, schedule_id: str, *, before: int) -> int:
        """How many runs of the schedule were completed before this time and are deleted now."""
        last = seconds(before, "before")
        return await self._store.execute(
            Delete(
                table=SCHEDULE_RUNS,
                where=all_of(eq("schedule_id", schedule_id), compare("completed_at", Comparison.LT, last)),
            )
        )


def _not_earlier(latest: Record) -> Filter:
    """The schedule's runs that are not earlier than the latest known."""
    # Not only the run that was counted: one that started since must win, and one of them may be gone by now.
    waiting = is_null("triggered_at")
    if latest["waiting"]:
        return all_of(eq("schedule_id", latest["schedule_id"]), waiting)
    later = compare("triggered_at", Comparison.GE, latest["triggered_at"])
    return all_of(eq("schedule_id", latest["schedule_id"]), any_of(later, waiting))
