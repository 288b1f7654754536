"""What families remember between calls is kept apart by place: no tenant is answered from what another's call left."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from typing import Any

import pytest

from dbrouter.backends.kernel.ops import ABSENT
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.router import families
from dbrouter.router.families.context import Context, Part
from dbrouter.router.families.metrics import Refreshed
from dbrouter.router.families.programs import Programs
from dbrouter.router.families.run_cache import RunCache
from dbrouter.router.families.session_origin import Absences, LastSaves, Origin, origin_of, remember
from dbrouter.router.families.sessions import Sessions
from tests.families.test_session_saving import session

KEYED = (Absences, LastSaves, RunCache, Refreshed)
"""What families may remember something in: each of its methods asks for the place first."""

FROM_THE_CONTEXT = ("store", "now", "on_conflict", "place_of", "registered")


def _held(part: object, context: Context, path: str = "") -> Iterator[tuple[str, object]]:
    """Everything that a program holds beside what the context gave it, and what that holds."""
    given = [getattr(context, name) for name in FROM_THE_CONTEXT]
    for name, value in vars(part).items():
        where = f"{path}.{name}"
        if value is context or isinstance(value, str) or any(value is each or value == each for each in given):
            continue  # a text cannot be added to
        if type(value).__module__.startswith("dbrouter.router.families") and not isinstance(value, KEYED):
            yield from _held(value, context, where)
        else:
            yield where, value


def test_programs_hold_nothing_that_is_not_kept_apart_by_place() -> None:
    context = Context(MemoryStore(), place="here", registered={"tool_result_filesystems": []})
    for name, program in vars(Programs(context)).items():
        for where, value in _held(program, context, name):
            assert isinstance(value, KEYED), f"{where} is remembered between calls, whosever they are: {value!r}"


@pytest.mark.parametrize("kind", KEYED)
def test_whoever_remembers_asks_for_the_place_first(kind: type) -> None:
    public = [each for name, each in vars(kind).items() if not name.startswith("_") and callable(each)]
    assert public
    for method in public:
        first = list(inspect.signature(method).parameters)[1]
        assert first == "place", f"{method.__qualname__} asks for {first} first"


def test_no_module_of_a_family_caches_answers() -> None:
    for found in pkgutil.iter_modules(families.__path__):
        module = importlib.import_module(f"{families.__name__}.{found.name}")
        for name, value in vars(module).items():
            if isinstance(value, _lru_cache_wrapper):
                assert value.__module__ != module.__name__, f"{module.__name__}.{name} remembers between calls"
            assert not (isinstance(value, KEYED)), f"{module.__name__}.{name} outlives every db"


def test_places_do_not_see_what_each_other_remember() -> None:
    here, there = ("db", Part("acme")), ("db", Part("globex"))
    absences, refreshed, runs = Absences(), Refreshed(), RunCache()
    absences.tell(here, "s", (1, 1))
    assert not absences.take(there, "s", (1, 1))
    assert absences.take(here, "s", (1, 1))
    saved = session(session_data={"session_state": {}}, agent_data={})
    last_saves, old = LastSaves(), Origin("s1", own=None, seen=None, kind="agent", version=1, place=here)
    last_saves.note(
        here, saved, remember(saved, Origin("s1", own=None, seen=None, kind="agent", version=1, place=here))
    )
    assert last_saves.holder(there, saved) is last_saves.newer(there, saved, old) is None
    assert last_saves.holder(here, saved) is not None
    assert last_saves.newer(here, saved, old) is not None
    refreshed.set(here, 5.0)
    assert (refreshed.at(here), refreshed.at(there)) == (5.0, float("-inf"))
    text = '{"run_id": "r", "session_id": "s", "agent_id": "a", "content": "x", "messages": []}'
    (mine,) = runs.runs(here, "s", [("r", text)])
    (theirs,) = runs.runs(there, "s", [("r", text)])
    assert mine is runs.runs(here, "s", [("r", text)])[0]
    assert mine is not theirs


def test_an_origin_counts_only_where_the_object_was_read() -> None:
    read = session()
    origin: Any = Origin("s1", own=None, seen=None, kind="agent", version=ABSENT, place=("db", Part("acme")))
    remember(read, origin)
    assert origin_of(read, ("db", Part("acme"))) is origin
    assert origin_of(read, ("db", Part("globex"))) is None
    assert origin_of(read, ("other", Part("acme"))) is None


def test_the_place_of_a_call_is_asked_for_each_call() -> None:
    whose = ["acme"]
    sessions = Sessions(Context(MemoryStore(), place="db", part_of=lambda _: Part(whose[0])))
    assert sessions._place_of(None)[1].of == "acme"  # type: ignore[arg-type]  # the op says nothing here
    whose[0] = "globex"
    assert sessions._place_of(None)[1].of == "globex"  # type: ignore[arg-type]
