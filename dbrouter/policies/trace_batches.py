"""What a trace buffer holds: traces merged by id, spans once each, until somebody takes them to write.

What goes to different parts of a store (different tenants' rows) is held, taken and put back apart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterable, Mapping
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
class Pile:
    """The pending traces of one part. late: whether its last write failed, so that it must not hold up others'."""

    traces: dict[str, PendingTrace] = field(default_factory=dict)
    rows: int = 0
    under_way: int = 0
    returned: int = 0
    late: bool = False


@dataclass(slots=True)
class Taken:
    """Traces of one part, taken out to be written."""

    part: Hashable
    traces: dict[str, PendingTrace]

    @property
    def rows(self) -> int:
        """How many rows they are."""
        return sum(len(pending.records) for pending in self.traces.values())

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
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Hold nothing; nobody is writing."""
        self._piles: dict[Hashable, Pile] = {}
        self._rows = 0
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """Rows that wait."""
        return self._rows

    def parts(self, *, late: bool | None = None) -> list[Hashable]:
        """The parts whose rows wait or are being written; with `late` given, only those that are late, or are not."""
        with self._lock:
            return [part for part, pile in self._piles.items() if late is None or pile.late == late]

    def under_way(self, part: Hashable) -> bool:
        """Whether somebody is writing rows of this part right now."""
        pile = self._piles.get(part)
        return pile is not None and pile.under_way > 0

    def returned(self, part: Hashable) -> int:
        """How often rows of this part came back because they could not be written."""
        pile = self._piles.get(part)
        return 0 if pile is None else pile.returned

    def add(self, part: Hashable, upserts: Iterable[Upsert]) -> int:
        """Take rows in; how many old ones had to go for them."""
        with self._lock:
            pile = self._pile(part)
            for upsert in upserts:
                for record in upsert.records:
                    self._add(pile, upsert.table, record, upsert.rules)
            self._tidy(part)
            return self._shrink()

    def take(self, part: Hashable, hold: float) -> Taken | None:
        """What is due: everything, but a trace of unknown component only after `hold` seconds. `None` if nothing is."""
        with self._lock:
            pile = self._piles.get(part)
            if pile is None:
                return None
            now = time.monotonic()
            due = {
                trace_id: pending
                for trace_id, pending in pile.traces.items()
                if not hold or pending.is_placed or now - pending.since >= hold
            }
            if not due:
                return None
            for trace_id in due:
                self._remove(pile, trace_id)
            pile.under_way += 1
            return Taken(part, due)

    def put_back(self, taken: Taken) -> None:
        """Keep what could not be written; what came meanwhile is merged over it."""
        with self._lock:
            pile = self._pile(taken.part)
            newer, pile.traces = pile.traces, taken.traces
            self._rows += taken.rows - pile.rows
            pile.rows = taken.rows
            for pending in newer.values():
                for (table, _), (record, rules) in pending.records.items():
                    self._add(pile, table, record, rules)
            pile.returned += 1
            self._shrink()

    def give_back(self, part: Hashable, upserts: Iterable[Upsert]) -> None:
        """Keep rows that could not be written one by one."""
        with self._lock:
            pile = self._pile(part)
            for upsert in upserts:
                for record in upsert.records:
                    self._add(pile, upsert.table, record, upsert.rules)
            pile.returned += 1
            self._shrink()

    def done(self, taken: Taken, *, failed: bool) -> None:
        """The writing of these is over, one way or the other."""
        with self._lock:
            pile = self._pile(taken.part)
            pile.under_way -= 1
            pile.late = failed
            self._tidy(taken.part)

    def _pile(self, part: Hashable) -> Pile:
        pile = self._piles.get(part)
        if pile is None:
            pile = self._piles[part] = Pile()
        return pile

    def _tidy(self, part: Hashable) -> None:
        """Forget a part of which nothing waits: there may be any number of them."""
        pile = self._piles.get(part)
        if pile is not None and not pile.traces and not pile.under_way:
            del self._piles[part]

    def _add(self, pile: Pile, table: str, record: Record, rules: Mapping[str, Rule]) -> None:
        trace_id: Any = record["trace_id"]
        pending = pile.traces.get(trace_id)
        if pending is None:
            pending = pile.traces[trace_id] = PendingTrace(since=time.monotonic())
        key = (table, TABLES[table].key_of(record))
        known = pending.records.get(key)
        if known is None:
            pending.records[key] = (record, rules)
            pile.rows += 1
            self._rows += 1
        elif rules:
            pending.records[key] = (merged(known[0], record, rules), rules)

    def _remove(self, pile: Pile, trace_id: str) -> int:
        rows = len(pile.traces.pop(trace_id).records)
        pile.rows -= rows
        self._rows -= rows
        return rows

    def _shrink(self) -> int:
        dropped = 0
        while self._rows > self._max_rows:
            # Whoever has most waiting: one whose database is away must not push out the others' rows.
            part, pile = max(self._piles.items(), key=lambda each: each[1].rows)
            dropped += self._remove(pile, next(iter(pile.traces)))
            self._tidy(part)
        self.dropped += dropped
        return dropped
