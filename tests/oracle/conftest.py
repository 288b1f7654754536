"""agno's own class beside ours: the same calls, the same clock, the answers compared."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from agno.db.base import BaseDb
from agno.db.postgres import PostgresDb
from agno.db.sqlite import SqliteDb

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.router.families import FAMILY_CLASSES
from dbrouter.router.families.context import Context
from tests.backends.backend import Backend
from tests.backends.known import BACKENDS, is_flavour, named
from tests.backends.places import Place

FAMILIES = tuple(family for classes in FAMILY_CLASSES.values() for family in classes)


KEEP_TIME = (
    *(f"agno.db.{name}" for name in ("utils", "schemas.projects", "schemas.tasks")),
    *(f"agno.db.sql.{name}" for name in ("company", "runs")),
    *(f"agno.db.{kind}.{name}" for kind in ("postgres", "sqlite") for name in (kind, "utils")),
)
"""The modules of agno that ask for the time in what is compared."""


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000

    @classmethod
    def of_agno(cls, monkeypatch: pytest.MonkeyPatch) -> Clock:
        """One that agno goes by too."""
        clock = cls()
        for module in KEEP_TIME:
            monkeypatch.setattr(f"{module}.time", SimpleNamespace(**{**vars(time), "time": clock}))
        return clock

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
        raise AttributeError(f"no family has {name}")


@dataclass(frozen=True)
class Both:
    """The same call to agno's class and to ours. `both.get_run("r1")` fails if the answers differ."""

    agno: Any
    ours: Any
    clock: Clock

    def answers(self, name: str, /, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
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
        # agno has this column of a component's version on Postgres only.
        extra = {"deleted_at"} if "stage" in answer and answer.get("deleted_at") is None else set()
        return {key: plain(value) for key, value in answer.items() if key not in extra}
    if isinstance(answer, list | tuple):
        return type(answer)(plain(each) for each in answer)
    return answer


SIDES = ("memory", "sqlite", "postgres")
"""Our store in each pair; beside memory and SQLite stands agno's SqliteDb, beside Postgres its PostgresDb."""


def elsewhere(*, alone: bool) -> list[Any]:
    """The backends of other kinds as parameters. alone: MongoDB also as a server that has no transactions."""
    names = [each.name for each in BACKENDS if each.name not in SIDES and not is_flavour(each)]
    every = [*names, "mongo alone"] if alone else names
    return [pytest.param(each, marks=pytest.mark.backend(each, mode="oracle")) for each in every]


@pytest.fixture(params=[pytest.param(each, marks=pytest.mark.backend(each, mode="oracle")) for each in SIDES])
def side(request: pytest.FixtureRequest) -> str:
    """Which of our stores this run of the test is about."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def place(side: str, empty_place: Callable[[Backend], Place]) -> Place:
    """Where agno's database is, of the same kind as our store where agno has it."""
    return empty_place(named("postgres" if side == "postgres" else "sqlite"))


@pytest.fixture
def our_store(side: str, place: Place, empty_place: Callable[[Backend], Place]) -> Store:
    """An empty store of ours, as routers use it."""
    if side == "postgres":
        names = {name: f"ours_{spec.default_name}" for name, spec in TABLES.items()}
        return place.opener("blocking", tables=names)()
    return empty_place(named(side)).opener("blocking")()


@pytest.fixture
def agno_db(side: str, place: Place) -> Iterator[BaseDb]:
    """An empty database of agno's own."""
    if side == "postgres":
        url = place.settings()["url"].replace("postgresql:", "postgresql+psycopg:")
        db: BaseDb = PostgresDb(db_url=url, db_schema=place.name)
    else:
        db = SqliteDb(db_file=place.settings()["path"])
    yield db
    db.close()


@pytest.fixture
def both(agno_db: BaseDb, our_store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    """`agno_db` and our families over `our_store`, both empty, with one clock."""
    clock = Clock.of_agno(monkeypatch)
    yield Both(agno_db, Ours(Context(our_store, now=clock)), clock)
    finish(our_store.close())
