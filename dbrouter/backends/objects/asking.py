"""The requests of one op: repeated while that may help, within the op's deadline, and at once where independent."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.errors import StoreError, Throttled, Unavailable
from dbrouter.backends.kernel.ops import Absent
from dbrouter.backends.kernel.pausing import FIRST_PAUSE, LONGEST_PAUSE, pause_before
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.objects.body import new_token, stamp_of, tombstone
from dbrouter.backends.objects.bucket import Bucket, Changed, Found, Listed, Overloaded, Refused

T = TypeVar("T")

_UNKNOWN = "whether it was written is unknown; read it again"
TRIES = 3
"""Requests that fail before the caller is told; who is asked to slow down tries until the deadline."""


class Asking:
    """Asks a bucket for one op.

    runtime: for requests only, so that those of an op never wait for threads that ops hold.
    """

    def __init__(self, bucket: Bucket, runtime: Runtime, *, deadline: float, at_once: int) -> None:
        self.bucket = bucket
        self._runtime = runtime
        self._deadline = Deadline(deadline)
        self._at_once = at_once

    def anew(self) -> Asking:
        """The same with all of its time before it: for what a process that stood still has yet to put right."""
        return Asking(self.bucket, self._runtime, deadline=self._deadline.seconds, at_once=self._at_once)

    async def get(self, name: str) -> Found | None:
        """The object, if there is one."""
        return await self._tried(lambda: self.bucket.get(name))

    async def put(self, name: str, body: bytes, expect: Absent | str | None) -> str:
        """Write an object; answers its tag. Raises `Changed`, or `Unavailable` if nobody knows what became of it."""
        lost: list[StoreError] = []

        async def once() -> str:
            try:
                return await self.bucket.put(name, body, expect)
            except (Unavailable, Overloaded) as error:
                lost.append(error)
                raise
            except Changed:
                if not lost:
                    raise
                # An earlier try may have been this write, with its answer lost on the way.
                found = await self.bucket.get(name)
                if found is not None and stamp_of(found.body) == stamp_of(body):
                    return found.tag
                raise Refused(f"{name}: {_UNKNOWN}") from lost[0]

        try:
            return await self._tried(once)
        except Throttled as error:
            if lost:
                raise Unavailable(f"{name}: {_UNKNOWN}; {error}") from error
            raise

    async def clear(self, name: str, expect: str) -> None:
        """Remove a record's object, or put a tombstone there where removals know no condition. Raises `Changed`."""
        if not self.bucket.removes:
            await self.put(name, tombstone(new_token()), expect)
            return
        lost: list[StoreError] = []

        async def once() -> None:
            try:
                await self.bucket.remove(name, expect)
            except Unavailable as error:
                lost.append(error)
                raise
            except Changed:
                if lost and await self.bucket.get(name) is None:
                    # By an earlier try, or by somebody else: what is not there does not say who removed it.
                    raise Refused(f"{name}: whether it was removed by this is unknown; read it again") from lost[0]
                raise

        await self._tried(once)

    async def discard(self, names: Sequence[str]) -> None:
        """Remove objects that stand for nothing. That it fails is no harm: readers know them, and try again."""
        if names:
            with contextlib.suppress(StoreError):
                await self._tried(lambda: self.bucket.discard(names))

    async def list(self, folder: str, *, begin: str = "", after: str = "", limit: int | None = None) -> list[Listed]:
        """Names in the folder, in order."""
        return await self._tried(lambda: self.bucket.list(folder, begin=begin, after=after, limit=limit))

    async def folders(self, folder: str) -> list[str]:
        """Names of folders in the folder."""
        return await self._tried(lambda: self.bucket.folders(folder))

    async def tidy(self, folder: str, older_than: timedelta) -> None:
        """Remove below the folder what is no object and is older."""
        await self._tried(lambda: self.bucket.tidy(folder, datetime.now(UTC) - older_than))

    async def ping(self) -> None:
        """Return if the place answers."""
        await self._tried(self.bucket.ping)

    async def each(self, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
        """The results of independent calls, in order. Raises the first error, after all have ended."""
        if len(calls) < 2:
            return [await call() for call in calls]
        waiting = iter(list(enumerate(calls)))
        results: dict[int, T] = {}

        async def work() -> None:
            for index, call in waiting:
                results[index] = await call()

        for outcome in await self._runtime.gather([work] * min(len(calls), self._at_once)):
            if isinstance(outcome, BaseException):
                raise outcome
        return [results[index] for index in range(len(calls))]

    def left(self) -> float:
        """Seconds until the deadline."""
        return self._deadline.left()

    async def pause(
        self, lost: int, why: StoreError, *, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE
    ) -> None:
        """Wait before another try; raises `why` if the deadline comes first."""
        await self._runtime.sleep(pause_before(lost, self._deadline, why, first=first, longest=longest))

    async def _tried(self, call: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        while True:
            if self._deadline.is_over:
                raise Unavailable(f"no answer within {self._deadline.seconds:g} s")
            try:
                return await call()
            except Refused:
                raise
            except (Unavailable, Throttled) as error:
                tries += 1
                if isinstance(error, Unavailable) and tries >= TRIES:
                    raise
                await self.pause(tries, error)
