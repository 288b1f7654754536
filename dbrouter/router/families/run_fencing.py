"""Runs that a worker of the queue executes: writes of an attempt that is over, or over an end, are refused.

agno declares none of this on its base classes; it looks for it by name on the db of the component.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.errors import Conflict, Duplicate, MissingParent
from dbrouter.backends.kernel.filters import Filter, any_of, eq, is_null
from dbrouter.backends.kernel.merging import Next
from dbrouter.backends.kernel.ops import ABSENT, Change, Commit, Get, Insert, Put, Stored, Upsert, Write
from dbrouter.backends.kernel.racing import Attempts
from dbrouter.router.agno_queue import RunPersistOutcome
from dbrouter.router.agno_types import Session, build_single_run_row, canonical_run_status
from dbrouter.router.families.session_rows import row_of

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.router.families.context import Context

ENDS = ("completed", "cancelled")
"""What a run stays once it is that."""


class RunFencing:
    """Writes single runs, each in one atomic step."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def update_run_in_session(
        self,
        session_id: str,
        run_id: str,
        fields: dict[str, Any],
        expected_attempt: int | None = None,
        user_id: str | None = None,
        content_if_absent: str | None = None,
        session_data: dict[str, Any] | None = None,
    ) -> RunPersistOutcome:
        """What became of the write of these fields into the run: `UPDATED`, or why nothing was written.

        `MISSING`: this session has no such run of this user or of nobody. `STALE_ATTEMPT`: a later attempt than
        `expected_attempt` has written. `TERMINAL_REFUSED`: it completed or was cancelled, and that would change.
        content_if_absent: for a run without content. session_data: takes the place of the session's, in the same
        commit; `Unsupported` where the database commits one record at a time, `RuntimeError` if the user has no such
        session.
        """
        if fields.get("status") is not None:
            fields = {**fields, "status": canonical_run_status(fields["status"])}
        attempts = Attempts(self._store.runtime, f"run {run_id!r}")
        while True:
            stored = await self._store.execute(Get(table="runs", key=(run_id,), versioned=True))
            if stored is None or not _belongs(stored.record, session_id, user_id):
                return RunPersistOutcome.MISSING
            refused = _refusal(stored.record, fields, expected_attempt)
            if refused is not None:
                return refused
            try:
                await self._store.execute(
                    Commit(
                        writes=(
                            self._put(stored, fields, expected_attempt, content_if_absent),
                            *self._session_write(session_id, user_id, session_data),
                        )
                    )
                )
            except Conflict:
                if session_data is not None:
                    await self._require_session(session_id, user_id)
                await attempts.again()
            else:
                return RunPersistOutcome.UPDATED

    async def append_run_to_session_if_absent(
        self, session_id: str, run_dict: dict[str, Any], user_id: str | None = None
    ) -> bool | None:
        """Whether the run was stored, as the last of its session; a stored one of its id stays as it is.

        `None` if the session is not stored.
        """
        row = build_single_run_row(run=run_dict, session_id=session_id, user_id=user_id, run_index=None)
        upsert = Upsert(
            table="runs", records=(row,), rules={"run_index": Next("session_id")}, expect=ABSENT, returning=False
        )
        try:
            (written,) = await self._store.execute(upsert)
        except MissingParent:
            return None
        return written is not None

    async def insert_session_if_absent(self, session: Session) -> bool | None:
        """Whether the session was stored, without its runs; a stored one of its id stays as it is.

        `None` for what is no agent's, team's or workflow's session.
        """
        try:
            row = row_of(session, self._now())
        except ValueError:
            return None
        try:
            await self._store.execute(Insert(table="sessions", records=(row,)))
        except Duplicate:
            return False
        return True

    def _put(
        self, stored: Stored, fields: dict[str, Any], expected_attempt: int | None, content_if_absent: str | None
    ) -> Put:
        row = stored.record
        data = {**row["run_data"], **fields}
        if content_if_absent is not None and not data.get("content"):
            data["content"] = content_if_absent
        if expected_attempt is not None:
            data["queue_attempt"] = expected_attempt
        status = row["status"] if fields.get("status") is None else fields["status"]
        record = {**row, "run_data": data, "status": status, "updated_at": self._now()}
        return Put(table="runs", record=record, expect=stored.version)

    def _session_write(self, session_id: str, user_id: str | None, data: dict[str, Any] | None) -> tuple[Write, ...]:
        if data is None:
            return ()
        changes = {"session_data": data, "updated_at": self._now()}
        return (Change(table="sessions", key=(session_id,), changes=changes, where=_owned(user_id)),)

    async def _require_session(self, session_id: str, user_id: str | None) -> None:
        stored = await self._store.execute(Get(table="sessions", key=(session_id,), where=_owned(user_id)))
        if stored is None:
            raise RuntimeError("Cannot persist run metadata without its owned session")


def _belongs(row: Record, session_id: str, user_id: str | None) -> bool:
    return row["session_id"] == session_id and (row["user_id"] is None or row["user_id"] == user_id)


def _owned(user_id: str | None) -> Filter:
    return is_null("user_id") if user_id is None else any_of(eq("user_id", user_id), is_null("user_id"))


def _refusal(row: Record, fields: dict[str, Any], expected_attempt: int | None) -> RunPersistOutcome | None:
    data = row["run_data"]
    attempt = data.get("queue_attempt")
    if expected_attempt is not None and attempt is not None and attempt > expected_attempt:
        return RunPersistOutcome.STALE_ATTEMPT
    stored = str(data.get("status") or row["status"] or "").lower()
    incoming = str(fields.get("status") or "").lower()
    if stored in ENDS and incoming and incoming != stored:
        return RunPersistOutcome.TERMINAL_REFUSED
    return None
