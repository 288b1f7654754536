"""The objects of a class: made when they are first needed, one for each event loop if they are awaited."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import ConfigError, Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.secrets import masked
from dbrouter.router.any_agno.heard import listen_to
from dbrouter.router.any_agno.implemented import implements, is_asynchronous
from dbrouter.router.any_agno.outages import is_outage


class Instances:
    """The databases that a class and its arguments stand for.

    name: what the database is called in the configuration.
    """

    def __init__(self, cls: type[Any], arguments: Mapping[str, Any], *, name: str) -> None:
        self.cls = cls
        self.name = name
        self.closes = implements(cls, "close")
        self._arguments = dict(arguments)
        self._names: dict[str, str] | None = None
        self._only: Any = None
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()
        self._lock = threading.RLock()
        listen_to(cls)
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have no connections of the parent's: a class that closes them has some."""
        self._lock = threading.RLock()
        if self.closes:
            self._forget()

    def here(self) -> Any:
        """The object for this thread's calls. `Unavailable` if the class needs the database to be made and it is away.

        Connections of a class that is awaited belong to an event loop, so each loop has an object of its own.
        """
        loop = asyncio.get_running_loop() if is_asynchronous(self.cls) else None
        found = self._only if loop is None else self._of_loops.get(loop)
        if found is not None:
            return found
        with self._lock:
            found = self._only if loop is None else self._of_loops.get(loop)
            if found is None:
                found = self._made()
                if loop is None:
                    self._only = found
                else:
                    self._of_loops[loop] = found
        return found

    def table_name(self, table: str) -> str:
        """What the class calls a table."""
        with self._lock:
            if self._names is None:
                made = self._only or self._made()
                if not is_asynchronous(self.cls):
                    self._only = made
                self._names = {
                    spec.name: getattr(made, spec.attribute, None) or spec.default_name for spec in TABLES.values()
                }
        return self._names[table]

    async def close(self) -> None:
        """Have the class close what it opened. The next call makes another object, if the class can close its own."""
        if not self.closes:
            return
        with self._lock:
            loop = asyncio.get_running_loop() if is_asynchronous(self.cls) else None
            found = self._only if loop is None else self._of_loops.get(loop)
            self._forget(loop)
        if found is not None:
            closing = found.close()
            if inspect.isawaitable(closing):
                await closing

    async def renew(self) -> None:
        """Have another object for the next call, if this one stays as a failure has left it.

        agno's SQL classes do: they refuse for ever a table whose creation was cut off. Their engines close what nobody
        uses, so that calls of others end well.
        """
        loop = asyncio.get_running_loop() if is_asynchronous(self.cls) else None
        if self.closes and hasattr(self._only if loop is None else self._of_loops.get(loop), "db_engine"):
            await self.close()

    def _forget(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._only = None
        if loop is None:
            self._of_loops = WeakKeyDictionary[asyncio.AbstractEventLoop, Any]()
        else:
            self._of_loops.pop(loop, None)

    def _made(self) -> Any:
        make: Callable[..., Any] = self.cls
        try:
            return make(**self._arguments)
        except Exception as error:
            told = f"databases.{self.name}: {self.cls.__name__} could not be made: {type(error).__name__}"
            if is_outage(error):
                raise Unavailable(f"{told}: {masked(str(error))}") from error
            # The class's own words may hold any of the arguments.
            raise ConfigError(f"{told}; look at its args") from error
