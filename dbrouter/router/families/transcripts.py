"""What agents of other frameworks wrote down of their sessions, entry by entry."""

from __future__ import annotations

import json
import time
from typing import Any

from dbrouter.backends.kernel.errors import Duplicate, Unsupported
from dbrouter.backends.kernel.filters import Comparison, Field, Filter, all_of, compare, eq, one_of
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Aggregate, Computed, Delete, Insert, Measure, Order, Scan
from dbrouter.backends.kernel.racing import Attempts
from dbrouter.router.families.context import Context

TRANSCRIPTS = "transcripts"
IN_ORDER = (Order(Field("position")),)
WHOLE = ""
"""The subpath of a transcript that is no part of another."""
APPEND_AGAIN = "what is missing of these entries is written when they are appended again"


class Transcripts:
    """Appends to transcripts and reads them. An entry with a uuid is kept once."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def append_transcript_entries(
        self,
        framework: str,
        project_key: str,
        session_id: str,
        entries: list[dict[str, Any]],
        agno_session_id: str,
        subpath: str | None = None,
    ) -> None:
        """Store the entries behind those that are there, in order. Known ones are left out.

        All are written or none, but on a database that commits one record at a time: what a failure leaves there is a
        beginning of them, and appending again writes what is missing of those that have uuids.
        """
        transcript = {
            "framework": framework,
            "project_key": project_key,
            "session_id": session_id,
            "subpath": subpath or WHOLE,
        }
        attempts = Attempts(self._store.runtime, f"transcript {session_id}", told=APPEND_AGAIN)
        left = list(entries)
        while True:
            last, known = await self._met(transcript, [entry["uuid"] for entry in left if entry.get("uuid")])
            new = _numbered(transcript, left, agno_session_id, last, known)
            stored = await self._stored([record for _, record in new])
            if stored == len(new):
                return
            # Another writer appended meanwhile; positions and uuids of what is left are looked up again.
            if stored:
                left = left[new[stored - 1][0] + 1 :]
            await attempts.again()

    async def get_transcript_entries(
        self, framework: str, project_key: str, session_id: str, subpath: str | None = None
    ) -> list[dict[str, Any]]:
        """The transcript's entries in order."""
        found = await self._store.execute(
            Scan(
                table=TRANSCRIPTS,
                where=all_of(_of(framework, project_key, session_id), eq("subpath", subpath or WHOLE)),
                order=IN_ORDER,
                columns=("entry",),
            )
        )
        return [json.loads(record["entry"]) for record in found.records]

    async def list_transcript_sessions(self, framework: str, project_key: str) -> list[Record]:
        """Per session of the project, `session_id` and `mtime`: when its last entry came, in epoch milliseconds."""
        found = await self._store.execute(
            Aggregate(
                table=TRANSCRIPTS,
                by={"session_id": Field("session_id")},
                measures=(Computed(name="mtime", measure=Measure.MAX, field=Field("created_at")),),
                where=all_of(eq("framework", framework), eq("project_key", project_key), eq("subpath", WHOLE)),
            )
        )
        return found.records

    async def list_transcript_subpaths(self, framework: str, project_key: str, session_id: str) -> list[str]:
        """The names of the transcript's parts, sorted."""
        found = await self._store.execute(
            Aggregate(
                table=TRANSCRIPTS,
                by={"subpath": Field("subpath")},
                measures=(),
                where=all_of(_of(framework, project_key, session_id), compare("subpath", Comparison.NE, WHOLE)),
                order=(Order(Field("subpath")),),
            )
        )
        return [record["subpath"] for record in found.records]

    async def delete_transcript(
        self, framework: str, project_key: str, session_id: str, subpath: str | None = None
    ) -> None:
        """Delete the transcript with all of its parts, or the one part that is named."""
        whole = _of(framework, project_key, session_id)
        await self._store.execute(
            Delete(table=TRANSCRIPTS, where=whole if subpath is None else all_of(whole, eq("subpath", subpath)))
        )

    async def _met(self, transcript: Record, uuids: list[str]) -> tuple[int, set[str]]:
        """The last position of the transcript (0 if it is empty), and which of the entries it has."""
        where = all_of(*(eq(column, value) for column, value in transcript.items()))
        last = await self._store.execute(
            Scan(
                table=TRANSCRIPTS,
                where=where,
                order=(Order(Field("position"), descending=True),),
                limit=1,
                columns=("position",),
            )
        )
        if not last.records or not uuids:
            return (last.records[0]["position"] if last.records else 0), set()
        known = await self._store.execute(
            Scan(table=TRANSCRIPTS, where=all_of(where, one_of("entry_uuid", uuids)), columns=("entry_uuid",))
        )
        return last.records[0]["position"], {record["entry_uuid"] for record in known.records}

    async def _stored(self, records: list[Record]) -> int:
        """Store the records; answers how many of them, from the first on, no other writer kept out."""
        if not records:
            return 0
        try:
            await self._store.execute(Insert(table=TRANSCRIPTS, records=tuple(records)))
        except Duplicate:
            return 0
        except Unsupported:
            return await self._stored_in_turn(records)
        return len(records)

    async def _stored_in_turn(self, records: list[Record]) -> int:
        # A database that writes one record at a time: in order, so that what a crash leaves is a beginning.
        for count, record in enumerate(records):
            try:
                await self._store.execute(Insert(table=TRANSCRIPTS, records=(record,)))
            except Duplicate:
                return count
        return len(records)


def _of(framework: str, project_key: str, session_id: str) -> Filter:
    return all_of(eq("framework", framework), eq("project_key", project_key), eq("session_id", session_id))


def _numbered(
    transcript: Record, entries: list[dict[str, Any]], agno_session_id: str, last: int, known: set[str]
) -> list[tuple[int, Record]]:
    """The new entries as records, each with its place among `entries`. Known ones take a position too, as in agno."""
    seen = set(known)
    created_at = time.time_ns() // 1_000_000
    records: list[tuple[int, Record]] = []
    for place, entry in enumerate(entries):
        uuid = entry.get("uuid") or None
        if uuid is not None and uuid in seen:
            continue
        seen |= {uuid} if uuid is not None else set()
        record = {
            **transcript,
            "position": last + 1 + place,
            "entry_uuid": uuid,
            "entry": json.dumps(entry),
            "agno_session_id": agno_session_id,
            "created_at": created_at,
        }
        records.append((place, record))
    return records
