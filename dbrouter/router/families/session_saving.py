"""Saving a session: owner guard, version check and three-way merge, one statement when nobody else wrote."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.agno_tables.sessions import SESSIONS
from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.errors import Conflict, Duplicate
from dbrouter.backends.kernel.merging import OwnerGuard, Record, Replace, Rule, SetTo
from dbrouter.backends.kernel.merging import merged as after_upsert
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Put, Stored, Upsert, Version
from dbrouter.backends.kernel.racing import Attempts
from dbrouter.backends.kernel.stored_form import as_stored
from dbrouter.router.agno_types import Session
from dbrouter.router.families.context import Context, Place
from dbrouter.router.families.session_origin import (
    BEFORE_ALL,
    Absences,
    LastSaves,
    Origin,
    hold,
    holder_of,
    origin_of,
    remember,
)
from dbrouter.router.families.session_rows import row_of, written_columns
from dbrouter.router.families.state_merge import merged

GUARD = OwnerGuard("user_id", claim=True)
"""An unowned session is claimed by its first owner; another owner's is never changed."""


class Saving:
    """Writes session rows. `absences` knows which callers were just told that a session does not exist."""

    def __init__(self, context: Context, absences: Absences) -> None:
        self._store = context.store
        self._now = context.now
        self._on_conflict = context.on_conflict
        self._place_of = context.place_of
        self._absences = absences
        self._last_saves = LastSaves()

    async def save(self, session: Session, *, whole: bool) -> Record | None:
        """The row as it is stored now; `None` if the session belongs to another owner.

        whole: whether the caller needs every column; otherwise those of the session's kind do, which costs less.
        Raises `Conflict` under `on_conflict: raise` when another writer changed the same state, and under `merge` if
        other writers were faster again and again.
        """
        holder = holder_of(session) or self._last_saves.holder(self._where(session), session)
        if holder is None:
            return await self._saved(session, whole=whole)
        hold(session, holder)
        # One after the other: two turns over the same data, as agno's caches have them, would both count what is new
        # since the last save.
        async with self._store.runtime.one_at_a_time(holder):
            return await self._saved(session, whole=whole)

    async def _saved(self, session: Session, *, whole: bool) -> Record | None:
        row = row_of(session, self._now())
        overwriting = self._upsert(row)
        place = self._place_of(overwriting)
        origin = self._origin(session, row["session_type"], place)
        if origin is None or self._on_conflict == "last_writer":
            return await self._overwrite(session, overwriting, place)
        return await self._merge(session, row, origin, whole=whole)

    def _origin(self, session: Session, kind: str, place: Place) -> Origin | None:
        found = origin_of(session, place)
        caller = self._store.runtime.caller()
        told = self._absences.take(place, session.session_id, caller)
        if found is None:
            if not told:
                return None
            found = Origin(
                session.session_id, own=None, seen=None, kind=kind, version=ABSENT, place=place, at=BEFORE_ALL
            )
        newer = self._last_saves.newer(place, session, found)
        if newer is not None:
            remember(session, newer)
        return newer or found

    def _where(self, session: Session) -> Place:
        return self._place_of(self._upsert(row_of(session, self._now())))

    async def _overwrite(self, session: Session, op: Upsert, place: Place) -> Record | None:
        (stored,) = await self._store.execute(op)
        if stored is None:
            return None
        self.remember(session, op.records[0]["session_data"], stored.record, stored.version, place)
        return stored.record

    async def _merge(self, session: Session, row: Record, origin: Origin, *, whole: bool) -> Record | None:
        if origin.version is None:
            return await self._merge_into_others(session, origin, whole=whole, lost=False)
        own = row["session_data"]
        data = own if origin.own == origin.seen else self._merged(origin.own_data(), own, origin.seen_data())
        record = {**row, "session_data": data}
        # A save does not change what kind of session is stored, and the answer is what is stored.
        whole = whole or origin.kind != row["session_type"]
        (written,) = await self._store.execute(self._upsert(record, origin.version, returning=whole))
        if written is None:
            return await self._merge_into_others(session, origin, whole=whole, lost=True)
        self.remember(session, own, {"session_data": data, "session_type": origin.kind}, written.version, origin.place)
        return written.record if whole else self._as_stored(record, origin.version)

    async def _merge_into_others(self, session: Session, origin: Origin, *, whole: bool, lost: bool) -> Record | None:
        """The row, saved over what others have written since it was read. Each try is a read and a write."""
        session_id = session.session_id
        # Who has lost once is likely to again, and mostly to agents of the same process.
        async with self._store.runtime.one_at_a_time(("session", origin.place, session_id)):
            attempts = Attempts(self._store.runtime, f"session {session_id!r}", told="save it again")
            while True:
                if lost:
                    # Before the read: what is read before a pause is old after it.
                    await attempts.again()
                lost = True
                stored = await self._store.execute(Get(table="sessions", key=(session_id,), versioned=True))
                # Another turn over the same data may have saved them meanwhile: then less is new.
                origin = origin_of(session, origin.place) or origin
                row = row_of(session, self._now())
                put = self._over(stored, row, origin)
                if put is None:
                    return None
                try:
                    (version,) = await self._store.execute(Commit(writes=(put,)))
                except (Conflict, Duplicate):
                    continue
                self.remember(session, row["session_data"], put.record, version, origin.place)
                # Whole rows are the caller's to keep, and share nothing with the session.
                return as_stored(SESSIONS, put.record) if whole else put.record

    def _over(self, stored: Stored | None, row: Record, origin: Origin) -> Put | None:
        """What saves the row over what is stored; `None` if that belongs to another owner."""
        if stored is None:
            # Deleted since it was read; agno's save brings it back, so does ours.
            return Put(table="sessions", record=row, expect=ABSENT)
        if not GUARD.admits(stored.record, row):
            return None
        if origin.version is ABSENT and stored.record["user_id"] is None and row["user_id"] is not None:
            # It was there, and hidden from its first owner because it had none: what is stored is not of that one.
            data = row["session_data"]
        else:
            data = self._merged(origin.own_data(), row["session_data"], stored.record["session_data"])
        record = after_upsert(stored.record, {**row, "session_data": data}, self._rules(row))
        # No upsert: a database that merges by itself would have to read the record again.
        return Put(table="sessions", record=record, expect=stored.version)

    def _merged(self, base: Any, mine: Any, theirs: Any) -> Any:
        return merged(base or {}, mine or {}, theirs or {}, strict=self._on_conflict == "raise")

    def _upsert(self, row: Record, expect: Any = None, *, returning: bool = True) -> Upsert:
        return Upsert(
            table="sessions",
            records=(row,),
            rules=self._rules(row),
            guard=GUARD,
            expect=expect,
            returning=returning,
        )

    def _rules(self, row: Record) -> dict[str, Rule]:
        rules: dict[str, Rule] = dict.fromkeys(written_columns(row["session_type"]), Replace())
        rules["updated_at"] = SetTo(self._now())
        return rules

    def _as_stored(self, row: Record, version: Any) -> Record:
        """The row just written, without reading it back: what is not in it did not change since it was read."""
        return row if version is ABSENT else {**row, "updated_at": self._now()}

    def remember(self, session: Session, own: Any, stored: Record, version: Version, place: Place) -> None:
        """The session holds its `own` data, and this row is stored."""
        seen, kind = stored["session_data"], stored["session_type"]
        text = None if own is None else encode(own, what="sessions.session_data")
        same = seen is own or seen == own
        seen_text = text if same else encode(seen, what="sessions.session_data")
        origin = Origin(session.session_id, own=text, seen=seen_text, kind=kind, version=version, place=place)
        self._last_saves.note(place, session, remember(session, origin))
