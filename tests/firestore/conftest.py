"""Databases of the emulator for these tests, and ways to look into them without our code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbrouter.backends.firestore.store import AsyncFirestoreStore, FirestoreStore
from dbrouter.backends.firestore.target import Target
from tests.backends.backend import Backend
from tests.backends.firestore import client
from tests.backends.known import named
from tests.backends.places import Place


@pytest.fixture
def place(fresh_place: Callable[[Backend], Place]) -> Place:
    """An empty database of the emulator."""
    return fresh_place(named("firestore"))


@pytest.fixture
def target(place: Place) -> Target:
    """The way to it."""
    settings = place.settings()
    return Target(project=settings["project"], emulator=settings["emulator_host"])


@pytest.fixture
def firestore(target: Target) -> FirestoreStore:
    """A blocking store over it, without emulation."""
    return FirestoreStore(target)


@pytest.fixture
def async_store(target: Target) -> AsyncFirestoreStore:
    """An async one."""
    return AsyncFirestoreStore(target)


@pytest.fixture
def documents(place: Place) -> Iterator[Callable[[str], dict[str, Any]]]:
    """The documents of a collection of ours, by id, read with Google's client."""
    with_client = client(place.url, place.name)

    def read(collection: str) -> dict[str, Any]:
        found = with_client.collection("dbrouter").document("tables").collection(collection).stream()
        return {each.id: each.to_dict() for each in found}

    yield read
    with_client.close()
