"""Which families a class of agno's can serve, and what it lacks for the others."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.router.any_agno.implemented import bases_of, implements, signature_of
from dbrouter.router.faces.sync_all import SYNC_FACES
from dbrouter.router.families import FAMILY_CLASSES
from dbrouter.router.families.compactions import Compactions
from dbrouter.router.families.tool_results import ToolResults
from dbrouter.router.families.transcripts import Transcripts
from dbrouter.router.routes import SERVED

OPTIONAL = frozenset(
    {
        *("reassign_session_owner", "cancel_pending_run", "get_span_stats", "search_learnings", "get_latest_configs"),
        *(name for program in (ToolResults, Compactions, Transcripts) for name in vars(program) if name[0] != "_"),
    }
)
"""Methods that agno does without where a class lacks them; then a router lacks them too, and agno notices."""


_FORGETS = "a process that has not yet written one finds none, however many are stored"

FLAWS: Mapping[tuple[str, str], str] = {("MongoDb", "learnings"): _FORGETS, ("AsyncMongoDb", "learnings"): _FORGETS}
"""Class and family -> why it cannot be relied upon, although the methods are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a class stands to a family.

    lacks: methods without which it cannot be served. unfit: methods that ask for arguments which agno does not give.
    flaw: why its answers are wrong, if they are known to be. without: methods that agno does without.
    """

    family: str
    lacks: tuple[str, ...]
    unfit: tuple[str, ...]
    flaw: str | None
    without: frozenset[str]

    @property
    def served(self) -> bool:
        """Whether the family can be sent there."""
        return not self.lacks and not self.unfit and self.flaw is None

    def __str__(self) -> str:
        all_ = {*methods_of(self.family)} <= {*self.lacks, *self.without}
        parts = [f"it lacks {'every method' if all_ else ', '.join(self.lacks)}"] if self.lacks else []
        parts += [f"agno does not give what {', '.join(self.unfit)} ask for"] if self.unfit else []
        return "; ".join([*parts, *([] if self.flaw is None else [self.flaw])])


@cache
def verdict(cls: type, family: str) -> Verdict:
    """How the class stands to the family."""
    methods = tuple(methods_of(family))
    absent = [name for name in methods if not implements(cls, name)]
    of_agno: Any = bases_of(cls)
    without = {name for name in absent if name in OPTIONAL or not hasattr(of_agno, name)}
    if without == set(methods):
        # agno does without some of them, and not without all.
        without = set[str]()
    return Verdict(
        family=family,
        lacks=tuple(name for name in absent if name not in without),
        unfit=tuple(name for name in methods if name not in absent and _asks_for_more(cls, name, family)),
        flaw=next((why for (named, of), why in FLAWS.items() if of == family and _is_a(cls, named)), None),
        without=frozenset(without) | _promised_by_ours_only(cls, family),
    )


def _is_a(cls: type, name: str) -> bool:
    return any(each.__name__ == name and each.__module__.startswith("agno.db.") for each in cls.__mro__)


def served_by(cls: type) -> tuple[str, ...]:
    """The families that can be sent to the class."""
    return tuple(family for family in SERVED if verdict(cls, family).served)


def methods_of(family: str) -> Iterator[str]:
    """The methods of a family, as agno calls them."""
    face = vars(SYNC_FACES[family])
    return (name for name, each in face.items() if inspect.isfunction(each) and not name.startswith("_"))


def _promised_by_ours_only(cls: type, family: str) -> frozenset[str]:
    """What agno reads off a db beside the family's methods, where the class does not say the same."""
    face = vars(SYNC_FACES[family])
    return frozenset(
        name for name, each in face.items() if isinstance(each, bool) and getattr(cls, name, None) is not each
    )


@cache
def table_of(family: str, method: str) -> str:
    """The table that a method of a family is about."""
    second = {"Runs": "runs", "RunFencing": "runs", "Spans": "spans", "ScheduleRuns": "schedule_runs"}
    if method == "insert_session_if_absent":
        return "sessions"
    program = next(each for each in FAMILY_CLASSES[family] if method in vars(each))
    first = next(spec.name for spec in TABLES.values() if spec.family == family)
    return second.get(program.__name__, first)


@cache
def defaults_of(family: str, method: str) -> dict[str, Any]:
    """Argument -> what it is if nobody gives it; only those that need not be given."""
    face = vars(SYNC_FACES[family])[method]
    return {
        each.name: each.default
        for each in inspect.signature(face).parameters.values()
        if each.default is not inspect.Parameter.empty
    }


def _asks_for_more(cls: type, method: str, family: str) -> bool:
    known = {*inspect.signature(vars(SYNC_FACES[family])[method]).parameters}
    return any(
        each.default is each.empty
        and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
        and (each.name not in known or each.kind is each.POSITIONAL_ONLY)
        for each in signature_of(cls, method).parameters.values()
    )
