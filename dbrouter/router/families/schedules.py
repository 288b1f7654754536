"""Schedules: calls that are made when their time comes, by one worker each."""

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
from dbrouter.backends.kernel.ops import KEEP_VALUE, Change, Choice, Claim, Delete, Get, Insert, Order, Scan, Update
from dbrouter.router.agno_types import build_run_endpoint, validate_schedule_update  # pyright: ignore[reportUnknownVariableType]
from dbrouter.router.families.paging import offset_of

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.store import Store
    from dbrouter.router.families.context import Context

SCHEDULES = "schedules"
NEWEST_FIRST = (Order(Field("created_at"), descending=True),)
NEXT_DUE_FIRST = (Order(Field("next_run_at")),)

ENABLED = eq("enabled", True)

PROVENANCE = frozenset(
    {
        "managed_by",
        "target_type",
        "target_id",
        "created_by_run_id",
        "created_by_session_id",
        "updated_by_run_id",
        "updated_by_session_id",
    }
)
"""What a control plane may write and `update_schedule` may not."""


class Schedules:
    """Keeps schedules and hands each due one to one worker."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def get_schedule(self, schedule_id: str, user_id: str | None = None) -> Record | None:
        """The schedule, or `None` if there is none with this id (and this owner, if one is given)."""
        stored = await self._store.execute(Get(table=SCHEDULES, key=(schedule_id,), where=equals(user_id=user_id)))
        return None if stored is None else stored.record

    async def get_schedule_by_name(self, name: str, user_id: str | None = None) -> Record | None:
        """The owner's schedule of this name; without an owner, the unowned one of this name, nobody else's."""
        owner = is_null("user_id") if user_id is None else eq("user_id", user_id)
        found = await self._store.execute(Scan(table=SCHEDULES, where=all_of(eq("name", name), owner), limit=1))
        return found.records[0] if found.records else None

    async def get_schedules(
        self,
        enabled: bool | None = None,
        limit: int = 100,
        page: int = 1,
        user_id: str | None = None,
        raise_on_error: bool = False,  # noqa: ARG002  # agno's signature; see below
    ) -> tuple[list[Record], int]:
        """One page of the schedules that match, newest first, and how many match in all.

        raise_on_error: asks that a failure is not told as an empty list. Ours never is, so it changes nothing; a table
        that was never written to is no failure, and its list is empty.
        """
        found = await self._store.execute(
            Scan(
                table=SCHEDULES,
                where=equals(enabled=enabled, user_id=user_id),
                order=NEWEST_FIRST,
                limit=limit,
                offset=offset_of(limit, page),
                total=True,
            )
        )
        return found.records, found.total or 0

    async def create_schedule(self, schedule_data: Record) -> Record:
        """The given schedule, once it is stored.

        A taken id, or a name that this owner has given already, raises `Duplicate`.
        """
        await self._store.execute(Insert(table=SCHEDULES, records=(dict(schedule_data),)))
        return schedule_data

    async def update_schedule(self, schedule_id: str, user_id: str | None = None, **kwargs: Any) -> Record | None:
        """The changed schedule, or `None` if there is none with this id (and this owner, if one is given).

        Enabling it forgets why it was disabled. A name that its owner has given already raises `Duplicate`; a column
        that only a dedicated method may change raises `ValueError`.
        """
        validate_schedule_update(kwargs)
        if kwargs.get("enabled") is True:
            kwargs.setdefault("disabled_reason", None)
        changed = await self._store.execute(
            Update(
                table=SCHEDULES,
                where=equals(id=schedule_id, user_id=user_id),
                changes={**kwargs, "updated_at": self._now()},
            )
        )
        return changed[0] if changed else None

    async def delete_schedule(self, schedule_id: str, user_id: str | None = None) -> bool:
        """Whether there was such a schedule (of this owner, if one is given) to delete, together with all its runs.

        A foreign owner's schedule keeps all its runs, also those that name the caller: agno deletes these.
        """
        deleted = await self._store.execute(Delete(table=SCHEDULES, where=equals(id=schedule_id, user_id=user_id)))
        return deleted > 0

    async def disable_schedules_for_target(self, target_type: str, target_id: str, reason: str | None = None) -> int:
        """How many enabled schedules, whoever owns them, called this component and are disabled now.

        A schedule calls a component if it is tagged with it or if its endpoint is the component's run route.
        """
        changed = await self._store.execute(
            Update(
                table=SCHEDULES,
                where=all_of(ENABLED, _calling(target_type, target_id)),
                changes=_disabled(reason, self._now()),
                returning=False,
            )
        )
        return len(changed)

    async def stamp_schedule_provenance(self, schedule_id: str, **provenance: Any) -> bool:
        """Whether there is such a schedule; it now says who manages it, what it calls, and which runs wrote it.

        Any other column raises `ValueError`.
        """
        if rejected := sorted(set(provenance) - PROVENANCE):
            raise ValueError(f"stamp_schedule_provenance cannot write {rejected}")
        changed = await self._store.execute(
            Update(
                table=SCHEDULES,
                where=eq("id", schedule_id),
                changes={**provenance, "updated_at": self._now()},
                returning=False,
            )
        )
        return bool(changed)

    async def claim_due_schedule(self, worker_id: str, lock_grace_seconds: int = 300) -> Record | None:
        """The schedule that has been due longest, now locked by this worker; `None` if none is due.

        A lock older than the grace is taken over. Of all workers that ask at once, one gets a schedule.
        """
        now = self._now()
        return await self._store.execute(
            Claim(
                table=SCHEDULES,
                where=all_of(
                    eq("enabled", True),  # a column's value
                    compare("next_run_at", Comparison.LE, now),
                    any_of(is_null("locked_by"), compare("locked_at", Comparison.LE, now - lock_grace_seconds)),
                ),
                order=NEXT_DUE_FIRST,
                changes={"locked_by": worker_id, "locked_at": now},
            )
        )

    async def release_schedule(
        self,
        schedule_id: str,
        next_run_at: int | None = None,
        *,
        worker_id: str | None = None,
        locked_at: int | None = None,
    ) -> bool:
        """Whether there was such a lock (of this worker and claim, if given) to release.

        next_run_at: when it is due next; without it, as before. A schedule whose cron was cleared meanwhile is not
        due again, whatever the worker that held it believes.
        """
        changed = await self._store.execute(
            Update(
                table=SCHEDULES,
                where=equals(id=schedule_id, locked_by=worker_id, locked_at=locked_at),
                changes={
                    "locked_by": None,
                    "locked_at": None,
                    "next_run_at": Choice(
                        where=eq("cron_expr", ""),
                        then=None,
                        otherwise=KEEP_VALUE if next_run_at is None else next_run_at,
                    ),
                    "updated_at": self._now(),
                },
                returning=False,
            )
        )
        return bool(changed)


async def disabling(store: Store, target_type: str, target_id: str, *, reason: str, now: int) -> list[Change]:
    """What disables every enabled schedule that calls this component, for a commit with other changes."""
    where = all_of(ENABLED, _calling(target_type, target_id))
    found = await store.execute(Scan(table=SCHEDULES, where=where, columns=("id",)))
    return [
        Change(table=SCHEDULES, key=(record["id"],), changes=_disabled(reason, now), where=ENABLED)
        for record in found.records
    ]


def _calling(target_type: str, target_id: str) -> Filter:
    """Schedules that are tagged with the component, or whose endpoint is its run route."""
    endpoint = build_run_endpoint(target_type, target_id)
    return any_of(
        equals(target_type=target_type, target_id=target_id),
        # agno's routes take both spellings.
        one_of("endpoint", (endpoint, f"{endpoint}/")),
    )


def _disabled(reason: str | None, now: int) -> dict[str, Any]:
    return {"enabled": False, "disabled_reason": reason, "updated_at": now}
