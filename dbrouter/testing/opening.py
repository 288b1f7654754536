"""Opening the stores of one test, and running its body under `finish` or under asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.testing.candidates import OpenStore


class Opener:
    """Opens stores over one place and remembers them."""

    def __init__(self, open_one: OpenStore) -> None:
        self._open = open_one
        self.opened: list[Store] = []

    def __call__(self) -> Store:
        """One more store over the same data, as another process would open it."""
        store = _answering_everything(self._open())
        if not any(store is each for each in self.opened):
            self.opened.append(store)
        return store


def _answering_everything(store: Store) -> Store:
    """The store as the router uses it: what it does not declare is emulated."""
    # On threads, the emulation is there already: beneath.
    emulated = isinstance(store, Emulated | Confined) or isinstance(getattr(store, "inner", None), Emulated)
    if emulated or store.capabilities.complete:
        return store
    return Emulated(store)


def run(body: Callable[..., Coroutine[Any, Any, None]], arguments: dict[str, Any], stores: Sequence[Store]) -> None:
    """Run a test's body as its first store wants it, then close the stores in the same event loop."""

    async def whole() -> None:
        try:
            await body(**arguments)
        finally:
            for store in stores:
                await store.close()

    if stores[0].runtime.blocking:
        finish(whole())
    else:
        asyncio.run(whole())
