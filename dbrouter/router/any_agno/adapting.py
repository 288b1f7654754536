"""Arguments as a class takes them: what it does not know is left out where that means the same, else refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.router.any_agno.families import defaults_of
from dbrouter.router.any_agno.implemented import signature_of


class CannotTake(Unsupported, ValueError):
    """The class has no such argument, and to leave it out would mean something else. Nothing was read or written.

    Also a `ValueError`: agno's routes answer 400 on it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The arguments that a class takes, and what is done to the answer for those that it does not know."""

    arguments: dict[str, Any]
    afterwards: Callable[[Any], Any] | None


class Adapted:
    """The arguments of one method of a class."""

    def __init__(self, cls: type, family: str, method: str) -> None:
        self._whose = f"{cls.__name__}.{method}"
        parameters = signature_of(cls, method).parameters.values()
        self._takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters)
        self._known = frozenset(each.name for each in parameters)
        self._defaults = defaults_of(family, method)
        self._method = method

    def taken(self, given: Mapping[str, Any]) -> Taken:
        """The arguments as the class takes them. `CannotTake` names one that it does not know and that says something.

        Those with the value that agno gives by default are passed too: a class may have another default.
        """
        kept: dict[str, Any] = {}
        afterwards: Callable[[Any], Any] | None = None
        for name, value in given.items():
            if name in self._known or (self._takes_any and name not in self._defaults):
                kept[name] = value
            elif (self._method, name) in MADE_UP_FOR:
                afterwards = MADE_UP_FOR[self._method, name](value)
            elif value is not None and (name not in self._defaults or value != self._defaults[name]):
                raise CannotTake(
                    f"{self._whose} does not know the argument {name}; leave it out, or send the family elsewhere"
                )
        return Taken(arguments=kept, afterwards=afterwards)


def _without_runs(include_runs: Any) -> Callable[[Any], Any]:
    """The sessions without their runs: agno asks for that to spare what it does not show."""

    def strip(answer: Any) -> Any:
        if include_runs:
            return answer
        for session in cast("list[Any]", answer[0] if isinstance(answer, tuple) else answer):
            if isinstance(session, dict):
                session["runs"] = None
            else:
                session.runs = None
        return answer

    return strip


def _at_most(limit: Any) -> Callable[[Any], Any]:
    """The first so many."""
    return lambda answer: list(itertools.islice(cast("list[Any]", answer), limit or None))


MADE_UP_FOR: Mapping[tuple[str, str], Callable[[Any], Callable[[Any], Any]]] = {
    ("get_sessions", "include_runs"): _without_runs,
    ("get_spans", "limit"): _at_most,
}
"""Method and argument -> what is done to the answer of a class that does not know the argument."""
