"""Sessions and runs of an agno database as rows, so that metrics can be computed from them."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from dbrouter.backends.kernel.capabilities import Capabilities, all_but_related
from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.filters import And, Compare, Comparison, Field, Filter
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.ops import Op, Page, Scan
from dbrouter.backends.kernel.running import Runtime
from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.families import defaults_of
from dbrouter.router.any_agno.methods import Methods

R = TypeVar("R")

READABLE = frozenset({"sessions", "runs"})


class SessionRows:
    """Answers scans of sessions and runs, and nothing else; the kernel's emulation does the rest over them."""

    def __init__(self, methods: Methods, runtime: Runtime) -> None:
        self.runtime = runtime
        self._methods = methods

    @property
    def capabilities(self) -> Capabilities:
        """Filters of one table: of those, the bounds on time reach the class."""
        return Capabilities(filters=all_but_related)

    async def execute(self, op: Op[R], /) -> R:
        """The rows."""
        if not isinstance(op, Scan):
            raise Unsupported(f"{type(op).__name__}: the sessions of an agno database are only read")
        return cast("R", await self._scanned(op))

    async def _scanned(self, op: Scan) -> Page:
        bounds = dict(_bounds(op.where)) if op.table == "sessions" else {}
        asked = {**defaults_of("sessions", "get_sessions"), **bounds, "deserialize": False}
        sessions, _ = await self._methods.call(Call(table="sessions", method="get_sessions", arguments=asked))
        rows = sessions if op.table == "sessions" else [run for each in sessions for run in _runs(each)]
        found = [row for row in rows if matches(op.where, row)]
        # Not every class has every column.
        records = found if op.columns is None else [{each: row.get(each) for each in op.columns} for row in found]
        return Page(records, len(records) if op.total else None)

    async def existing_tables(self) -> frozenset[str]:
        """None that anybody asks for."""
        return frozenset()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Do nothing: the class creates its own."""

    def physical_name(self, table: str) -> str:
        """What the class calls the table."""
        return self._methods.instances.table_name(table)

    async def ping(self) -> None:
        """Return if the database answers."""
        await self._methods.ping()

    async def close(self) -> None:
        """Do nothing: whoever has the methods closes them."""


def _runs(session: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"run_id": run.get("run_id"), "session_id": session["session_id"], "run_data": run}
        for run in session.get("runs") or ()
    ]


def _bounds(where: Filter) -> list[tuple[str, Any]]:
    """The bounds on time that agno's own method takes, as wide as the filter's."""
    match where:
        case And(filters=filters):
            return [bound for each in filters for bound in _bounds(each)]
        case Compare(field=Field(column="created_at"), comparison=Comparison.GE | Comparison.GT, value=value):
            return [("start_timestamp", value)]
        case Compare(field=Field(column="created_at"), comparison=Comparison.LE | Comparison.LT, value=value):
            return [("end_timestamp", value)]
        case _:
            return []
