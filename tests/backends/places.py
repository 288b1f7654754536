"""Databases for tests: an empty one for each that asks, or one for all that keep apart by themselves."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbrouter.backends.kernel.store import Store
from dbrouter.config import load_mapping
from dbrouter.router.opening import STORES, open_store
from dbrouter.testing.candidates import OpenStore
from scripts.servers import Server
from tests.backends.backend import Backend, Settings

MODES = ("blocking", "async")

_WORKER = chr(ord("g") + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))
"""A letter for each of the processes that share the tests: they may share a server. Names have to be short, for those of
namespaces are made of them, and of a name that a database cuts the suites cannot tell whose it is."""


@dataclass(frozen=True, slots=True)
class Place:
    """An empty database of a backend, that nobody else uses."""

    backend: Backend
    url: str
    name: str

    def settings(self, **more: Any) -> Settings:
        """Its entry in a configuration."""
        return {**self.backend.settings(self.url, self.name), **more}

    def namespace(self, short: str) -> str:
        """The name of a namespace of it."""
        return f"{self.name}_{short}"

    def opener(self, mode: str, **more: Any) -> OpenStore:
        """Opens stores over it, each as routers use it and as another process would."""
        blocking = mode == "blocking"
        described = load_mapping({"databases": {"x": self.settings(**more)}, "agentos": {"db": "x"}}).databases["x"]

        def opened() -> Store:
            return open_store(self.backend.name, described, blocking=blocking)

        if not self.backend.one_store:
            return opened
        only = opened()
        return lambda: only

    def drop(self) -> None:
        """Remove it."""
        self.backend.drop(self.url, self.name)


class Places:
    """Makes databases. start: starts a server by its name, once. folder: makes a folder of this name."""

    def __init__(self, start: Callable[[str], Server], folder: Callable[[str], Path]) -> None:
        self._start = start
        self._folder = folder
        self._numbers = itertools.count(1)
        self._lasting: dict[str, Place] = {}
        self._used: dict[str, list[Place]] = {}

    def fresh(self, backend: Backend) -> Place:
        """A new one; whoever asks drops it."""
        name = f"t{_WORKER}{next(self._numbers):x}"
        url = str(self._folder(name)) if backend.server is None else self._start(backend.server).url
        backend.prepare(url, name)
        return Place(backend, url, name)

    def empty(self, backend: Backend) -> Place:
        """A new one or, where that is faster, one that was given back, without its rows and with its tables."""
        used = self._used.get(backend.name)
        if backend.empty is None or not used:
            return self.fresh(backend)
        place = used.pop()
        backend.empty(place.url, place.name)
        return place

    def give_back(self, place: Place) -> None:
        """It is used no more."""
        if place.backend.empty is None:
            place.drop()
        else:
            self._used.setdefault(place.backend.name, []).append(place)

    def lasting(self, backend: Backend) -> Place:
        """The one that lasts for the run; it ends with its server."""
        if backend.name not in self._lasting:
            self._lasting[backend.name] = self.fresh(backend)
        return self._lasting[backend.name]


def is_native(backend: Backend, mode: str) -> bool:
    """Whether the store of this mode speaks to its database itself, and is not the blocking one on threads."""
    return mode == "blocking" or (STORES[backend.kind][2] is not None and not backend.threaded)
