"""Sessions: the row of a conversation, its history attached when read, its state merged when written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dbrouter.backends.kernel.agno_tables.sessions import SESSIONS
from dbrouter.backends.kernel.codec import decode, encode
from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Comparison,
    Contains,
    Field,
    Filter,
    Not,
    Related,
    all_of,
    any_of,
    compare,
    eq,
    equals,
    is_null,
    one_of,
)
from dbrouter.backends.kernel.merging import OwnerGuard, Record, Replace, Rule
from dbrouter.backends.kernel.ops import Children, Delete, Get, Load, Loaded, Order, Scan, Update, Upsert, Version
from dbrouter.backends.kernel.racing import Attempts
from dbrouter.router.agno_types import HISTORY_SKIP_STATUSES, Session, SessionType
from dbrouter.router.families.context import Context, Place
from dbrouter.router.families.moments import seconds
from dbrouter.router.families.paging import limited, offset_of, sorting
from dbrouter.router.families.payloads import Payloads
from dbrouter.router.families.run_cache import RunCache
from dbrouter.router.families.session_origin import Absences, Holder, Origin, hold, holder_of, remember
from dbrouter.router.families.session_rows import row_of, runs_as_dicts, session_object, written_columns
from dbrouter.router.families.session_saving import GUARD, Saving

RUN_ORDER = (Order(Field("run_index")), Order(Field("created_at")))
HISTORY = Children(
    table="runs", on=("session_id",), columns=("run_id", "run_data"), order=RUN_ORDER, raw=frozenset({"run_data"})
)
CONTEXT_RUNS: Filter = all_of(
    is_null("parent_run_id"), any_of(is_null("status"), Not(one_of("status", list(HISTORY_SKIP_STATUSES))))
)
"""The runs that make up a conversation: no member runs, none that agno keeps out of the history."""
BUSY = ("PENDING", "RUNNING", "PAUSED")
LEFTOVERS = (("transcripts", "agno_session_id"), ("compactions", "session_id"), ("tool_results", "session_id"))
"""What may be stored of a session that is not, and the column that names the session."""
COMPONENT_COLUMNS = ("agent_id", "team_id", "workflow_id")


class Sessions:
    """agno's session methods."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now
        self._place_of = context.place_of
        self._absences = Absences()
        self._runs = RunCache()
        self._saving = Saving(context, self._absences)
        self._payloads = Payloads(context)

    async def get_session(
        self,
        session_id: str,
        session_type: SessionType | None = None,
        user_id: str | None = None,
        deserialize: bool | None = True,
        runs_limit: int | None = None,
    ) -> Session | Record | None:
        """The session with its runs, or `None`. One request.

        session_type: the class to build, not a filter. runs_limit: attach only the last so many runs that belong in a
        conversation's context.
        """
        load = _loading(session_id, user_id, runs_limit)
        place = self._place_of(load)
        loaded = await self._store.execute(load)
        if loaded is None:
            self._absences.tell(place, session_id, self._store.runtime.caller())
            return None
        self._absences.found(place, session_id, self._store.runtime.caller())
        return self._answer(loaded, place, session_type, deserialize=bool(deserialize))

    async def get_sessions(
        self,
        session_type: SessionType | None = None,
        user_id: str | None = None,
        component_id: str | None = None,
        session_name: str | None = None,
        start_timestamp: int | None = None,
        end_timestamp: int | None = None,
        limit: int | None = None,
        page: int | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
        deserialize: bool | None = True,
        include_runs: bool = True,  # agno's signature
    ) -> list[Session] | tuple[list[Record], int]:
        """A page of sessions; with `deserialize` false, (rows, how many match in all).

        include_runs: whether their histories are read too.
        """
        scan = Scan(
            table="sessions",
            where=_filter(session_type, user_id, component_id, session_name, start_timestamp, end_timestamp),
            order=sorting(SESSIONS, sort_by, sort_order, (Order(Field("created_at")),)),
            limit=limit,
            offset=offset_of(limit, page),
            total=not deserialize,
            raw=frozenset({"session_data"}) if deserialize else frozenset(),
        )
        found = await self._store.execute(scan)
        runs = await self._histories([row["session_id"] for row in found.records]) if include_runs else None
        for row in found.records:
            row["runs"] = None if runs is None else runs.get(row["session_id"], [])
        if not deserialize:
            return found.records, found.total or 0
        place = self._place_of(scan)
        return [_read(session_object(session_type, _decoded(row)), row, None, place) for row in found.records]

    async def upsert_session(self, session: Session, deserialize: bool | None = True) -> Session | Record | None:
        """The session as stored, or `None` if it belongs to another owner. Runs are saved by `upsert_run`.

        `session_data` is merged with what others wrote since this object was read (see `state_merge`).
        """
        saved = await self._saving.save(session, whole=not deserialize)
        return None if saved is None else self._saved(session, saved, deserialize=bool(deserialize))

    async def upsert_sessions(
        self,
        sessions: list[Session],
        deserialize: bool | None = True,
        preserve_updated_at: bool = False,  # agno's signature
    ) -> list[Session | Record]:
        """The sessions as stored, agents' first, then teams', then workflows'; another owner's are left out.

        Rows are written as given, without a merge: this is agno's bulk import.
        """
        results: list[Session | Record] = []
        for kind in ("agent", "team", "workflow"):
            mine = [(each, row) for each in sessions if (row := row_of(each, self._now()))["session_type"] == kind]
            if not mine:
                continue
            records = tuple(
                {**row, "updated_at": each.updated_at if preserve_updated_at else self._now()} for each, row in mine
            )
            rules: dict[str, Rule] = dict.fromkeys((*written_columns(kind), "updated_at"), Replace())
            upsert = Upsert(table="sessions", records=records, rules=rules, guard=GUARD)
            place = self._place_of(upsert)
            for (each, row), one in zip(mine, await self._store.execute(upsert), strict=True):
                if one is not None:
                    self._saving.remember(each, row["session_data"], one.record, one.version, place)
                    results.append(self._saved(each, one.record, deserialize=bool(deserialize)))
        return results

    async def rename_session(
        self,
        session_id: str,
        session_type: SessionType | None,
        session_name: str,
        user_id: str | None = None,
        deserialize: bool | None = True,
    ) -> Session | Record | None:
        """The renamed session with its runs, or `None` if there is none like that."""
        wanted = all_of(equals(user_id=user_id), equals(session_type=_type_name(session_type)))
        attempts = Attempts(self._store.runtime, f"session {session_id!r}", told="rename it again")
        while True:
            load = _loading(session_id, None, None, wanted)
            loaded = await self._store.execute(load)
            if loaded is None:
                return None
            data = decode(loaded.record["session_data"]) if loaded.record["session_data"] is not None else {}
            renamed = {**loaded.record, "session_data": {**data, "session_name": session_name}}
            (written,) = await self._store.execute(
                Upsert(
                    table="sessions",
                    records=(renamed,),
                    rules={"session_data": Replace()},
                    guard=OwnerGuard("user_id", claim=True),
                    expect=loaded.version,
                )
            )
            if written is not None:
                named = {**written.record, "session_data": encode(written.record["session_data"])}
                return self._answer(
                    Loaded(named, written.version, loaded.children),
                    self._place_of(load),
                    session_type,
                    deserialize=bool(deserialize),
                )
            await attempts.again()

    async def delete_session(self, session_id: str, user_id: str | None = None) -> bool:
        """Whether the session was there (and the user's); all that belongs to it goes with it.

        That is its runs, transcripts, compactions and tool results, and these results' texts, wherever agno has
        registered where they are.
        """
        owned = equals(user_id=user_id)
        # Read first: then it is known where the session is, and no other database is asked for what belongs to it.
        if await self._store.execute(Get(table="sessions", key=(session_id,), where=owned)) is None:
            return False
        texts = await self._payloads.of([session_id])
        where = all_of(eq("session_id", session_id), owned)
        if await self._store.execute(Delete(table="sessions", where=where)) == 0:
            return False
        await self._payloads.remove(texts)
        return True

    async def delete_sessions(self, session_ids: list[str], user_id: str | None = None) -> None:
        """Delete these sessions (of the user's, if one is given) with all that belongs to them.

        Without a user, what was left of sessions that are not stored any more goes too.
        """
        if user_id is not None:
            session_ids = await self._owned(session_ids, user_id)
        if not session_ids:
            return
        texts = await self._payloads.of(session_ids)
        where = all_of(one_of("session_id", session_ids), equals(user_id=user_id))
        await self._store.execute(Delete(table="sessions", where=where))
        if user_id is None:
            for table, column in LEFTOVERS:
                await self._store.execute(Delete(table=table, where=one_of(column, session_ids)))
        await self._payloads.remove(texts)

    async def reassign_session_owner(self, session_id: str, *, previous_user_id: str, user_id: str | None) -> bool:
        """Whether the session changed hands: only from this owner, and only with no run pending, running or paused."""
        busy = Related("session_id", "runs", "session_id", all_of(eq("session_id", session_id), one_of("status", BUSY)))
        where = all_of(eq("session_id", session_id), eq("user_id", previous_user_id), Not(busy))
        changed = await self._store.execute(
            Update(table="sessions", where=where, changes={"user_id": user_id}, returning=False)
        )
        return bool(changed)

    async def _owned(self, session_ids: list[str], user_id: str) -> list[str]:
        where = all_of(one_of("session_id", session_ids), eq("user_id", user_id))
        found = await self._store.execute(Scan(table="sessions", where=where, columns=("session_id",)))
        return [record["session_id"] for record in found.records]

    def _answer(
        self, loaded: Loaded, place: Place, session_type: SessionType | None, *, deserialize: bool
    ) -> Session | Record:
        row = _decoded(loaded.record)
        if not deserialize:
            return {**row, "runs": [decode(run["run_data"]) for run in loaded.children]}
        if row["session_type"] == "agent" and session_type in (None, SessionType.AGENT):
            stored = ((run["run_id"], run["run_data"]) for run in loaded.children)
            runs = self._runs.runs(place, str(row["session_id"]), stored)
            session = session_object(session_type, row, runs)
        else:
            session = session_object(
                session_type, {**row, "runs": [decode(run["run_data"]) for run in loaded.children]}
            )
        return _read(session, loaded.record, loaded.version, place)

    def _saved(self, session: Session, row: Record, *, deserialize: bool) -> Session | Record:
        if not deserialize:
            return {**row, "runs": runs_as_dicts(session)}
        saved = session_object(None, row, session.runs or [])
        setattr(saved, "runs", session.runs)  # noqa: B010  # one kind of session, which the type cannot say
        holder = holder_of(session)
        if holder is not None:
            same = saved.session_data is session.session_data
            hold(saved, holder if same else Holder(holder.origin))
        return saved

    async def _histories(self, session_ids: list[str]) -> dict[str, list[Any]]:
        if not session_ids:
            return {}
        found = await self._store.execute(
            Scan(
                table="runs",
                where=one_of("session_id", session_ids),
                order=RUN_ORDER,
                columns=("session_id", "run_data"),
            )
        )
        histories: dict[str, list[Any]] = {}
        for run in found.records:
            histories.setdefault(run["session_id"], []).append(run["run_data"])
        return histories


def _decoded(row: Record) -> Record:
    """The row, of which the data were read as text."""
    text = row["session_data"]
    return {**row, "session_data": None if text is None else decode(text)}


def _read(session: Session, row: Record, version: Version | None, place: Place) -> Session:
    """The session, as it was read from the row with its data as text."""
    text, kind = row["session_data"], row["session_type"]
    remember(session, Origin(session.session_id, own=text, seen=text, kind=kind, version=version, place=place))
    return session


def _loading(session_id: str, user_id: str | None, runs_limit: int | None, where: Filter = EVERYTHING) -> Load:
    last = limited(runs_limit, "runs_limit")
    history = HISTORY if last is None else replace(HISTORY, where=CONTEXT_RUNS, limit=last)
    return Load(
        table="sessions",
        key=(session_id,),
        where=all_of(equals(user_id=user_id), where),
        children=history,
        raw=frozenset({"session_data"}),
    )


def _filter(
    session_type: SessionType | None,
    user_id: str | None,
    component_id: str | None,
    session_name: str | None,
    start_timestamp: int | None,
    end_timestamp: int | None,
) -> Filter:
    parts: list[Filter] = [equals(user_id=user_id, session_type=_type_name(session_type))]
    if component_id is not None:
        columns = COMPONENT_COLUMNS if session_type is None else (f"{_type_name(session_type)}_id",)
        parts.append(any_of(*(eq(column, component_id) for column in columns)))
    if (since := seconds(start_timestamp, "start_timestamp")) is not None:
        parts.append(compare("created_at", Comparison.GE, since))
    if (until := seconds(end_timestamp, "end_timestamp")) is not None:
        parts.append(compare("created_at", Comparison.LE, until))
    if session_name:
        # "" is in every name and, as in agno, in that of a session without one: so asks a search box that was emptied.
        parts.append(Contains(Field("session_data", ("session_name",)), session_name))
    return all_of(*parts)


def _type_name(session_type: SessionType | str | None) -> str | None:
    return session_type.value if isinstance(session_type, SessionType) else session_type
