"""Random calls by tenants in turn, each answer searched for marks of the others."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

from dbrouter.backends.kernel.errors import CrossedTenant, DbRouterError
from dbrouter.testing.leaks.arguments import Hand, arguments
from dbrouter.testing.leaks.canaries import Leak, canary, marks_in
from dbrouter.testing.leaks.names import HOSTILE_IDS

NOT_PLAYED = frozenset(
    {"close", "from_dict", "to_dict", "table_exists", "get_latest_schema_version", "upsert_schema_version"}
)
"""Of the whole db rather than of a tenant."""

INTERFACES = ("agno.", "dbrouter.router.faces.")
"""Where methods come from that agno calls."""

BRINGING = ("upsert", "create", "store", "insert", "append", "enqueue", "assign", "record")
WRITES = 4
"""How much likelier than others are the methods that bring rows in, by how they begin; else most reads would find
nothing."""

EACH = 5
"""Calls by each tenant that are often: what one of them needs, another one made."""

AGE = 1_000
"""Calls of a tenant until ids of another age are used for what can never be removed."""

_A_TIME = 1_000_000_000
"""Numbers from here on are points in time."""

UNOWNED = "without its owned session"
REFUSALS = (DbRouterError, ValueError, RuntimeError)
"""What a random call may raise: it names what is not there, or is not allowed. Of `RuntimeError` only `UNOWNED`."""


@dataclass(slots=True)
class Played:
    """What was played: calls per method, how many of them answered with something, how many were refused.

    tenants: how many called. answering: the methods that have an answer, were it an empty one.
    """

    tenants: int = 1
    calls: Counter[str] = field(default_factory=Counter[str])
    answered: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    answering: set[str] = field(default_factory=set[str])

    def dumb(self) -> list[str]:
        """Methods that were called often and never did anything but refuse: the suite would prove nothing of them."""
        often = max(20, EACH * self.tenants)
        return [name for name, count in self.calls.items() if count >= often and self.refused[name] == count]

    def fruitless(self) -> list[str]:
        """Methods that were called very often and never answered with anything, although they might."""
        return [name for name in sorted(self.answering) if self.calls[name] >= 200 and not self.answered[name]]


@dataclass(frozen=True, slots=True)
class _Call:
    number: int
    method: str
    call: Callable[..., Any]
    given: dict[str, Any]
    answers: bool
    again: dict[str, Any]
    """The same arguments once more: a session that was saved remembers it, and is not as it was."""

    def __str__(self) -> str:
        return f"{self.method}({self.given!r:.500}) of tenant {self.number}"


def methods_of(db: Any) -> dict[str, inspect.Signature]:
    """The methods that this db serves, agno's and those that agno looks for by name, with their signatures."""
    known = {name for base in type(db).__mro__ if base.__module__.startswith(INTERFACES) for name in vars(base)}
    return {
        name: inspect.signature(getattr(db, name))
        for name in sorted(known - NOT_PLAYED)
        if not name.startswith("_") and _ours(db, name)
    }


def _ours(db: Any, name: str) -> bool:
    method = getattr(type(db), name, None)
    return inspect.isfunction(method) and method.__module__.startswith("dbrouter.")


def _calls(views: Sequence[Any], count: int, seed: int, ids: tuple[str, ...]) -> Iterator[_Call]:
    random = Random(seed)  # noqa: S311  # chance, not secrecy
    signatures = methods_of(views[0])
    names = list(signatures)
    weights = [WRITES if name.startswith(BRINGING) else 1 for name in names]
    for made in range(count):
        number = random.randrange(len(views))
        name = random.choices(names, weights)[0]
        given = arguments(name, signatures[name], Hand(random, canary(number), ids, age=made // (AGE * len(views))))
        answers = signatures[name].return_annotation not in (None, "None")
        yield _Call(number, name, getattr(views[number], name), given, answers, deepcopy(given))


def _examined(played: Played, call: _Call, answer: Any) -> None:
    if isinstance(answer, RuntimeError) and UNOWNED not in str(answer):
        raise answer
    foreign = marks_in(answer) - {call.number}
    if foreign:
        raise Leak(f"{call}: it shows tenants {sorted(foreign)}: {answer!r:.500}")
    played.calls[call.method] += 1
    if call.answers:
        played.answering.add(call.method)
    if isinstance(answer, Exception):
        played.refused[call.method] += 1
    elif answer not in (None, [], {}, 0, False, ([], 0)):
        played.answered[call.method] += 1


def _compared(call: _Call, answer: Any, alone: Sequence[Any]) -> None:
    """Make the call on the db that the tenant has for itself, and expect the same kind of answer."""
    try:
        expected = getattr(alone[call.number], call.method)(**call.again)
    except REFUSALS as refusal:
        expected = refusal
    if _kind(answer) != _kind(expected):
        raise Leak(f"{call}: {answer!r:.300}, but on a database without other tenants: {expected!r:.300}")


def _kind(answer: Any) -> Any:
    """What of an answer does not depend on the moment: how many, whether at all, refused or not."""
    if isinstance(answer, tuple):
        return tuple(_kind(each) for each in cast("tuple[Any, ...]", answer))
    if isinstance(answer, list):
        return len(cast("list[Any]", answer))
    if isinstance(answer, bool | int) and answer < _A_TIME:
        return answer
    return type(answer).__name__


def play(
    views: Sequence[Any], count: int, *, seed: int, alone: Sequence[Any] = (), ids: tuple[str, ...] = HOSTILE_IDS
) -> Played:
    """Make so many random calls on the tenants' views of a db; `Leak` if one shows or changes what is another's.

    views: one db for each tenant; the position is the tenant's number, and its mark. alone: if given, a blocking db for
    each tenant that nobody else uses: every call is made there too, and has to come to the same. ids: at least four.
    """
    played = Played(len(views))
    for call in _calls(views, count, seed, ids):
        try:
            answer = call.call(**call.given)
        except CrossedTenant as error:
            raise Leak(f"{call} was stopped by the last lock: {error}") from error
        except REFUSALS as refusal:
            answer = refusal
        _examined(played, call, answer)
        if alone:
            _compared(call, answer, alone)
    return played


async def aplay(
    views: Sequence[Any], count: int, *, seed: int, alone: Sequence[Any] = (), ids: tuple[str, ...] = HOSTILE_IDS
) -> Played:
    """`play`, on async dbs."""
    played = Played(len(views))
    for call in _calls(views, count, seed, ids):
        try:
            answer = call.call(**call.given)
            if inspect.isawaitable(answer):
                answer = await answer
        except CrossedTenant as error:
            raise Leak(f"{call} was stopped by the last lock: {error}") from error
        except REFUSALS as refusal:
            answer = refusal
        _examined(played, call, answer)
        if alone:
            _compared(call, answer, alone)
    return played
