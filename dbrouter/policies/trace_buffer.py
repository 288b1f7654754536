"""Traces off the caller's thread: written behind, in batches, one round trip each.

agno's exporter calls `upsert_trace` and `create_spans` for every span that ends, by default on the thread that runs
the agent. Here such a write is a list append. A writer thread sends what has gathered; a read of traces sends it
first, so whoever writes a trace can read it. Nothing is lost in silence: what cannot be written is retried while the
database is away, and what is dropped is counted and logged.
"""

from __future__ import annotations

import logging
import weakref
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.errors import StoreError, Unavailable
from dbrouter.backends.kernel.ops import AnyOp, Batch, Op, Upsert, tables_of
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.trace_batches import Gathered
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
        self._gathered: Gathered
        self._writer: WriterThread
        if view_of is None:
            self._gathered = Gathered(limits.max_rows)
            self._writer = WriterThread(self._write_behind, delay=limits.max_delay, blocking=inner.runtime.blocking)
            weakref.finalize(self, self._writer.abandon).atexit = False
        else:
            self._gathered, self._writer = view_of.parts

    @property
    def capabilities(self) -> Capabilities:
        """The inner store's."""
        return self.inner.capabilities

    @property
    def parts(self) -> tuple[Gathered, WriterThread]:
        """What views share: the pending rows and who writes them."""
        return self._gathered, self._writer

    @property
    def dropped(self) -> int:
        """Traces and spans that were dropped since the start."""
        return self._gathered.dropped

    def bound(self, component: object) -> TraceBuffer:
        """The same buffer in front of the inner store's view for a component."""
        inner = cast("Bindable", self.inner).bound(component)
        return TraceBuffer(inner, self._limits, view_of=self._buffer or self)

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
        await self.flush()
        return await self.inner.execute(op)

    def _take(self, upserts: tuple[Upsert, ...]) -> None:
        dropped = self._gathered.add(upserts)
        if dropped:
            logger.error("traces: the buffer is full, %d rows dropped; %d since the start", dropped, self.dropped)
        self._writer.wake()

    async def flush(self) -> None:
        """Write all that has gathered; return when it is stored. Raises `Unavailable` if it cannot be."""
        if self._buffer is not None:
            await self._buffer.flush()
            return
        while True:
            returned = self._gathered.returned
            await self._write(everything=True)
            await self._written_by_others()
            if self._gathered.returned == returned:
                return

    async def _written_by_others(self) -> None:
        """Wait for other threads that are sending what came before us."""
        waited = 0.0
        while self._gathered.under_way:
            pause = 0.001 if waited < 0.1 else 0.01  # patient after a tenth of a second
            if waited >= self._limits.deadline:
                raise Unavailable(f"traces: a write is still under way after {self._limits.deadline:g} s")
            await self.runtime.sleep(pause)
            waited += pause

    async def _write_behind(self) -> bool:
        """Send what is due, from the writer thread; whether something was held back."""
        try:
            await self._write(everything=False)
        except StoreError as error:
            logger.warning("traces: %s; %d rows wait", error, self._gathered.waiting)
            return True
        except Exception:
            # A fault of ours must not end the thread: nothing would be written behind any more.
            logger.exception("traces: a write failed; %d rows wait", self._gathered.waiting)
            return True
        return self._gathered.waiting > 0

    async def _write(self, *, everything: bool) -> None:
        taken = self._gathered.take(0.0 if everything else self._limits.hold)
        if taken is None:
            return
        try:
            await self.inner.execute(taken.batch())
        except StoreError as error:
            if error.retryable:
                self._gathered.put_back(taken)
                raise
            await self._write_apart(taken.batch())
        except BaseException:
            self._gathered.put_back(taken)
            raise
        finally:
            self._gathered.done(taken)

    async def _write_apart(self, batch: Batch) -> None:
        """Send records one by one, so that one that cannot be stored costs only itself."""
        waiting = [
            Upsert(table=upsert.table, records=(record,), rules=upsert.rules, returning=False)
            for upsert in batch.upserts
            for record in upsert.records
        ]
        for position, one in enumerate(waiting):
            try:
                await self.inner.execute(Batch(upserts=(one,)))
            except StoreError as error:
                if error.retryable:
                    self._gathered.give_back(waiting[position:])
                    raise
                self._gathered.dropped += 1
                logger.error("traces: one row of %s dropped: %s", one.table, error)  # noqa: TRY400  # said in full
            except BaseException:
                self._gathered.give_back(waiting[position:])
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
            self._writer.stop(self.inner.close)
            await self.inner.close()
