"""Metrics: daily usage per user, brought up to date when it is read."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dbrouter.backends.kernel.agno_tables.metrics import METRICS as SPEC
from dbrouter.backends.kernel.filters import EVERYTHING, Comparison, Field, Related, all_of, compare, eq, equals
from dbrouter.backends.kernel.forking import lock
from dbrouter.backends.kernel.merging import Record, Replace, Rule
from dbrouter.backends.kernel.ops import Aggregate, Computed, Measure, Order, Scan, Upsert
from dbrouter.router.agno_types import metrics_starting_date_from_days
from dbrouter.router.families.daily_usage import UNOWNED, daily_usage, day_of, midnight
from dbrouter.router.families.moments import first_day, last_day

if TYPE_CHECKING:
    from dbrouter.router.families.context import Context, Place

METRICS = SPEC.name
IDENTITY = ("user_id", "date", "aggregation_period")
MERGED: dict[str, Rule] = {
    column: Replace() for column in SPEC.column_names if column not in {*IDENTITY, "id", "created_at"}
}
"""A day that is computed again keeps its id and the time it was first computed."""

FRESH_SECONDS = 60
"""How old metrics may be when they are read."""

SESSION_COLUMNS = ("session_id", "session_type", "user_id", "session_data", "created_at")
FIRST_DAY = (Order(Field("date")),)
LAST_DAY = (Order(Field("date"), descending=True),)

EVERY_DAY = Scan(table=METRICS)
"""What tells where metrics are kept."""
REMEMBERED = 10_000
"""Places whose last computation is remembered; a forgotten one is computed once more."""


class Refreshed:
    """When the metrics of each place were last computed, bounded."""

    def __init__(self) -> None:
        self._times: OrderedDict[Place, float] = OrderedDict()
        self._lock = lock()

    def at(self, place: Place) -> float:
        """When those of this place were; minus infinity if nobody remembers."""
        return self._times.get(place, -math.inf)

    def set(self, place: Place, when: float) -> None:
        """They are as of then."""
        with self._lock:
            self._times.pop(place, None)
            self._times[place] = when
            if len(self._times) > REMEMBERED:
                self._times.popitem(last=False)


class Metrics:
    """Computes and reads daily usage."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now
        self._context = context
        self._refreshed = Refreshed()

    async def calculate_metrics(self) -> list[Record] | None:
        """The rows of all days that were not completed, computed from sessions and runs and stored.

        `None` if no session was ever stored. A failure raises; the next read tries again.
        """
        now = self._now()
        place = self._context.place_of(EVERY_DAY)
        rows = await self._calculated(now)
        # Not before: who reads meanwhile would take what is stored for fresh.
        self._refreshed.set(place, now)
        return rows

    async def get_metrics(
        self, starting_date: date | None = None, ending_date: date | None = None, user_id: str | None = None
    ) -> tuple[list[Record], int | None]:
        """The rows of these days, both included, by day and user, and when this user's rows were last computed.

        user_id: "" asks for what nobody owns, which rows name `None`. Metrics older than a minute are computed anew
        first, and if that fails the read fails: what is stored is not what was asked for.
        """
        if self._is_stale():
            await self._refresh()
        first, last = first_day(starting_date, "starting_date"), last_day(ending_date, "ending_date")
        owned = equals(user_id=user_id)
        found = await self._store.execute(
            Scan(
                table=METRICS,
                where=all_of(
                    owned,
                    compare("date", Comparison.GE, first) if first else EVERYTHING,
                    compare("date", Comparison.LE, last) if last else EVERYTHING,
                ),
                order=(*FIRST_DAY, Order(Field("user_id"))),
            )
        )
        if not found.records:
            return [], None
        latest = await self._store.execute(
            Aggregate(
                table=METRICS,
                by={},
                measures=(Computed(name="updated_at", measure=Measure.MAX, field=Field("updated_at")),),
                where=owned,
            )
        )
        rows = [{**row, "user_id": None if row["user_id"] == UNOWNED else row["user_id"]} for row in found.records]
        return rows, latest.records[0]["updated_at"]

    async def _refresh(self) -> None:
        async with self._store.runtime.one_at_a_time(("metrics", self._context.place_of(EVERY_DAY))):
            # Who waited for another reader's computation has its rows; who waited in vain computes them.
            if self._is_stale():
                await self.calculate_metrics()

    def _is_stale(self) -> bool:
        place = self._context.place_of(EVERY_DAY)
        _, part = place
        # What cannot be written here is kept up to date by those who can.
        return not part.read_only and self._now() - self._refreshed.at(place) >= FRESH_SECONDS

    async def _calculated(self, now: int) -> list[Record] | None:
        start = await self._first_day_owing()
        if start is None:
            return None
        # The day is fixed before the sessions are read, else one that starts at midnight is in no completed day.
        today = day_of(now)
        if start > today:
            return None
        span = all_of(
            compare("created_at", Comparison.GE, midnight(start)),
            compare("created_at", Comparison.LT, midnight(today + timedelta(days=1))),
        )
        sessions = await self._store.execute(Scan(table="sessions", where=span, columns=SESSION_COLUMNS))
        runs = await self._store.execute(
            Aggregate(
                table="runs",
                by={
                    "session_id": Field("session_id"),
                    "model": Field("run_data", ("model",)),
                    "model_provider": Field("run_data", ("model_provider",)),
                },
                measures=(Computed(name="runs", measure=Measure.COUNT),),
                where=Related(column="session_id", table="sessions", key="session_id", where=span),
            )
        )
        rows = daily_usage(sessions.records, runs.records, now=now)
        if not rows:
            return []
        stored = await self._store.execute(Upsert(table=METRICS, records=tuple(rows), rules=MERGED, on=IDENTITY))
        return [each.record for each in stored if each is not None]

    async def _first_day_owing(self) -> date | None:
        """The first day that is not known to be complete; `None` if there is nothing to compute from.

        A day with a completed row was computed after it ended: an incomplete row of that day or before belongs to an
        owner whose sessions are gone, and can never be completed.
        """
        completed = await self._day(LAST_DAY, completed=True)
        incomplete = await self._day(FIRST_DAY, completed=False, after=completed)
        owing = metrics_starting_date_from_days(completed, incomplete)
        if owing is not None:
            return owing
        first = await self._store.execute(
            Scan(table="sessions", order=(Order(Field("created_at")),), limit=1, columns=("created_at",))
        )
        return day_of(first.records[0]["created_at"]) if first.records else None

    async def _day(self, order: tuple[Order, ...], *, completed: bool, after: date | None = None) -> date | None:
        found = await self._store.execute(
            Scan(
                table=METRICS,
                where=all_of(
                    eq("completed", completed),
                    EVERYTHING if after is None else compare("date", Comparison.GT, after),
                ),
                order=order,
                limit=1,
                columns=("date",),
            )
        )
        return found.records[0]["date"] if found.records else None
