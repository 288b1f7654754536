"""agno's own class beside ours: the same calls, the same clock, the answers compared."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from agno.db.base import BaseDb
from agno.db.sqlite import SqliteDb

from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.router.families.approvals import Approvals
from dbrouter.router.families.context import Context
from dbrouter.router.families.evals import Evals
from dbrouter.router.families.knowledge import Knowledge
from dbrouter.router.families.learnings import Learnings
from dbrouter.router.families.memories import Memories
from dbrouter.router.families.metrics import Metrics
from dbrouter.router.families.schedule_runs import ScheduleRuns
from dbrouter.router.families.schedules import Schedules
from dbrouter.router.families.schema_versions import SchemaVersions
from dbrouter.router.families.spans import Spans
from dbrouter.router.families.traces import Traces

FAMILIES = (
    Approvals,
    Evals,
    Knowledge,
    Learnings,
    Memories,
    Metrics,
    ScheduleRuns,
    Schedules,
    SchemaVersions,
    Spans,
    Traces,
)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000

    def __call__(self) -> int:
        return self.seconds

    def tick(self, seconds: int = 1) -> None:
        """Move on."""
        self.seconds += seconds


class Ours:
    """The families over one blocking store, as plain methods."""

    def __init__(self, context: Context) -> None:
        self._families = [family(context) for family in FAMILIES]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        for family in self._families:
            method = getattr(family, name, None)
            if method is not None:
                return lambda *args, **kwargs: finish(method(*args, **kwargs))
        raise AttributeError(f"no family has {name}; add its class to FAMILIES")


@dataclass(frozen=True)
class Both:
    """The same call to agno's class and to ours. `both.get_run("r1")` fails if the answers differ."""

    agno: Any
    ours: Any
    clock: Clock

    def answers(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """agno's answer and ours. Each side gets its own copy of the arguments."""
        (their_args, their_kwargs), (my_args, my_kwargs) = copy.deepcopy(((args, kwargs), (args, kwargs)))
        with warnings.catch_warnings():
            # SQLAlchemy deprecates some of what agno does; that is not ours to fail on.
            warnings.simplefilter("ignore")
            theirs = getattr(self.agno, name)(*their_args, **their_kwargs)
        return plain(theirs), plain(getattr(self.ours, name)(*my_args, **my_kwargs))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def agreed(*args: Any, **kwargs: Any) -> Any:
            theirs, mine = self.answers(name, *args, **kwargs)
            assert mine == theirs
            return mine

        return agreed


def plain(answer: Any) -> Any:
    """The answer with SQLAlchemy's row mappings as dicts."""
    if isinstance(answer, Mapping):
        return {key: plain(value) for key, value in answer.items()}
    if isinstance(answer, list | tuple):
        return type(answer)(plain(each) for each in answer)
    return answer


@pytest.fixture
def our_store() -> Store:
    """An empty store of ours."""
    return MemoryStore()


@pytest.fixture
def agno_db(tmp_path: Path) -> Iterator[BaseDb]:
    """An empty database of agno's own."""
    db = SqliteDb(db_file=str(tmp_path / "oracle.db"))
    yield db
    db.close()


@pytest.fixture
def both(agno_db: BaseDb, our_store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    """`agno_db` and our families over `our_store`, both empty, with one clock."""
    clock = Clock()
    monkeypatch.setattr(f"{type(agno_db).__module__}.time", SimpleNamespace(**{**vars(time), "time": clock}))
    yield Both(agno_db, Ours(Context(our_store, now=clock)), clock)
    finish(our_store.close())
