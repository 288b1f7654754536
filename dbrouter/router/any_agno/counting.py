"""How many rows an agno database has, as its class tells with a page."""

from __future__ import annotations

from collections.abc import Mapping

from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.ops import Page, Scan
from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.families import defaults_of
from dbrouter.router.any_agno.implemented import implements
from dbrouter.router.any_agno.methods import Methods

PAGES: Mapping[str, tuple[str, str]] = {
    "sessions": ("sessions", "get_sessions"),
    "runs": ("sessions", "get_runs"),
    "memories": ("memories", "get_user_memories"),
    "knowledge": ("knowledge", "get_knowledge_contents"),
    "evals": ("evals", "get_eval_runs"),
    "traces": ("traces", "get_traces"),
    "approvals": ("approvals", "get_approvals"),
    "schedules": ("schedules", "get_schedules"),
    "learnings": ("learnings", "list_learnings"),
}
"""Table -> its family, and the method that answers a page of it and how many there are in all."""


def asks_how_many(op: Scan) -> bool:
    """Whether the op only asks how many rows a table has."""
    return op.limit == 0 and op.total and op.where is EVERYTHING and op.table in PAGES


async def counted(methods: Methods, op: Scan) -> Page | None:
    """How many there are; `None` if the class cannot tell."""
    family, method = PAGES[op.table]
    if not implements(methods.instances.cls, method):
        return None
    known = defaults_of(family, method)
    asked = {name: value for name, value in (("limit", 1), ("page", 1), ("deserialize", False)) if name in known}
    _, total = await methods.call(Call(table=op.table, method=method, arguments={**known, **asked}))
    return Page([], total)
