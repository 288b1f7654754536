"""Emulation keeps what its store can do to keep tenants apart, and claims no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.isolation import HasNamespaces, HoldsRowsBack
from dbrouter.backends.kernel.ops import Insert, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.minimal import MinimalStore
from tests.kernel.rows import session


class Spaces(MinimalStore):
    """A store with namespaces."""

    def __init__(self) -> None:
        super().__init__()
        self.spaces: dict[str, Spaces] = {}

    def in_namespace(self, namespace: str) -> Store:
        return self.spaces.setdefault(namespace, type(self)())


class Holding(MinimalStore):
    """A store that holds rows back."""

    whose = ""

    def for_rows_of(self, tenant: str) -> Store:
        held = type(self)()
        held.whose = tenant
        return held


class Both(Spaces, Holding):
    """A store that does both."""


@pytest.mark.parametrize(
    ("kind", "namespaces", "rows"),
    [(MinimalStore, False, False), (Spaces, True, False), (Holding, False, True), (Both, True, True)],
)
def test_an_emulated_store_keeps_apart_what_its_store_does(kind: type[Any], namespaces: bool, rows: bool) -> None:
    store = Emulated(kind())
    assert isinstance(store, Emulated)
    assert isinstance(store, Store)
    assert isinstance(store, HasNamespaces) is namespaces
    assert isinstance(store, HoldsRowsBack) is rows


def test_emulation_goes_along_into_a_namespace() -> None:
    inner = Both()
    store = cast("HasNamespaces", Emulated(inner))
    space = store.in_namespace("x")
    finish(space.execute(Insert(table="sessions", records=(session("a"),))))
    assert isinstance(space, HoldsRowsBack)
    assert [record["session_id"] for record in finish(space.execute(Scan(table="sessions", limit=1))).records] == ["a"]
    assert finish(cast("Store", store).execute(Scan(table="sessions", limit=1))).records == []
    again = store.in_namespace("x")
    assert finish(again.execute(Scan(table="sessions", total=True))).total == 1


def test_emulation_goes_along_to_a_tenants_rows() -> None:
    store = cast("HoldsRowsBack", Emulated(Holding()))
    held = store.for_rows_of("a\x00")
    assert isinstance(held, Emulated)
    assert cast("Any", held)._store.whose == "a\x00"


def test_how_tenants_are_kept_apart_does_not_change_what_runs_natively() -> None:
    assert EVERYTHING_NATIVE.complete
    assert replace(EVERYTHING_NATIVE, isolations=frozenset()).complete
    assert not replace(EVERYTHING_NATIVE, percentiles=False).complete
    assert not Capabilities().complete
