"""Calls of the methods of a class, as the router makes them: arguments, answers and errors as agreed."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import DbRouterError, OutdatedSchema, StoreError, Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.secrets import masked
from dbrouter.router.agno_types import MigrationRequiredError, SessionType
from dbrouter.router.any_agno.adapting import Adapted
from dbrouter.router.any_agno.answers import as_agreed, is_empty
from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.heard import Hearing, hearing, is_silent
from dbrouter.router.any_agno.implemented import implements, is_asynchronous
from dbrouter.router.any_agno.instances import Instances
from dbrouter.router.any_agno.outages import is_outage

SAFE = frozenset(
    {
        *("PostgresDb", "SqliteDb", "MySQLDb", "SingleStoreDb", "MongoDb", "RedisDb", "DynamoDb", "FirestoreDb"),
    }
)
"""Classes of agno's whose clients threads may share."""

QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("get_session", {"session_id": "dbrouter", "session_type": SessionType.AGENT}),
    ("get_user_memory", {"memory_id": "dbrouter"}),
    ("get_knowledge_content", {"id": "dbrouter"}),
    ("get_eval_run", {"eval_run_id": "dbrouter"}),
    ("get_trace", {"trace_id": "dbrouter"}),
    ("get_approval", {"approval_id": "dbrouter"}),
    ("get_schedule", {"schedule_id": "dbrouter"}),
)
"""Small questions, one of which every class that serves anything can be asked to see whether its database answers."""

READING = ("get_", "list_", "search_", "table_exists", "_create_all_tables", "upsert_schema_version")
"""How methods begin that write to no table of agno's families."""

REGISTERED = ("tool_result_filesystems", "sandbox_coordinators")
"""What agno registers on a db and reads back when a session is deleted."""


class Methods:
    """The methods of one database's class.

    at_once: calls that it works on at the same time; `None` for the class's own measure. deadline: seconds a call waits
    for its turn. registered: what agno registered on the router.
    """

    def __init__(self, instances: Instances, *, at_once: int | None = None, deadline: float = 30.0) -> None:
        self.instances = instances
        self.registered: Mapping[str, Any] = {}
        self._cls = instances.cls
        self._adapted: dict[str, Adapted] = {}
        self._silent: dict[str, bool] = {}
        self._preparing: WeakKeyDictionary[Any, asyncio.Future[None]] = WeakKeyDictionary()
        self._deadline = deadline
        if at_once is None and not any(each.__name__ in SAFE for each in self._cls.__mro__):
            at_once = 1
        self._at_once = None if is_asynchronous(self._cls) else at_once
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Nobody's call is under way."""
        self._turns = None if self._at_once is None else threading.BoundedSemaphore(self._at_once)

    async def call(self, call: Call) -> Any:
        """The class's answer, as the contract of agno's interface has it.

        `CannotTake` if the class cannot honour an argument, `Unavailable` if the database did not answer, also where
        the class itself hides that. What else the class raises is raised as it is.
        """
        method = call.method
        if not implements(self._cls, method):
            # agno's own error for what a database does not have: AgentOS knows it and answers for it.
            raise NotImplementedError(f"{self._cls.__name__} has no {method}")
        adapted = self._adapted.get(method)
        if adapted is None:
            adapted = self._adapted[method] = Adapted(self._cls, call.family, method)
        taken = adapted.taken(call.arguments)
        answer, heard = await self._asked(method, taken.arguments)
        await self._refuse_hidden(method, taken.arguments, answer, heard)
        if is_empty(answer) and self._is_silent(method):
            await self.ping()
        answer = as_agreed(method, taken.arguments, answer)
        return answer if taken.afterwards is None else taken.afterwards(answer)

    async def plainly(self, method: str, *arguments: Any) -> Any:
        """The answer of a method that belongs to no family. An error that the class hides is raised here too."""
        if not implements(self._cls, method):
            return None
        answer, heard = await self._asked(method, {}, *arguments)
        await self._refuse_hidden(method, {}, answer, heard)
        return answer

    async def ping(self) -> None:
        """Return if the database answers."""
        for method, arguments in QUESTIONS:
            if implements(self._cls, method) and not self._is_silent(method):
                answer, heard = await self._asked(method, arguments)
                await self._refuse_hidden(method, arguments, answer, heard)
                return

    async def tables(self) -> frozenset[str]:
        """The names of the tables that there are. A class without tables has them all, as it says itself."""
        names = [self.instances.table_name(each) for each in TABLES]
        if not implements(self._cls, "table_exists"):
            return frozenset(names)
        return frozenset([name for name in names if await self.plainly("table_exists", name)])

    async def _asked(self, method: str, arguments: Mapping[str, Any], *plain: Any) -> tuple[Any, Hearing]:
        turns = self._turns
        if turns is not None and not turns.acquire(timeout=self._deadline):
            raise Unavailable(
                f"{self.instances.name}: other calls kept {self._cls.__name__} busy for {self._deadline:g} s; "
                f"raise databases.{self.instances.name}.at_once if threads may share it"
            )
        try:
            with hearing() as heard:
                try:
                    return await self._answer(method, arguments, plain), heard
                except DbRouterError:
                    raise
                except Exception as error:
                    # What it came to may be only the end of it.
                    outage = next((each for each in (error, *heard.loud, *heard.quiet) if is_outage(each)), None)
                    if outage is not None:
                        raise await self._told(method, outage) from error
                    if isinstance(error, MigrationRequiredError):
                        said = f"{self.instances.name}: {self._cls.__name__}.{method}: {error}"
                        raise OutdatedSchema(f"{said} `dbrouter migrate --apply` does that") from error
                    raise
        finally:
            if turns is not None:
                turns.release()

    async def _answer(self, method: str, arguments: Mapping[str, Any], plain: tuple[Any, ...]) -> Any:
        db = self.instances.here()
        if is_asynchronous(self._cls) and not method.startswith(READING):
            await self._prepared(db)
        if method.startswith("delete_session"):
            for name in REGISTERED:
                if name in self.registered:
                    setattr(db, name, self.registered[name])
        answer = getattr(db, method)(*plain, **arguments)
        return await answer if inspect.isawaitable(answer) else answer

    async def _refuse_hidden(self, method: str, arguments: dict[str, Any], answer: Any, heard: Hearing) -> None:
        """Raise what the class has hidden behind an answer."""
        error = heard.swallowed(method, arguments, answer)
        if error is not None:
            raise await self._told(method, error) from error

    async def _prepared(self, db: Any) -> None:
        """Have the object make its tables: some that are awaited write to a table that is missing without a word."""
        preparing = self._preparing.get(db)
        if preparing is None:
            preparing = self._preparing[db] = asyncio.ensure_future(self._tables_made(db))

            def prepared(done: asyncio.Future[None]) -> None:
                # Those who come next try again, also if nobody has waited for the error.
                if done.cancelled() or done.exception() is not None:
                    self._preparing.pop(db, None)

            preparing.add_done_callback(prepared)
        await asyncio.shield(preparing)

    async def _tables_made(self, db: Any) -> None:
        with hearing() as heard:
            await db._create_all_tables()  # noqa: SLF001  # what AgentOS calls
        error = next(iter(heard.loud), None)
        if error is not None:
            raise error

    def _is_silent(self, method: str) -> bool:
        known = self._silent.get(method)
        if known is None:
            known = self._silent[method] = is_silent(self._cls, method)
        return known

    async def _told(self, method: str, error: BaseException) -> StoreError:
        # What comes after the first line is the statement, with somebody's data in it.
        said = masked(str(error).partition("\n")[0])
        message = f"{self.instances.name}: {self._cls.__name__}.{method}: {type(error).__name__}: {said}"
        if not is_outage(error):
            return StoreError(message)
        await self.instances.renew()
        return Unavailable(message)
