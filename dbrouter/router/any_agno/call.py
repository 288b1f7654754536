"""A call of a method of agno's interface, as an op: what an agno database is asked with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.tables import TableSpec

OBJECTS = frozenset({"session", "run", "memory", "eval_run", "trace", "span", "knowledge_row", "approval_data"})
"""Arguments that are a row, as an object or as a mapping."""

SEVERAL = frozenset({"sessions", "memories", "spans"})
"""Arguments that are several."""

TELLING = ("user_id", "agent_id", "team_id", "workflow_id", "session_id")
"""Columns by which it is decided whose a call is and where it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Op[Any]):
    """A method of agno's with its arguments by name. table: the one that it is about.

    No driver knows it, and the confinement to a tenant's rows refuses it: only the router's own layers pass it on, to a
    database that is an agno db.
    """

    table: str
    method: str
    arguments: Mapping[str, Any]

    @property
    def family(self) -> str:
        """The family of the method."""
        return TABLES[self.table].family

    def described(self) -> Iterator[tuple[TableSpec, Mapping[str, Any]]]:
        """For each row that the arguments hold, and for the arguments themselves, the column values that they fix."""
        spec = TABLES[self.table]
        columns = frozenset(spec.column_names)
        yield spec, {name: value for name, value in self.arguments.items() if name in columns and value is not None}
        named = self._component()
        if named:
            yield spec, named
        for row in self.rows():
            yield spec, row

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows that the arguments hold, as far as they tell whose they are."""
        for name, value in self.arguments.items():
            if name in OBJECTS:
                yield fixed(value)
            elif name in SEVERAL:
                yield from (fixed(each) for each in cast("Iterable[Any]", value))

    def _component(self) -> dict[str, Any]:
        """The component of a listing of sessions, which says its kind by the type of session."""
        kind, component = self.arguments.get("session_type"), self.arguments.get("component_id")
        if kind is None or component is None:
            return {}
        return {f"{getattr(kind, 'value', kind)}_id": component}


def fixed(row: object) -> dict[str, Any]:
    """What a row says of its user and its component."""
    found = {name: value_of(row, name) for name in TELLING}
    return {name: value for name, value in found.items() if value is not None}


def value_of(row: object, name: str) -> Any:
    """A value of a row that is an object or a mapping; `None` if it has none of that name."""
    if isinstance(row, Mapping):
        return cast("Mapping[str, Any]", row).get(name)
    return getattr(row, name, None)
