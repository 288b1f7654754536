"""What a trace buffer holds: traces merged by id, spans once each, until somebody takes them to write."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.merging import Record, Rule, merged
from dbrouter.backends.kernel.ops import Batch, Key, Upsert

COMPONENTS = ("agent_id", "team_id", "workflow_id")


@dataclass(slots=True)
class PendingTrace:
    """One trace: its row if somebody wrote one, and its spans. since: when the first of it came."""

    since: float
    records: dict[tuple[str, Key], tuple[Record, Mapping[str, Rule]]] = field(default_factory=dict)

    @property
    def is_placed(self) -> bool:
        """Whether its component is known."""
        return any(record.get(column) is not None for record, _ in self.records.values() for column in COMPONENTS)


@dataclass(slots=True)
class Taken:
    """Traces taken out to be written."""

    traces: dict[str, PendingTrace]

    def batch(self) -> Batch:
        """The upserts that write them: traces before the spans that need them, one upsert for each set of rules."""
        upserts: list[Upsert] = []
        for table in ("traces", "spans"):
            by_rules: list[tuple[Mapping[str, Rule], list[Record]]] = []
            for pending in self.traces.values():
                for (held, _), (record, rules) in pending.records.items():
                    if held != table:
                        continue
                    same = next((records for known, records in by_rules if known == rules), None)
                    if same is None:
                        by_rules.append((rules, [record]))
                    else:
                        same.append(record)
            upserts.extend(
                Upsert(table=table, records=tuple(records), rules=rules, returning=False) for rules, records in by_rules
            )
        return Batch(upserts=tuple(upserts))


class Gathered:
    """The pending traces of one buffer, bounded by rows.

    A forked child begins with none: its parent writes what was pending.
    """

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self.dropped = 0
        self.returned = 0
        """How often rows came back because they could not be written."""
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Hold nothing; nobody is writing."""
        self._pending: dict[str, PendingTrace] = {}
        self._rows = 0
        self._under_way = 0
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """Rows that wait."""
        return self._rows

    @property
    def under_way(self) -> bool:
        """Whether somebody is writing rows right now."""
        return self._under_way > 0

    def add(self, upserts: Iterable[Upsert]) -> int:
        """Take rows in; how many old ones had to go for them."""
        with self._lock:
            for upsert in upserts:
                for record in upsert.records:
                    self._add(upsert.table, record, upsert.rules)
            return self._shrink()

    def take(self, hold: float) -> Taken | None:
        """What is due: everything, but a trace of unknown component only after `hold` seconds. `None` if nothing is."""
        with self._lock:
            now = time.monotonic()
            due = {
                trace_id: pending
                for trace_id, pending in self._pending.items()
                if not hold or pending.is_placed or now - pending.since >= hold
            }
            if not due:
                return None
            for trace_id, pending in due.items():
                del self._pending[trace_id]
                self._rows -= len(pending.records)
            self._under_way += 1
            return Taken(due)

    def put_back(self, taken: Taken) -> None:
        """Keep what could not be written; what came meanwhile is merged over it."""
        with self._lock:
            newer, self._pending, self._rows = self._pending, taken.traces, 0
            self._rows = sum(len(pending.records) for pending in self._pending.values())
            for pending in newer.values():
                for (table, _), (record, rules) in pending.records.items():
                    self._add(table, record, rules)
            self.returned += 1
            self._shrink()

    def give_back(self, upserts: Iterable[Upsert]) -> None:
        """Keep rows that could not be written one by one."""
        with self._lock:
            for upsert in upserts:
                for record in upsert.records:
                    self._add(upsert.table, record, upsert.rules)
            self.returned += 1
            self._shrink()

    def done(self, _taken: Taken) -> None:
        """The writing of these is over, one way or the other."""
        with self._lock:
            self._under_way -= 1

    def _add(self, table: str, record: Record, rules: Mapping[str, Rule]) -> None:
        trace_id: Any = record["trace_id"]
        pending = self._pending.get(trace_id)
        if pending is None:
            pending = self._pending[trace_id] = PendingTrace(since=time.monotonic())
        key = (table, TABLES[table].key_of(record))
        known = pending.records.get(key)
        if known is None:
            pending.records[key] = (record, rules)
            self._rows += 1
        elif rules:
            pending.records[key] = (merged(known[0], record, rules), rules)

    def _shrink(self) -> int:
        dropped = 0
        while self._rows > self._max_rows and self._pending:
            oldest = next(iter(self._pending))
            dropped += len(self._pending[oldest].records)
            self._rows -= len(self._pending.pop(oldest).records)
        self.dropped += dropped
        return dropped
