"""Families of which some rows are in an agno database and some are not: which of them is asked, and one answer of all.

What names a component goes to its database. What names an id is asked for in one after another. Listings that name no
component read everything and merge. Only the families of `SPREADABLE` can be decided so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.store import Store
from dbrouter.router.any_agno.answers import is_empty
from dbrouter.router.any_agno.call import SEVERAL, Call, fixed, value_of
from dbrouter.router.any_agno.merging import MERGED, merged, reaching
from dbrouter.router.directory import Directory
from dbrouter.router.families.programs import Programs
from dbrouter.router.gathering import raise_first
from dbrouter.router.placing import component_of
from dbrouter.router.routed import RoutedStore
from dbrouter.router.routes import Component, Routes, Rule

R = TypeVar("R")

MakePrograms = Callable[[Store], Programs]

SPREADABLE = frozenset({"sessions", "memories", "evals"})
"""Families of which components may send their rows to an agno database while others' are elsewhere."""

KEPT: Mapping[str, str] = {
    "upsert_session": "session",
    "upsert_sessions": "sessions",
    "upsert_run": "run",
    "upsert_user_memory": "memory",
    "upsert_memories": "memories",
    "create_eval_run": "eval_run",
}
"""Method that stores -> the argument that is stored."""

KEYS: Mapping[str, str] = {"sessions": "session_id", "memories": "memory_id", "evals": "run_id", "runs": "run_id"}

OF_ALL = frozenset(
    {
        *("delete_sessions", "delete_runs", "delete_user_memory", "delete_user_memories", "clear_memories"),
        *("delete_eval_run", "delete_eval_runs", "update_eval_run_user_id"),
    }
)
"""Methods that do not tell whether they found anything: every database is asked."""


class RoutedWithAgno(RoutedStore):
    """A router's store where some databases are agno's: it answers calls, too.

    agno: the names of those. programs: makes the families' programs over a store, for the rows that are elsewhere.
    """

    def __init__(
        self,
        databases: Mapping[str, Store],
        routes: Routes,
        *,
        agno: frozenset[str],
        programs: MakePrograms,
        directory: Directory | None = None,
        bound: Component | None = None,
    ) -> None:
        super().__init__(databases, routes, directory=directory, bound=bound)
        self._agno = agno
        self._make_programs = programs
        self._bound = bound
        others = {name: store for name, store in databases.items() if name not in agno}
        rest = _routes_without(routes, agno)
        self._others = programs(RoutedStore(others, rest, directory=self._directory, bound=bound)) if others else None

    def bound(self, component: Component) -> RoutedStore:
        """This store for the calls of one component."""
        return RoutedWithAgno(
            self._databases,
            self.routes,
            agno=self._agno,
            programs=self._make_programs,
            directory=self._directory,
            bound=component,
        )

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer."""
        if isinstance(op, Call):
            return cast("R", await self._called(op))
        return await super().execute(op)

    async def _called(self, call: Call) -> Any:
        names = self._placing.candidates(call.table)
        if len(names) == 1:
            return await self._asked(names[0], call)
        kept = KEPT.get(call.method)
        if kept is not None:
            return await self._stored(call, kept)
        named = self._named(call)
        if named is not None:
            return await self._asked(named, call)
        places = self._places(names)
        if call.method in OF_ALL:
            await self._all(places, call)
            return None
        if call.method in MERGED:
            return merged(call, await self._all(places, reaching(call)))
        return await self._first(places, call)

    def _named(self, call: Call) -> str | None:
        """The database of the component that the call names, if a rule speaks of that component."""
        named = (component_of(spec, values) for spec, values in call.described())
        rules = (self.routes.rule(call.family, each) for each in named if each is not None)
        return next((rule.database for rule in rules if rule.component is not None), None)

    def _places(self, names: Sequence[str]) -> list[str]:
        """Each agno database, and the first of the others for all of them, which answer together."""
        others = next((name for name in names if name not in self._agno), None)
        return [name for name in names if name in self._agno or name == others]

    async def _asked(self, name: str, call: Call) -> Any:
        if name in self._agno:
            return await self._databases[name].execute(call)
        for program in vars(self._others).values():
            method = getattr(program, call.method, None)
            if method is not None:
                return await method(**call.arguments)
        raise StoreError(f"{call.method}: no program has it")

    async def _first(self, places: Sequence[str], call: Call) -> Any:
        """The first answer that is one. A database that is away matters only if no other has it."""
        failed: StoreError | None = None
        answer: Any = None
        for name in places:
            try:
                answer = await self._asked(name, call)
            except StoreError as error:
                failed = failed or error
                continue
            if not is_empty(answer):
                return answer
        if failed is not None:
            raise failed
        return answer

    async def _all(self, places: Sequence[str], call: Call) -> list[Any]:
        asked: list[Callable[[], Awaitable[Any]]] = [lambda name=name: self._asked(name, call) for name in places]
        outcomes = await self.runtime.gather(asked)
        raise_first(outcomes)
        return list(outcomes)

    async def _stored(self, call: Call, kept: str) -> Any:
        given = call.arguments[kept]
        if kept not in SEVERAL:
            (home,) = await self._placing.homes(call.table, [_row(call, given)], fresh=call.method == "create_eval_run")
            return await self._asked(home, call)
        homes = await self._placing.homes(call.table, [_row(call, each) for each in given], fresh=False)
        answers: list[Any] = []
        for place in self._places(tuple(dict.fromkeys(homes))):
            here = self._agno & {place} or {home for home in homes if home not in self._agno}
            part = [each for each, home in zip(given, homes, strict=True) if home in here]
            answers += await self._asked(place, _with(call, kept, part))
        return answers


def _row(call: Call, given: object) -> dict[str, Any]:
    """What placing needs to know of a record: its key, what it follows, its component."""
    key = KEYS[call.table]
    row = {**fixed(given), key: value_of(given, key)}
    if call.table == "runs":
        row["session_id"] = call.arguments["session_id"]
    if call.table == "sessions":
        kinds = {"AgentSession": "agent", "TeamSession": "team", "WorkflowSession": "workflow"}
        row["session_type"] = kinds.get(type(given).__name__)
    return row


def _with(call: Call, argument: str, value: Any) -> Call:
    return Call(table=call.table, method=call.method, arguments={**call.arguments, argument: value})


def _routes_without(routes: Routes, agno: frozenset[str]) -> Routes:
    """The routes to the other databases only. A family whose default is an agno database begins at the first other."""
    rules = [rule for rule in routes.rules if rule.database not in agno]
    for family in routes.families:
        rule = routes.rule(family)
        elsewhere = [name for name in routes.databases(family) if name not in agno]
        if rule.database in agno and elsewhere:
            rules.append(
                Rule(family=family, component=None, database=elsewhere[0], source=rule.source, place=rule.place)
            )
    return Routes(tuple(rules))
