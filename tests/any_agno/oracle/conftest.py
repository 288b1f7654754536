"""Every call that the tests of `tests/oracle` make of agno's own class, made of a router over such a class too.

The router must answer as the class itself does, also where ours does better: nothing of ours is between. Of each test the
first two cases are run: what they are about is agno's, and theirs to test.
"""

from __future__ import annotations

import copy
import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agno.db.sqlite import SqliteDb

from dbrouter import DbRouter
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.config import load_mapping
from dbrouter.router.any_agno.answers import is_empty
from dbrouter.router.families.context import Context
from tests.oracle.conftest import Both, Clock, Ours, plain

CASES = 2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what comes after the first cases of each test here."""
    here, seen, left_out = Path(__file__).parent, Counter[str](), list[pytest.Item]()
    for item in items:
        if item.path.parent == here:
            name = f"{item.path.name}::{getattr(item, 'originalname', item.name)}"
            seen[name] += 1
            if seen[name] > CASES:
                left_out.append(item)
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


class Twins:
    """agno's class, and a router over another object of it, asked alike. Answers what the class does."""

    def __init__(self, agno: SqliteDb, router: DbRouter) -> None:
        self._agno = agno
        self._router = router
        self.compared: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or not hasattr(type(self._router), name):
            return self._on_both(name)

        def called(*args: Any, **kwargs: Any) -> Any:
            given = copy.deepcopy((args, kwargs))
            mine = outcome(getattr(self._router, name), given)
            theirs = outcome(getattr(self._agno, name), (args, kwargs))
            self.compared.append(name)
            if not (isinstance(mine, StoreError) and is_empty(theirs)):  # what the class hides, the router tells
                assert told(mine) == told(theirs), name
            if isinstance(theirs, Exception):
                raise theirs
            return theirs

        return called

    def _on_both(self, name: str) -> Callable[..., Any]:
        """What the tests do to the class itself is done to the router's, too."""
        own = getattr(self._agno, name)
        if not callable(own):
            return own
        routed = getattr(self._router.database("one").methods.instances.here(), name)  # type: ignore[attr-defined]

        def called(*args: Any, **kwargs: Any) -> Any:
            routed(*args, **kwargs)
            return own(*args, **kwargs)

        return called


def outcome(method: Callable[..., Any], given: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
    with warnings.catch_warnings():
        # SQLAlchemy deprecates some of what agno does.
        warnings.simplefilter("ignore")
        try:
            return method(*given[0], **given[1])
        except Exception as error:  # noqa: BLE001  # compared with what the other side raises
            return error


def told(answer: Any) -> Any:
    """What must be the same on both sides."""
    if isinstance(answer, Exception):
        return type(answer), str(answer)
    return plain(answer)


@pytest.fixture(scope="session")
def _with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("agno") / "tables.db"
    db = SqliteDb(db_file=str(made))
    db._create_all_tables()
    db._get_table(table_type="runs", create_table_if_not_found=True)
    db.close()
    return made


@pytest.fixture
def both(tmp_path: Path, _with_tables: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    """Twins for agno, and families of ours, all empty, with one clock."""
    clock = Clock.of_agno(monkeypatch)
    agno, routed = (shutil.copy(_with_tables, tmp_path / name) for name in ("agno.db", "routed.db"))
    database = {"kind": "agno", "class": "agno.db.sqlite.SqliteDb", "args": {"db_file": str(routed)}}
    # At once: behind the caller, several writes of a trace become one.
    said = {"databases": {"one": database}, "agentos": {"db": "one"}, "traces": {"buffer": False}}
    router = DbRouter.from_settings(load_mapping(said))
    twins = Twins(SqliteDb(db_file=str(agno)), router)
    yield Both(twins, Ours(Context(Emulated(MemoryStore()), now=clock)), clock)
    router.close()
    twins._agno.close()
    assert twins.compared, "nothing was asked of the router"
