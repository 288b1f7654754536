"""Claims that name no tenant: a poller asks for work, whosever it is, and every tenant gets its turn."""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import DbRouterError
from dbrouter.backends.kernel.ops import AnyOp, Claim, Insert, Key, Op, Page, Scan
from dbrouter.router.tenancy.everyone import InTurns
from dbrouter.router.tenancy.op_values import described

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.running import Runtime
    from dbrouter.backends.kernel.store import Store
    from dbrouter.backends.kernel.tables import TableSpec
    from dbrouter.router.tenancy.op_values import Values

PEEKED_FOR = 1.0
"""Seconds that a tenant found to have work due is asked for more before all are looked at again."""
KEPT = 10_000
"""Records whose tenant is remembered, the least recently claimed dropped first."""


class Claims:
    """Claims over all active tenants, and whose the claimed records are.

    active: the names of those that may be served now. store_of: a tenant's store; raises if it may not be served.
    """

    def __init__(self, active: Callable[[], Iterable[str]], store_of: Callable[[str], Store], runtime: Runtime) -> None:
        self._active = active
        self._store_of = store_of
        self._runtime = InTurns(runtime)
        self._due: deque[str] = deque()
        self._peeked_at = 0.0
        self._turn = itertools.count()
        self._whose: OrderedDict[tuple[str, Key], str | None] = OrderedDict()
        self._lock = threading.Lock()

    async def claim(self, op: Claim) -> tuple[str, Record] | None:
        """A record that is due and its tenant. Tenants are served in turn, and the first is another one each time.

        All are looked at first, which changes nothing; only who has something due is asked for it. A tenant whose
        database is away does not keep the others' work waiting, but where nobody has any, it is not said that there is
        none.
        """
        failures: list[DbRouterError] = []
        claimed = await self._claimed_from_due(op, failures)
        if claimed is None:
            await self._peek(op, failures)
            claimed = await self._claimed_from_due(op, failures)
        if claimed is None and failures:
            for other in failures[1:]:
                failures[0].add_note(f"and {type(other).__name__}: {other}")
            raise failures[0]
        return claimed

    def tenant_of(self, op: Op[Any]) -> str | None:
        """The tenant of the claimed record that the op is about, if it is about one and only one tenant has such."""
        found = {
            self._whose.get(place) for spec, values in described(cast("AnyOp", op)) for place in _places(spec, values)
        }
        found.discard(None)
        return found.pop() if len(found) == 1 else None

    def note(self, op: Op[Any], whose: str) -> None:
        """What is inserted for a claimed record is its tenant's too, and so is what is done to it later."""
        if isinstance(op, Insert):
            for record in op.records:
                self._remember(op.table, record, whose)

    async def _claimed_from_due(self, op: Claim, failures: list[DbRouterError]) -> tuple[str, Record] | None:
        while self._due:
            with self._lock:
                name = self._due.popleft() if self._due else None
            if name is None:
                return None
            try:
                record = await self._store_of(name).execute(op)
            except DbRouterError as error:
                failures.append(error)
                continue
            if record is None:
                continue
            self._remember(op.table, record, name)
            if time.monotonic() - self._peeked_at < PEEKED_FOR:
                with self._lock:
                    # It may have more, and the others come first.
                    self._due.append(name)
            return name, record
        return None

    async def _peek(self, op: Claim, failures: list[DbRouterError]) -> None:
        names = sorted(self._active())
        if not names:
            return
        start = next(self._turn) % len(names)
        names = [*names[start:], *names[:start]]
        scan = Scan(table=op.table, where=op.where, limit=1, columns=TABLES[op.table].key)

        async def look(name: str) -> Page:
            return await self._store_of(name).execute(scan)

        self._peeked_at = time.monotonic()
        outcomes = await self._runtime.gather([lambda name=name: look(name) for name in names])
        due: list[str] = []
        for name, outcome in zip(names, outcomes, strict=True):
            if isinstance(outcome, DbRouterError):
                failures.append(outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
            elif outcome.records:
                due.append(name)
        with self._lock:
            self._due = deque(due)

    def _remember(self, table: str, record: Record, whose: str) -> None:
        place = (table, tuple(record[column] for column in TABLES[table].key))
        with self._lock:
            known = self._whose.pop(place, whose)
            # Two tenants may have records of one id: then only the context can say whose is meant.
            self._whose[place] = whose if known == whose else None
            if len(self._whose) > KEPT:
                self._whose.popitem(last=False)


def _places(spec: TableSpec, values: Values) -> Iterable[tuple[str, Key]]:
    """The record that these values name, and the one that it follows."""
    if all(values.get(column) is not None for column in spec.key):
        yield spec.name, tuple(values[column] for column in spec.key)
    if spec.leader is not None and values.get(cast("str", spec.follows)) is not None:
        yield spec.leader, (values[cast("str", spec.follows)],)
