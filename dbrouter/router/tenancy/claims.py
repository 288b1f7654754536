"""Claims that name no tenant: a poller asks for work, whosever it is, and every tenant gets its turn."""

from __future__ import annotations

import itertools
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import DbRouterError
from dbrouter.backends.kernel.forking import lock
from dbrouter.backends.kernel.ops import AnyOp, Claim, Insert, Key, Op, Scan
from dbrouter.router.tenancy.everyone import InTurns
from dbrouter.router.tenancy.op_values import described

if TYPE_CHECKING:
    from dbrouter.backends.kernel.merging import Record
    from dbrouter.backends.kernel.running import Runtime
    from dbrouter.backends.kernel.store import Store
    from dbrouter.backends.kernel.tables import TableSpec
    from dbrouter.router.tenancy.op_values import Values

T = TypeVar("T")
logger = logging.getLogger("dbrouter.tenancy")

PEEKED_FOR = 1.0
"""Seconds that a tenant found to have work due is asked for more before all are looked at again."""
KEPT = 10_000
"""Records whose tenant is remembered, the least recently claimed dropped first."""


class InTurn:
    """Tenants that may have work, each served in its turn, and the first is another one each time.

    active: the names of those that may be served now.
    """

    def __init__(self, active: Callable[[], Iterable[str]], runtime: Runtime) -> None:
        self._active = active
        self._runtime = InTurns(runtime)
        self._due: deque[str] = deque()
        self._peeked_at = 0.0
        self._turn = itertools.count()
        self._lock = lock()

    async def first(
        self, peek: Callable[[str], Awaitable[bool]], take: Callable[[str], Awaitable[Record | None]]
    ) -> tuple[str, Record] | None:
        """What the first tenant that has any was asked for, and that tenant.

        All are looked at first (`peek`), which changes nothing; only who has something due is asked for it (`take`). A
        tenant whose database is away does not keep the others' work waiting, but where nobody has any, it is not said
        that there is none.
        """
        failures: list[DbRouterError] = []
        taken = await self._taken(take, failures)
        if taken is None:
            await self._peek(peek, failures)
            taken = await self._taken(take, failures)
        if taken is None and failures:
            raise _together(failures)
        return taken

    async def everybodys(self, ask: Callable[[str], Awaitable[T]]) -> list[tuple[str, T]]:
        """The answer of every tenant whose databases answer; the others' errors are logged, or raised if all failed."""
        names = sorted(self._active())
        outcomes = await self._runtime.gather([lambda name=name: ask(name) for name in names]) if names else []
        failures: list[DbRouterError] = []
        answers: list[tuple[str, T]] = []
        for name, outcome in zip(names, outcomes, strict=True):
            if isinstance(outcome, DbRouterError):
                failures.append(outcome)
                logger.warning("tenant %r was left out: %s", name, outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                answers.append((name, outcome))
        if failures and not answers:
            raise _together(failures)
        return answers

    async def _taken(
        self, take: Callable[[str], Awaitable[Record | None]], failures: list[DbRouterError]
    ) -> tuple[str, Record] | None:
        while self._due:
            with self._lock:
                name = self._due.popleft() if self._due else None
            if name is None:
                return None
            try:
                record = await take(name)
            except DbRouterError as error:
                failures.append(error)
                continue
            if record is None:
                continue
            if time.monotonic() - self._peeked_at < PEEKED_FOR:
                with self._lock:
                    # It may have more, and the others come first.
                    self._due.append(name)
            return name, record
        return None

    async def _peek(self, peek: Callable[[str], Awaitable[bool]], failures: list[DbRouterError]) -> None:
        names = sorted(self._active())
        if not names:
            return
        start = next(self._turn) % len(names)
        names = [*names[start:], *names[:start]]
        self._peeked_at = time.monotonic()
        outcomes = await self._runtime.gather([lambda name=name: peek(name) for name in names])
        due: list[str] = []
        for name, outcome in zip(names, outcomes, strict=True):
            if isinstance(outcome, DbRouterError):
                failures.append(outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
            elif outcome:
                due.append(name)
        with self._lock:
            self._due = deque(due)


class Claims:
    """Claims over all active tenants, and whose the claimed records are.

    active: the names of those that may be served now. store_of: a tenant's store; raises if it may not be served.
    """

    def __init__(self, active: Callable[[], Iterable[str]], store_of: Callable[[str], Store], runtime: Runtime) -> None:
        self._in_turn = InTurn(active, runtime)
        self._store_of = store_of
        self._whose: OrderedDict[tuple[str, Key], str | None] = OrderedDict()
        self._lock = lock()

    async def claim(self, op: Claim) -> tuple[str, Record] | None:
        """A record that is due and its tenant; see `InTurn`."""
        scan = Scan(table=op.table, where=op.where, limit=1, columns=TABLES[op.table].key)

        async def peek(name: str) -> bool:
            return bool((await self._store_of(name).execute(scan)).records)

        async def take(name: str) -> Record | None:
            return await self._store_of(name).execute(op)

        claimed = await self._in_turn.first(peek, take)
        if claimed is not None:
            self.remember(op.table, claimed[1], claimed[0])
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
                self.remember(op.table, record, whose)

    def remember(self, table: str, record: Record, whose: str) -> None:
        """The record is that tenant's, also where nothing else says so."""
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


def _together(failures: list[DbRouterError]) -> DbRouterError:
    """The first of them, with the others noted on it."""
    for other in failures[1:]:
        failures[0].add_note(f"and {type(other).__name__}: {other}")
    return failures[0]
