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
    from dbrouter.router.opening import open_store

    stores: dict[str, Store | ConfigError] = {}
    for name, database in settings.databases.items():
        try:
            stores[name] = open_store(name, database, blocking=True)
        except ConfigError as missing:
            stores[name] = missing
    try:
        yield stores
    finally:
        for store in stores.values():
            if not isinstance(store, ConfigError):
                finish(store.close())
