"""One code for sync and async: families and kernel are `async def` and never touch asyncio.

A blocking store is presented as coroutines that never suspend. `finish` drives such a coroutine with a single
`send(None)`; an async store's coroutine is awaited. Whatever needs time or concurrency takes it from a `Runtime`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import copy_context
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from dbrouter.backends.kernel.forking import begins_anew_in_a_child

T = TypeVar("T")

FAN_OUT_THREADS = 16
"""Databases that one blocking call asks at once; more wait for a thread."""
LONGEST_TURN = 1.0
"""Seconds that a call waits for others of its process before it goes on beside them."""


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends. Raises `RuntimeError` if it does suspend."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError(f"{coroutine.__qualname__} suspended on a blocking store; its driver must not await anything")


class Runtime(Protocol):
    """Sleep, fan-out and identity for code that must not know whether it blocks."""

    blocking: bool

    async def sleep(self, seconds: float) -> None:
        """Pause this call."""
        ...

    async def gather(self, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T | BaseException]:
        """Run all calls at once; each result or error, in order. Never raises for one of them."""
        ...

    def caller(self) -> tuple[int, int]:
        """Who is calling: the thread and, on an event loop, the task."""
        ...

    def one_at_a_time(self, what: Hashable) -> AbstractAsyncContextManager[None]:
        """Keep other calls of this process that ask for the same outside, for `LONGEST_TURN` at most.

        It spares writers of one record lost races, and decides nothing: databases decide who wins.
        """
        ...


class BlockingRuntime:
    """For stores whose coroutines never suspend: sleeping blocks the thread, fan-out takes a bounded thread pool."""

    blocking = True

    def __init__(self) -> None:
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have no threads yet."""
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[Hashable, threading.Lock] = WeakValueDictionary()

    async def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(seconds)  # noqa: ASYNC251  # nothing else runs on a blocking store's thread

    async def gather(self, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T | BaseException]:
        """Run the calls on threads; those that get none run on the caller's."""
        if len(calls) == 1:
            return [_outcome(calls[0])]
        return [outcome() for outcome in [self._started(call) for call in calls]]

    def caller(self) -> tuple[int, int]:
        """The thread and, where blocking code is called from an event loop, its task: agno does that."""
        try:
            return (threading.get_ident(), id(asyncio.current_task()))
        except RuntimeError:
            return (threading.get_ident(), 0)

    @asynccontextmanager
    async def one_at_a_time(self, what: Hashable) -> AsyncGenerator[None]:
        """Wait on this thread."""
        with self._lock:
            turn = self._turns.setdefault(what, threading.Lock())
        mine = turn.acquire(timeout=LONGEST_TURN)
        try:
            yield
        finally:
            if mine:
                turn.release()

    def _started(self, call: Callable[[], Awaitable[T]]) -> Callable[[], T | BaseException]:
        """Start a call on a thread; answers what waits for its outcome."""
        try:
            # Each call gets the context of the caller, so tenants and traces reach the threads.
            started = self._threads().submit(copy_context().run, _outcome, call)
        except RuntimeError:
            # The interpreter is ending and lends no more threads, and traces still have to be written: run it here.
            return lambda: _outcome(call)

        def outcome() -> T | BaseException:
            # A call that fans out runs on a thread of the pool itself. If such calls have them all, and each waits for
            # one more, none ever ends: what has not begun is taken back and done here.
            return _outcome(call) if started.cancel() else started.result()

        return outcome

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(FAN_OUT_THREADS, thread_name_prefix="dbrouter-fan-out")
            return self._pool

    def close(self) -> None:
        """Stop the fan-out threads; they start again when needed."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True)


class AsyncRuntime:
    """For native async stores."""

    blocking = False

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def sleep(self, seconds: float) -> None:
        """Suspend this task."""
        await asyncio.sleep(seconds)

    async def gather(self, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T | BaseException]:
        """Run the calls as tasks."""
        return await asyncio.gather(*(call() for call in calls), return_exceptions=True)

    def caller(self) -> tuple[int, int]:
        """The thread and its task."""
        return (threading.get_ident(), id(asyncio.current_task()))

    @asynccontextmanager
    async def one_at_a_time(self, what: Hashable) -> AsyncGenerator[None]:
        """Wait in this task, for others of its loop."""
        turn = self._turns.setdefault((asyncio.get_running_loop(), what), asyncio.Lock())
        mine = False
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_TURN):
                mine = await turn.acquire()
        try:
            yield
        finally:
            if mine:
                turn.release()


def _outcome(call: Callable[[], Awaitable[T]]) -> T | BaseException:
    try:
        return finish(call())  # type: ignore[arg-type]  # an async def's awaitable is a coroutine
    except Exception as error:  # noqa: BLE001  # handed to the caller, who raises it
        return error
