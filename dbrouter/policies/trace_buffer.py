"""Traces off the caller's thread: written behind, in batches, one round trip each.

agno's exporter calls `upsert_trace` and `create_spans` for every span that ends, by default on the thread that runs
the agent. Here such a write is a list append. A writer thread sends what has gathered; a read of traces sends it
first, so whoever writes a trace can read it. Nothing is lost in silence: what cannot be written is retried while the
database is away, and what is dropped is counted and logged.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias, TypeVar, cast, runtime_checkable

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.errors import DbRouterError, PolicyError, Unavailable
from dbrouter.backends.kernel.ops import AnyOp, Batch, Op, Upsert, tables_of
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.trace_batches import Gathered, Taken
from dbrouter.policies.writer_thread import WriterThread

R = TypeVar("R")

BUFFERED = frozenset({"traces", "spans"})
logger = logging.getLogger("dbrouter.traces")


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferLimits:
    """How long and how much is gathered.

    max_delay: seconds a write waits at most for company. hold: seconds a trace whose component is not known yet waits
    for its root span, where traces of components go to different databases. max_rows: traces and spans kept while the
    database is away; beyond it the oldest are dropped and counted. deadline: seconds a read waits for a write.
    """

    max_delay: float = 0.2
    hold: float = 0.0
    max_rows: int = 10_000
    deadline: float = 30.0


DEFAULT_LIMITS = BufferLimits()


class Bindable(Protocol):
    """A store that has views for components."""

    def bound(self, component: object, /) -> Store:
        """The view."""
        ...


class Every(Enum):
    """All parts of a store."""

    PART = "every part"


EVERY_PART = Every.PART

Share: TypeAlias = tuple[Hashable, tuple[Upsert, ...]]
"""A part of a store, and what is to be written to it."""


@runtime_checkable
class Divided(Protocol):
    """A store of several parts that are written apart: whose rows are whose is said by context, which writers lack."""

    def shares(self, upserts: Sequence[Upsert], /) -> tuple[list[Share], PolicyError | None]:
        """What of these goes to which part, as the context says now; and why the rest of them goes nowhere."""
        ...

    def some_wait(self) -> bool:
        """Whether rows wait until it is known which part they go to; it is asked again while they do."""
        ...

    def share_read(self, op: Op[object], /) -> Hashable | Every:
        """The part that answers this read, as the context says now."""
        ...

    def share_store(self, part: Hashable, /) -> Store:
        """The store of a part, whatever the context says. `PolicyError` if it may not be written any more."""
        ...


class TraceBuffer:
    """A store that writes traces and spans behind, and passes everything else on."""

    def __init__(
        self,
        inner: Store,
        limits: BufferLimits,
        *,
        view_of: TraceBuffer | None = None,
    ) -> None:
        self.inner = inner
        self.runtime: Runtime = inner.runtime
        self._limits = limits
        # A view keeps the buffer itself alive, which alone writes: what is pending need not be the view's own.
        self._buffer = view_of
        self._divided = inner if isinstance(inner, Divided) else None
        self._gathered: Gathered
        self._writer: WriterThread
        self._late_writer: WriterThread
        if view_of is None:
            self._gathered = Gathered(limits.max_rows)
            blocking = inner.runtime.blocking
            self._writer = WriterThread(self._write_behind, delay=limits.max_delay, blocking=blocking)
            # One part whose database is away must not keep the others' rows waiting.
            self._late_writer = WriterThread(self._write_late, delay=limits.max_delay, blocking=blocking)
            weakref.finalize(self, self._writer.abandon).atexit = False
            weakref.finalize(self, self._late_writer.abandon).atexit = False
        else:
            self._gathered, self._writer, self._late_writer = view_of.parts

    @property
    def capabilities(self) -> Capabilities:
        """The inner store's."""
        return self.inner.capabilities

    @property
    def parts(self) -> tuple[Gathered, WriterThread, WriterThread]:
        """What views share: the pending rows and who writes them."""
        return self._gathered, self._writer, self._late_writer

    @property
    def dropped(self) -> int:
        """Traces and spans that were dropped since the start."""
        return self._gathered.dropped

    def bound(self, component: object) -> TraceBuffer:
        """The same buffer in front of the inner store's view for a component."""
        return self.over(cast("Bindable", self.inner).bound(component))

    def over(self, view: Store) -> TraceBuffer:
        """The same buffer in front of a view of the inner store."""
        return TraceBuffer(view, self._limits, view_of=self._buffer or self)

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer; for a write of traces, at once."""
        known = cast("AnyOp", op)
        if BUFFERED.isdisjoint(tables_of(known)):
            return await self.inner.execute(op)
        if isinstance(known, Batch):
            self._take(known.upserts)
            return cast("R", None)
        if isinstance(known, Upsert) and not known.returning and known.guard is None and known.expect is None:
            self._take((known,))
            return cast("R", [])
        await self._flush_for(known)
        return await self.inner.execute(op)

    def _take(self, upserts: tuple[Upsert, ...]) -> None:
        shares, refusal = ([(None, upserts)], None) if self._divided is None else self._divided.shares(upserts)
        dropped = sum(self._gathered.add(part, share) for part, share in shares)
        if dropped:
            logger.error("traces: the buffer is full, %d rows dropped; %d since the start", dropped, self.dropped)
        late = self._gathered.parts(late=True) if self._divided is not None else []
        if any(part not in late for part, _ in shares) or (self._divided is not None and self._divided.some_wait()):
            self._writer.wake()
        if any(part in late for part, _ in shares):
            self._late_writer.wake()
        if refusal is not None:
            # The rows of others are taken by now.
            raise refusal

    async def _flush_for(self, op: AnyOp) -> None:
        """Write what the answer to a read depends on."""
        part = None if self._divided is None else self._divided.share_read(op)
        await (self.flush() if part is EVERY_PART else self._flush(part))

    async def flush(self) -> None:
        """Write all that has gathered; return when it is stored. Raises `Unavailable` if it cannot be."""
        parts = self._gathered.parts()
        if len(parts) == 1:
            await self._flush(parts[0])
            return
        outcomes = await self.runtime.gather([lambda part=part: self._flush(part) for part in parts])
        errors = [each for each in outcomes if isinstance(each, BaseException)]
        for other in errors[1:]:
            errors[0].add_note(f"and {type(other).__name__}: {other}")
        if errors:
            raise errors[0]

    async def _flush(self, part: Hashable) -> None:
        if self._buffer is not None:
            await self._buffer._flush(part)  # noqa: SLF001  # its views are of this class
            return
        while True:
            returned = self._gathered.returned(part)
            await self._write(part, everything=True)
            await self._written_by_others(part)
            if self._gathered.returned(part) == returned:
                return

    async def _written_by_others(self, part: Hashable) -> None:
        """Wait for other threads that are sending what came before us."""
        waited = 0.0
        while self._gathered.under_way(part):
            pause = 0.001 if waited < 0.1 else 0.01  # patient after a tenth of a second
            if waited >= self._limits.deadline:
                raise Unavailable(f"traces: a write is still under way after {self._limits.deadline:g} s")
            await self.runtime.sleep(pause)
            waited += pause

    async def _write_behind(self) -> bool:
        """Send what is due, from the writer thread; whether something was held back."""
        if self._divided is None:
            return not await self._written(None)
        await self._written_together(late=False)
        if self._gathered.parts(late=True):
            self._late_writer.wake()
        return self._divided.some_wait() or bool(self._gathered.parts(late=False))

    async def _write_late(self) -> bool:
        """Try again to send what could not be sent, from a thread of its own; whether some of it still cannot be."""
        await self._written_together(late=True)
        return bool(self._gathered.parts(late=True))

    async def _written_together(self, *, late: bool) -> None:
        parts = self._gathered.parts(late=late)
        await self.runtime.gather([lambda part=part: self._written(part) for part in parts])

    async def _written(self, part: Hashable) -> bool:
        """Send what is due of one part; whether nothing of it was held back."""
        try:
            await self._write(part, everything=False)
        except DbRouterError as error:
            logger.warning("traces: %s; %d rows wait", error, self._gathered.waiting)
            return False
        except Exception:
            # A fault of ours must not end the thread: nothing would be written behind any more.
            logger.exception("traces: a write failed; %d rows wait", self._gathered.waiting)
            return False
        return self._gathered.waiting == 0

    async def _write(self, part: Hashable, *, everything: bool) -> None:
        taken = self._gathered.take(part, 0.0 if everything else self._limits.hold)
        if taken is None:
            return
        failed = True
        try:
            await self._send(taken)
            failed = False
        finally:
            self._gathered.done(taken, failed=failed)

    async def _send(self, taken: Taken) -> None:
        store = self.inner
        try:
            if self._divided is not None:
                store = self._divided.share_store(taken.part)
            await store.execute(taken.batch())
        except DbRouterError as error:
            if error.retryable:
                self._gathered.put_back(taken)
                raise
            if isinstance(error, PolicyError):
                # It refuses the tenant, not one of the rows.
                self._gathered.dropped += taken.rows
                logger.error("traces: %d rows dropped: %s", taken.rows, error)  # noqa: TRY400  # said in full
                return
            await self._write_apart(taken.part, store, taken.batch())
        except BaseException:
            self._gathered.put_back(taken)
            raise

    async def _write_apart(self, part: Hashable, store: Store, batch: Batch) -> None:
        """Send records one by one, so that one that cannot be stored costs only itself."""
        waiting = [
            Upsert(table=upsert.table, records=(record,), rules=upsert.rules, returning=False)
            for upsert in batch.upserts
            for record in upsert.records
        ]
        for position, one in enumerate(waiting):
            try:
                await store.execute(Batch(upserts=(one,)))
            except DbRouterError as error:
                if error.retryable:
                    self._gathered.give_back(part, waiting[position:])
                    raise
                self._gathered.dropped += 1
                logger.error("traces: one row of %s dropped: %s", one.table, error)  # noqa: TRY400  # said in full
            except BaseException:
                self._gathered.give_back(part, waiting[position:])
                raise

    async def existing_tables(self) -> frozenset[str]:
        """The inner store's."""
        return await self.inner.existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """As the inner store does."""
        await self.inner.create_tables(tables)

    def physical_name(self, table: str) -> str:
        """The inner store's."""
        return self.inner.physical_name(table)

    async def ping(self) -> None:
        """As the inner store does."""
        await self.inner.ping()

    async def close(self) -> None:
        """Write what has gathered, stop the writer, close the inner store."""
        try:
            await self.flush()
        finally:
            self._late_writer.stop(self.inner.close)
            self._writer.stop(self.inner.close)
            await self.inner.close()
