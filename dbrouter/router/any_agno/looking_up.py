"""Which of these records a database has, where it can only be asked for one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.filters import Compare, Comparison, Field, In
from dbrouter.backends.kernel.ops import Page, Scan
from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.methods import Methods

BY_ID: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "sessions": ("get_session", "session_id", {"session_type": None, "deserialize": False, "runs_limit": None}),
    "memories": ("get_user_memory", "memory_id", {"deserialize": False}),
    "evals": ("get_eval_run", "eval_run_id", {"deserialize": False}),
    "traces": ("get_trace", "trace_id", {}),
}
"""Table -> agno's method for one record, its argument, and what else it is asked with."""


def asks_where(op: Scan) -> bool:
    """Whether the op only asks which keys there are."""
    return op.table in BY_ID and op.columns == TABLES[op.table].key and _keys(op) is not None


async def looked_up(methods: Methods, op: Scan) -> Page:
    """The keys among those asked for that the database has."""
    method, argument, given = BY_ID[op.table]
    (column,) = TABLES[op.table].key
    found: list[dict[str, Any]] = []
    for key in _keys(op) or ():
        answer = await methods.call(Call(table=op.table, method=method, arguments={**given, argument: key}))
        if answer is not None:
            found.append({column: key})
    return Page(found, len(found) if op.total else None)


def _keys(op: Scan) -> tuple[Any, ...] | None:
    (column,) = TABLES[op.table].key
    match op.where:
        case In(field=Field(column=asked, path=()), values=values) if asked == column:
            return tuple(values)
        case Compare(field=Field(column=asked, path=()), comparison=Comparison.EQ, value=value) if asked == column:
            return (value,)
        case _:
            return None
