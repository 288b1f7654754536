"""Connections that carry requests: bounded, waited for within the call's deadline, nothing sent twice that writes.

One code for both modes: what touches a socket is in a `Wire`, whose blocking form never suspends.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.errors import StoreError, Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.places import Places
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.redis.cluster import Address, Slots, moved
from dbrouter.backends.redis.connecting import Target
from dbrouter.backends.redis.failing import lost, refused, said, server_said, too_large, unreachable
from dbrouter.backends.redis.scripts import Request, in_full

LEAST_LIMIT = 1024 * 1024
"""Bytes: no server can be told to take less as one value."""
_REDIRECTIONS = 8
_PAUSE = 0.05
"""Seconds before a server is asked again that is just handing the keys over to another."""
_DEMOTED = ("READONLY", "MASTERDOWN")
"""How a server answers that is not the primary any more; the address may lead to the one that is."""


class Wire(Protocol):
    """What touches a socket. A connection is one of redis-py's."""

    errors: tuple[type[BaseException], ...]

    def make(self, address: Address) -> Any:
        """A connection that is not open yet."""
        ...

    async def open(self, connection: Any, deadline: Deadline) -> bool:
        """Open it if it is not open, or not alive any more; answers whether it had been lost."""
        ...

    async def exchange(self, connection: Any, commands: Iterable[Any], deadline: Deadline) -> list[Any]:
        """Send the commands and read an answer to each; refusals are among the answers."""
        ...

    async def close(self, connection: Any) -> None:
        """Close it, without waiting for anyone."""
        ...

    def abandon(self, connection: Any) -> None:
        """Close it although its event loop is closed."""
        ...

    def within(self, deadline: Deadline) -> AbstractAsyncContextManager[Any]:
        """Ends what is done inside when the time is over, if the connections do not see to that themselves."""
        ...


class Unbroken:
    """A time in which no connection was lost: what the servers were told in it they know."""


class _Pools:
    """Idle connections, the last used first, and what is known of the cluster."""

    def __init__(self, slots: Slots | None) -> None:
        self.idle: dict[Address, list[Any]] = {}
        self.slots = slots
        self.unbroken = Unbroken()


class Connections:
    """Sends requests. place: the database as errors name it. size: exchanges at once."""

    def __init__(self, wire: Wire, target: Target, runtime: Runtime, *, place: str, size: int, seconds: float) -> None:
        self.place = place
        self._wire = wire
        self._target = target
        self._runtime = runtime
        self._seconds = seconds
        self._seats = Places(size, blocking=runtime.blocking)
        self.begin_anew()
        begins_anew_in_a_child(self)

    @property
    def cluster(self) -> bool:
        """Whether the keys are shared by several servers."""
        return self._target.cluster

    @property
    def unbroken(self) -> Unbroken:
        """The same as long as no connection of this process, or of this event loop, was lost."""
        return self._pools().unbroken

    def begin_anew(self) -> None:
        """Have no connections; those there were are the parent's."""
        self._only = self._new_pools()
        self._by_loop: dict[asyncio.AbstractEventLoop, _Pools] = {}
        self._lock = threading.Lock()

    async def send(self, request: Request) -> list[Any]:
        """The answer to each command. Raises the first refusal, as a `StoreError`; a write's is that of the script.

        What is asked beside a write that was done may be answered by an error.
        """
        deadline = Deadline(self._seconds)
        if not self._seats.enter(None) and not await self._seats.wait(None, deadline.left()):
            raise Unavailable(
                f"{self.place}: no connection in {deadline.seconds:g} s: all are busy (raise pool_size or look for slow"
                " calls), or the server does not answer"
            )
        try:
            async with self._wire.within(deadline):
                return await self._routed(request, deadline)
        except TimeoutError as error:
            raise lost(self.place, f"no answer in {deadline.seconds:g} s", writes=request.writes) from error
        finally:
            self._seats.leave(None)

    async def every(self, command: tuple[Any, ...]) -> list[Any]:
        """The answer of each server to a command that only asks."""
        pools = self._pools()
        if pools.slots is None:
            return await self.send(Request(b"", (command,)))
        deadline = Deadline(self._seconds)
        try:
            async with self._wire.within(deadline):
                await self._owner(pools.slots, b"", deadline)
                found = [await self._sent(each, (command,), deadline, writes=False) for each in pools.slots.owners()]
        except TimeoutError as error:
            raise lost(self.place, f"no answer in {deadline.seconds:g} s", writes=False) from error
        for (answer,) in found:
            if isinstance(answer, Exception):
                raise refused(self.place, answer) from answer
        return [answer for (answer,) in found]

    async def close(self) -> None:
        """Close idle connections, of this event loop if there is one, and of ended ones; others when given back."""
        with self._lock:
            self._drop_closed_loops()
        pools = self._pools()
        pools.unbroken = Unbroken()
        for address in tuple(pools.idle):
            await self._drop(pools.idle.pop(address, []))

    async def _routed(self, request: Request, deadline: Deadline) -> list[Any]:
        pools = self._pools()
        commands = request.commands
        to: Address = None
        for _ in range(_REDIRECTIONS):
            address = to or (None if pools.slots is None else await self._owner(pools.slots, request.base, deadline))
            answers = await self._sent(address, commands, deadline, writes=request.writes)
            error = _refusal(request, answers)
            if error is None:
                return answers
            words = said(error)
            if request.script is not None and words.startswith("NOSCRIPT"):
                commands, to = (in_full(commands[0], request.script), *commands[1:]), address
                continue
            move = moved(error, address)
            if pools.slots is not None and move is not None and not move.once:
                pools.slots.moved(move)
                to = move.to
                continue
            if not words.startswith(("ASK ", "TRYAGAIN")):
                raise refused(self.place, error) from error
            # The keys are between two servers: neither has all that a script looks at. Nothing was done; that ends.
            while not deadline.is_over:
                await self._runtime.sleep(_PAUSE)
                answers = await self._sent(address, commands, deadline, writes=request.writes)
                error = _refusal(request, answers)
                if error is None:
                    return answers
                if not said(error).startswith(("ASK ", "TRYAGAIN")):
                    break
        raise Unavailable(f"{self.place}: the servers of the cluster send the call from one to the other")

    async def _sent(self, address: Address, commands: Any, deadline: Deadline, *, writes: bool) -> list[Any]:
        pools = self._pools()
        for attempt in (1, 2):
            idle = pools.idle.setdefault(address, [])
            connection = await self._open(pools, idle, deadline, address)
            try:
                answers = await self._wire.exchange(connection, commands, deadline)
            except self._wire.errors as error:
                await self._wire.close(connection)
                pools.unbroken = Unbroken()
                if pools.slots is not None:
                    pools.slots.forget()
                if server_said(error):
                    raise refused(self.place, error) from error
                if not deadline.is_over:
                    await self._check_size(pools, address, commands, deadline, error)
                if writes or attempt > 1 or deadline.is_over:
                    raise lost(self.place, error, writes=writes) from error
            except BaseException:
                # Cancelled or interrupted: half a conversation may be on the wire.
                await self._wire.close(connection)
                raise
            else:
                idle.append(connection)
                demoted = any(isinstance(each, Exception) and said(each).startswith(_DEMOTED) for each in answers)
                if demoted:
                    pools.unbroken = Unbroken()
                if demoted and pools.idle.get(address) is idle:
                    await self._drop(pools.idle.pop(address, []))
                if pools.idle.get(address) is not idle:
                    # Closed meanwhile, or the address may lead to another server by now.
                    await self._drop(idle)
                return answers
        raise Unavailable(f"{self.place}: nothing was sent")

    async def _check_size(
        self, pools: _Pools, address: Address, commands: Any, deadline: Deadline, error: BaseException
    ) -> None:
        """Raise `TooLarge` if the server hung up because a value is over its limit: it does so without a word.

        A server that cannot be asked leaves it at `error`.
        """
        size = max(len(each) for command in commands for each in command if isinstance(each, bytes | str))
        if size < LEAST_LIMIT:
            return
        try:
            connection = await self._open(pools, [], deadline, address)
            try:
                (answer,) = await self._wire.exchange(connection, (("CONFIG", "GET", "proto-max-bulk-len"),), deadline)
            finally:
                await self._wire.close(connection)
        except (StoreError, *self._wire.errors):
            return
        # A service that hides its settings answers with none.
        if isinstance(answer, list) and len(answer) == 2 and size > int(answer[1]):
            limit = answer[1].decode()
            raise too_large(self.place, f"{size} bytes, and its proto-max-bulk-len is {limit}") from error

    async def _drop(self, idle: list[Any]) -> None:
        # Another thread may add one or take one meanwhile.
        while idle:
            try:
                connection = idle.pop()
            except IndexError:
                return
            await self._wire.close(connection)

    async def _open(self, pools: _Pools, idle: list[Any], deadline: Deadline, address: Address) -> Any:
        try:
            # Another thread may take the last one in between.
            connection = idle.pop() if idle else self._wire.make(address)
        except IndexError:
            connection = self._wire.make(address)
        try:
            if await self._wire.open(connection, deadline):
                pools.unbroken = Unbroken()
        except self._wire.errors as error:
            await self._wire.close(connection)
            if pools.slots is not None:
                pools.slots.forget()
            raise unreachable(self.place, error) from error
        except BaseException:
            await self._wire.close(connection)
            raise
        return connection

    async def _owner(self, slots: Slots, base: bytes, deadline: Deadline) -> Address:
        """The server that has these keys; asks who has what if nobody knows."""
        owner = slots.of(base)
        if owner is not None:
            return owner
        failed: Exception | None = None
        for address in slots.candidates():
            try:
                (answer,) = await self._sent(address, (("CLUSTER", "SLOTS"),), deadline, writes=False)
            except Unavailable as error:
                failed = error
                continue
            if isinstance(answer, Exception):
                raise refused(self.place, answer) from answer
            slots.learn(answer, address)
            owner = slots.of(base)
            if owner is not None:
                return owner
        raise failed or Unavailable(f"{self.place}: no server of the cluster has the slot of these keys")

    def _pools(self) -> _Pools:
        if self._runtime.blocking:
            return self._only
        loop = asyncio.get_running_loop()
        pools = self._by_loop.get(loop)
        if pools is None:
            with self._lock:
                self._drop_closed_loops()
                pools = self._by_loop[loop] = self._new_pools()
        return pools

    def _drop_closed_loops(self) -> None:
        """Close the connections of loops that are closed: they keep each other, and would stay open for good."""
        for loop in [each for each in self._by_loop if each.is_closed()]:
            for idle in self._by_loop.pop(loop).idle.values():
                for connection in idle:
                    self._wire.abandon(connection)

    def _new_pools(self) -> _Pools:
        return _Pools(Slots(self._target.start) if self._target.cluster else None)


def _refusal(request: Request, answers: list[Any]) -> Exception | None:
    """What was answered in place of a result. Of a write that was done there is none, whatever was asked beside it."""
    asked = answers[:1] if request.writes else answers
    return next((each for each in asked if isinstance(each, Exception)), None)
