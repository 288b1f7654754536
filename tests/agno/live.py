"""A db object that agno runs on, and how a test talks to it whichever way it is driven."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agno.agent import Agent
from agno.db.base import AsyncBaseDb, BaseDb
from agno.team import Team
from agno.workflow import Workflow

from dbrouter.backends.kernel.ops import Scan
from dbrouter.backends.kernel.running import finish

DATABASES = ("primary", "traces", "evals", "ops")

Db = BaseDb | AsyncBaseDb
Component = Agent | Team | Workflow


@dataclass(kw_only=True)
class Live:
    """A db of one backend in one mode. `run` and `ask` hide the mode, so that one test serves both."""

    backend: str
    mode: str
    db: Any
    reopen: Callable[[], Live] | None = None
    """Opens the same databases again, as another process would."""

    @property
    def blocking(self) -> bool:
        """Whether agno calls it, and is called, without `await`."""
        return self.mode == "blocking"

    async def run(self, component: Component, message: str, **options: Any) -> Any:
        """Run a component as a user of this mode does: `run` on a blocking db, `arun` on an async one."""
        if self.blocking:
            return component.run(message, **options)
        return await component.arun(message, **options)

    async def stream(self, component: Component, message: str, **options: Any) -> list[Any]:
        """Run a component and collect its events."""
        if self.blocking:
            return list(component.run(message, stream=True, **options))
        return [event async for event in component.arun(message, stream=True, **options)]

    async def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call one of the db's own methods."""
        return await answer(getattr(self.db, method)(*arguments, **options))

    async def rows(self, database: str, table: str) -> list[dict[str, Any]]:
        """What one database of a router holds in a table, asked of its store."""
        store = self.db.database(database)
        scan = store.execute(Scan(table=table))
        page = finish(scan) if self.blocking else await scan
        return page.records

    async def where(self, table: str, column: str) -> dict[str, list[str]]:
        """Database -> the values of a column in its rows of a table, sorted; databases without rows are left out."""
        held = {name: [row[column] for row in await self.rows(name, table)] for name in DATABASES}
        return {name: sorted(values) for name, values in held.items() if values}

    async def close(self) -> None:
        """Close the db."""
        await answer(self.db.close())


async def answer(value: Any) -> Any:
    """Give the value, waited for if it has to be."""
    return await value if inspect.isawaitable(value) else value
