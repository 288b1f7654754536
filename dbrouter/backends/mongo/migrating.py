"""An older agno's collections brought to today's shape. Documents need no columns: runs, unique sets and stamps do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import OutdatedSchema, StoreError
from dbrouter.backends.kernel.legacy_runs import records_of, uncopied_since
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.migrating import LEGACY_RUNS, SUPERSEDED, TODAY, UNSTAMPED, Step, Told, Work, is_older
from dbrouter.backends.kernel.ops import Upsert
from dbrouter.backends.kernel.tables import Column, Kind
from dbrouter.backends.mongo import writes
from dbrouter.backends.mongo.documents import record_of
from dbrouter.backends.mongo.wire import Wire, settled

SESSIONS_AT_ONCE = 50
PROBED = 1_000
"""Sessions that are looked into for runs inside them, the oldest first: those of an older agno come first."""

_WITH_RUNS = replace(
    TABLES["sessions"],
    columns=(
        Column(name="session_id", kind=Kind.STRING, nullable=False),
        Column(name="user_id", kind=Kind.STRING),
        Column(name=LEGACY_RUNS, kind=Kind.JSON),
    ),
)
_HOLDING: Final[dict[str, Any]] = {f"{LEGACY_RUNS}.0": {"$exists": True}}

_OUTLIVED = {**SUPERSEDED, "schedules": ("name",)}
"""Unique indexes of older agnos, which would refuse what two users may have today."""


class MongoMigration:
    """The migration of what one store speaks to. within: keeps a call's deadline, and translates what goes wrong."""

    def __init__(self, wire: Wire, within: Callable[[], AbstractContextManager[None]]) -> None:
        self._wire = wire
        self._within = within

    async def plan(self) -> tuple[Step, ...]:
        """What is left to do, in order."""
        with self._within():
            return await self._plan()

    async def take(self, step: Step, told: Told) -> None:
        """Take one step."""
        if step.work is Work.RUNS:
            # A deadline for each batch, not for all.
            after: str | None = ""
            while after is not None:
                with self._within():
                    after = await self._copy_runs(after, told)
            return
        with self._within():
            await self._take(step)

    async def forget_legacy_runs(self) -> bool:
        """Unset the field that the runs were copied from, where there is any.

        What an older agno wrote there after they were copied is copied first, session after session.
        """
        if any(step.work is Work.RUNS for step in await self.plan()):
            raise StoreError("the runs in it were not copied yet; run `dbrouter migrate --apply` first")
        with self._within():
            held = self._wire.at("sessions")
            of_sessions = {"table_name": self._wire.layout.name("sessions")}
            stamps = await self._wire.values(self._wire.at("versions").find(of_sessions))
        since = uncopied_since(stamps[0].get("updated_at") if stamps else None)
        after: str | None = ""
        dropped = 0
        while after is not None:
            with self._within():
                found = await self._holding(after)
                await self._copy(found, since)
                # Only where no run has come to those that were read.
                for each in found:
                    read = {"session_id": each["session_id"], LEGACY_RUNS: {"$size": len(each[LEGACY_RUNS])}}
                    dropped += (await settled(held.update_many(read, {"$unset": {LEGACY_RUNS: ""}}))).modified_count
                after = found[-1]["session_id"] if found else None
        with self._within():
            empty = {LEGACY_RUNS: {"$exists": True}, f"{LEGACY_RUNS}.0": {"$exists": False}}
            dropped += (await settled(held.update_many(empty, {"$unset": {LEGACY_RUNS: ""}}))).modified_count
            if left := await settled(held.count_documents({**_HOLDING, "session_id": {"$gt": ""}})):
                raise StoreError(
                    f"{left} sessions have got runs while they were copied, and keep them: an older agno still writes"
                    " here; stop it, then drop the old runs again"
                )
        return bool(dropped)

    async def _plan(self) -> tuple[Step, ...]:
        there = await self._wire.collections()
        steps: list[Step] = []
        stamps = await _stamps(self._wire)
        found = {name: self._wire.layout.name(name) for name in TABLES if self._wire.layout.name(name) in there}
        for table in _OUTLIVED:
            if table in found and (old := await self._outlived(table)):
                steps.append(Step(work=Work.OWNERS, table=table, physical=found[table], name=", ".join(old)))
        if "sessions" in found and ("runs" not in found or is_older(stamps.get(found["sessions"], UNSTAMPED))):
            holding = await settled(self._wire.at("sessions").count_documents(_HOLDING))
            if holding:
                steps.append(Step(work=Work.RUNS, table="sessions", physical=found["sessions"], rows=holding))
                # With the first run its collection is there.
                found.setdefault("runs", self._wire.layout.name("runs"))
        steps += self._stamping(found, stamps)
        return tuple(steps)

    async def _take(self, step: Step) -> None:
        match step.work:
            case Work.OWNERS:
                await self._let_owners_differ(step)
            case Work.STAMP:
                stamp = {"table_name": step.physical, "version": step.name, "updated_at": int(time.time())}
                stamps = self._wire.at("versions")
                await settled(stamps.update_one({"table_name": step.physical}, {"$set": stamp}, upsert=True))
            case _:
                raise StoreError(f"{step}: MongoDB has no such step")

    def _stamping(self, found: dict[str, str], stamps: dict[str, str]) -> Iterator[Step]:
        for table, physical in found.items():
            if table != "versions" and is_older(stamps.get(physical, UNSTAMPED)):
                if table == "learnings":
                    yield Step(work=Work.LEARNINGS, table=table, physical=physical)
                yield Step(work=Work.STAMP, table=table, physical=physical, name=TODAY)

    async def _outlived(self, table: str) -> list[str]:
        columns = list(_OUTLIVED[table])
        there = await settled(self._wire.at(table).index_information())
        return [
            name
            for name, each in there.items()
            if each.get("unique") and [column for column, _ in each["key"]] == columns
        ]

    async def _let_owners_differ(self, step: Step) -> None:
        held = self._wire.at(step.table)
        for name in await self._outlived(step.table):
            await settled(held.drop_index(name))
        if step.table == "metrics":
            # As agno has it on SQL: what nobody owned is nobody's, and a day that was not over is computed anew.
            await settled(held.update_many({"user_id": None}, {"$set": {"user_id": ""}}))
            days = [
                each["date"] for each in await self._wire.values(held.find({}, {"date": 1}).sort("date", -1).limit(1))
            ]
            over = await self._wire.values(held.find({"completed": True}, {"date": 1}).sort("date", -1).limit(1))
            if days and (not over or days[0] > over[0]["date"]):
                await settled(held.delete_many({"date": days[0], "completed": False, "user_id": ""}))

    async def _copy_runs(self, after: str, told: Told) -> str | None:
        """Copy the runs of the next sessions; answers the last of them, `None` if there was none."""
        found = await self._holding(after)
        await self._copy(found)
        told(len(found))
        return found[-1]["session_id"] if found else None

    async def _holding(self, after: str) -> list[Record]:
        """The next sessions with runs in them."""
        where = {**_HOLDING, "session_id": {"$gt": after}}
        cursor = self._wire.at("sessions").find(where).sort("session_id", 1).limit(SESSIONS_AT_ONCE)
        return [record_of(_WITH_RUNS, each) for each in await self._wire.rows(cursor)]

    async def _copy(self, sessions: list[Record], since: float | None = None) -> None:
        for session in sessions:
            held, owner = session["session_id"], session["user_id"]
            runs, now = session[LEGACY_RUNS], int(time.time())
            if some := tuple(records_of(runs, session_id=held, user_id=owner, now=now, since=since)):
                # Without rules: a run that is there already stays as it is.
                await writes.upsert(self._wire, Upsert(table="runs", records=some, returning=False))


async def refuse_unmoved(wire: Wire) -> None:
    """Raise `OutdatedSchema` if sessions still hold their runs: read without them they would have no history."""
    held = wire.layout.name("sessions")
    pipeline = [{"$limit": PROBED}, {"$match": _HOLDING}, {"$limit": 1}, {"$project": {"_id": 1}}]
    if not await wire.rows(wire.at("sessions").aggregate(pipeline)):
        return
    if is_older((await _stamps(wire)).get(held, UNSTAMPED)):
        raise OutdatedSchema(
            f"{wire.database}.{held} still holds runs that belong in a collection of their own: an older agno made it;"
            " bring it to today's schema with `dbrouter migrate --apply`"
        )


async def _stamps(wire: Wire) -> dict[str, str]:
    found = await wire.values(wire.at("versions").find({}))
    return {str(each["table_name"]): cast("str", each.get("version")) or UNSTAMPED for each in found}
