"""Several writers on one store, one request at a time, in an order that the test chooses: races without threads."""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Iterable, Sequence
from types import coroutine
from typing import Any, TypeVar

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.running import AsyncRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.minimal import MinimalStore

R = TypeVar("R")
T = TypeVar("T")


@coroutine
def turn() -> Generator[None]:
    """Let the test choose who goes on."""
    yield


class Turns(AsyncRuntime):
    """A runtime in which to sleep is to let the others go on."""

    async def sleep(self, seconds: float) -> None:
        """One turn, however long."""
        del seconds
        await turn()


class TurnTaking(MinimalStore):
    """A minimal store that takes a turn before each request."""

    def __init__(self, *, commits: bool = False) -> None:
        super().__init__(commits=commits)
        self.runtime: Runtime = Turns()

    async def execute(self, op: Op[R], /) -> R:
        """The answer, a turn later."""
        await turn()
        return await super().execute(op)


def emulated(*, commits: bool = False) -> Store:
    """An emulated store whose requests interleave as `drive` says."""
    return Emulated(TurnTaking(commits=commits))


def drive(writers: Sequence[Coroutine[Any, Any, Any]], choices: Iterable[int]) -> list[Any]:
    """Each writer's answer or error, after running them turn by turn: the next to go is `choices` modulo those left."""
    outcomes: list[Any] = [None] * len(writers)
    left = list(range(len(writers)))
    # When the choices are used up, the writers take turns.
    for choice in _endless(choices):
        if not left:
            break
        which = left[choice % len(left)]
        try:
            writers[which].send(None)
        except StopIteration as done:
            outcomes[which] = done.value
            left.remove(which)
        except Exception as error:  # noqa: BLE001  # an error is an outcome
            outcomes[which] = error
            left.remove(which)
    return outcomes


def alone(writer: Coroutine[Any, Any, T]) -> T:
    """The answer of one writer with nobody beside it."""
    (outcome,) = drive([writer], ())
    if isinstance(outcome, Exception):
        raise outcome
    return outcome  # type: ignore[no-any-return]


def _endless(choices: Iterable[int]) -> Generator[int]:
    yield from choices
    count = 0
    while True:
        yield count
        count += 1
