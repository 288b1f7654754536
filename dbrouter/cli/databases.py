"""The configured databases, opened for a command and closed after it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.config.settings import Settings


@contextmanager
def opened(settings: Settings) -> Generator[dict[str, Store | ConfigError]]:
    """Database -> its blocking store, or the reason why it has none."""
    from dbrouter.router.any_agno.opening import KIND, open_to_look
    from dbrouter.router.opening import open_store

    stores: dict[str, Store | ConfigError] = {}
    for name, database in settings.databases.items():
        try:
            # What a command asks of a class that must be awaited, it waits for.
            look = database.kind == KIND
            stores[name] = open_to_look(name, database) if look else open_store(name, database, blocking=True)
        except ConfigError as missing:
            stores[name] = missing
    try:
        yield stores
    finally:
        for store in stores.values():
            if not isinstance(store, ConfigError):
                finish(store.close())
