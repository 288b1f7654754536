"""Every store of ours, for the conformance suite and for whoever else wants a test to run on all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.config.capable import ISOLATIONS
from dbrouter.testing import Candidate
from dbrouter.testing.conformance import creating
from tests.backends.backend import Backend
from tests.backends.known import BACKENDS, is_flavour
from tests.backends.places import Place, Places, is_native
from tests.neighbours import in_a_namespace, with_a_neighbour

if TYPE_CHECKING:
    import pytest

    from dbrouter.testing.candidates import OpenStore

SMOKE = frozenset({"creating", "getting", "batching"})
"""For what the suite has seen whole in another way: a blocking store without the threads, a driver on another server."""
BY_LAYOUT = frozenset(
    {
        "creating",
        "deleting",
        "fidelity",
        "getting",
        "guarding",
        "inserting",
        "loading",
        "positions",
        "scanning",
        "upserting",
    }
)
"""What where and how rows are kept can break: keys, unique sets, parents, positions, orders and listings. Filters,
merges, claims and groups are worked out of rows by the same code, however they are kept."""


CORE = SMOKE | {"deleting", "loading", "positions", "scanning"}
"""Of these what differs most from store to store, for emulators that take long."""


def stores_of(backend: Backend) -> list[Candidate]:
    """Its stores in an empty database, of one's own."""
    return [
        Candidate(
            backend=backend.name,
            mode=mode,
            place=lambda request, mode=mode: _place(request, backend).opener(mode),
            gaps=backend.gaps,
            parts=backend.parts
            if is_native(backend, mode) and not (is_flavour(backend) and mode == "async")
            else SMOKE,
        )
        for mode in backend.modes
    ]


def beside_others(backend: Backend) -> list[Candidate]:
    """In each isolation that the backend has, in one mode: how rows are kept does not depend on the other."""
    parts = SMOKE if is_flavour(backend) else CORE if backend.slow else BY_LAYOUT
    first = replace(stores_of(backend)[0], parts=parts)
    isolations = ISOLATIONS.get(backend.kind, frozenset[Isolation]())
    found: list[Candidate] = []
    if Isolation.ROWS in isolations:
        found.append(with_a_neighbour(first, lasting=None if backend.one_store else _lasting(backend, first.mode)))
    if Isolation.SCHEMA in isolations:
        found.append(in_a_namespace(first, lambda request: _place(request, backend)))
    return found


def _place(request: pytest.FixtureRequest, backend: Backend) -> Place:
    wants_no_tables = request.function.__module__ == creating.__name__
    place: Place = request.getfixturevalue("fresh_place" if wants_no_tables else "empty_place")(backend)
    return place


def _lasting(backend: Backend, mode: str) -> Callable[[pytest.FixtureRequest], OpenStore]:
    def place(request: pytest.FixtureRequest) -> OpenStore:
        places: Places = request.getfixturevalue("places")
        return places.lasting(backend).opener(mode)

    return place


def _emulated(_: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.kernel.emulation import Emulated
    from dbrouter.testing.minimal import MinimalStore

    store = Emulated(MinimalStore())
    return lambda: store


def _async_emulated_with_commits(_: pytest.FixtureRequest) -> OpenStore:
    from dbrouter.backends.kernel.emulation import Emulated
    from dbrouter.testing.minimal import AsyncMinimalStore

    store = Emulated(AsyncMinimalStore(commits=True))
    return lambda: store


EMULATED = (
    Candidate(backend="emulated", mode="blocking", place=_emulated),
    Candidate(backend="emulated, commits", mode="async", place=_async_emulated_with_commits),
)
"""The kernel's emulation over as little as a driver may bring."""

STORES = (*(each for backend in BACKENDS for each in stores_of(backend)), *EMULATED)
"""Every backend in every mode."""

CANDIDATES = (
    *STORES,
    *(each for backend in BACKENDS for each in beside_others(backend)),
    *map(with_a_neighbour, EMULATED),
)
"""Each store as it is, as one of two tenants that share its tables sees it, and as a namespace in it."""
