"""Every face method takes what agno passes, and is sync or async as agno expects it."""

from __future__ import annotations

import inspect
from inspect import Parameter, Signature
from typing import Any

import pytest

from dbrouter.router.agno_types import AsyncBaseDb, BaseDb
from tests.faces.served import (
    ASYNC,
    ASYNC_ROUTER,
    PROGRAMS,
    ROUTER,
    SYNC,
    awaited_by_agno,
    declared_by_agno,
    interface_of,
)

SYNC_CLASS: type = type(ROUTER)
ASYNC_CLASS: type = type(ASYNC_ROUTER)
OF_AGNO = interface_of(BaseDb)
OF_AGNO_ASYNC = sorted({*OF_AGNO, *interface_of(AsyncBaseDb)})
OUR_OWN = [name for _, name in SYNC if not hasattr(BaseDb, name)]

EXTRAS = {
    "get_learning": {"workflow_id"},
    "get_learnings": {"workflow_id"},
    "get_dependents": {"parent_user_id"},
}
"""What agno's own databases take beyond their base class. Nothing else may be added."""


def _parameters(method: Any) -> dict[str, tuple[Any, Any]]:
    return {each.name: (each.kind, each.default) for each in inspect.signature(method).parameters.values()}


def _same_as(agno: Any, ours: Any, name: str) -> None:
    theirs, mine = _parameters(agno), _parameters(ours)
    # What agno's base for blocking databases takes alone, its async one's face takes too.
    extras = EXTRAS.get(name, set()) | _parameters(getattr(BaseDb, name, agno)).keys() - theirs.keys()
    assert mine.keys() - theirs.keys() == extras
    assert {each: value for each, value in mine.items() if each not in extras} == theirs
    assert [each for each in mine if each not in extras] == list(theirs)
    for extra in extras:
        assert inspect.signature(ours).parameters[extra].default is None


@pytest.mark.parametrize("name", OF_AGNO)
def test_a_sync_method_has_agnos_signature(name: str) -> None:
    _same_as(getattr(BaseDb, name), getattr(SYNC_CLASS, name), name)


@pytest.mark.parametrize("name", OF_AGNO_ASYNC)
def test_an_async_method_has_agnos_signature(name: str) -> None:
    _same_as(declared_by_agno(name), getattr(ASYNC_CLASS, name), name)


@pytest.mark.parametrize("name", sorted({*OF_AGNO_ASYNC, *OUR_OWN} - {"from_dict", "to_dict"}))
def test_an_async_method_is_a_coroutine_function_where_agno_awaits_it(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(ASYNC_ROUTER, name)) is awaited_by_agno(name)
    assert not inspect.iscoroutinefunction(getattr(ROUTER, name))


@pytest.mark.parametrize("name", sorted({name for _, name in SYNC + ASYNC}))
def test_a_method_is_typed_and_says_what_it_answers(name: str) -> None:
    for cls in (SYNC_CLASS, ASYNC_CLASS):
        method = getattr(cls, name)
        signature = inspect.signature(method)
        assert signature.return_annotation is not Signature.empty
        own = [each for each in signature.parameters.values() if each.name != "self"]
        assert all(each.annotation is not Parameter.empty for each in own)
        assert inspect.getdoc(method)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_takes_what_agno_passes_by_name(name: str) -> None:
    taken = inspect.signature(PROGRAMS[name]).parameters
    anything = any(each.kind is Parameter.VAR_KEYWORD for each in taken.values())
    for base in (BaseDb, AsyncBaseDb):
        for each in inspect.signature(getattr(base, name, PROGRAMS[name])).parameters.values():
            assert anything or each.kind is Parameter.VAR_KEYWORD or each.name in taken
