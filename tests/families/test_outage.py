"""A database that does not answer is never an empty one."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.running import BlockingRuntime, Runtime, finish
from dbrouter.router.agno_types import EvalRunRecord, EvalType, KnowledgeRow, RunStatus, UserMemory
from dbrouter.router.families.approvals import Approvals
from dbrouter.router.families.context import Context
from dbrouter.router.families.evals import Evals
from dbrouter.router.families.knowledge import Knowledge
from dbrouter.router.families.learnings import Learnings
from dbrouter.router.families.memories import Memories
from dbrouter.router.families.schema_versions import SchemaVersions

ARGUMENTS: dict[str, Any] = {
    "approval_data": {"id": "p1"},
    "content": {"a": 1},
    "eval_run": EvalRunRecord(run_id="r1", eval_type=EvalType.ACCURACY, eval_data={}),
    "eval_run_ids": ["r1"],
    "knowledge_row": KnowledgeRow(name="file", description="a file"),
    "memories": [UserMemory(memory="likes tea")],
    "memory": UserMemory(memory="likes tea"),
    "memory_ids": ["m1"],
    "run_status": RunStatus.completed,
}
"""Required arguments by name; the others are text."""

METHODS = [
    (family, name)
    for family in (Approvals, Evals, Knowledge, Learnings, Memories, SchemaVersions)
    for name, _ in inspect.getmembers(family, inspect.iscoroutinefunction)
    if not name.startswith("_")
]


class Unreachable:
    """A store whose database is away."""

    def __init__(self) -> None:
        self.runtime: Runtime = BlockingRuntime()

    @property
    def capabilities(self) -> Capabilities:
        return EVERYTHING_NATIVE

    async def execute(self, op: Op[Any], /) -> Any:
        raise Unavailable(f"no answer to {op}")

    async def existing_tables(self) -> frozenset[str]:
        raise Unavailable("no answer")

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        raise Unavailable(f"no answer to creating {tables}")

    def physical_name(self, table: str) -> str:
        return table

    async def ping(self) -> None:
        raise Unavailable("no answer")

    async def close(self) -> None:
        return


@pytest.mark.parametrize(("family", "name"), METHODS, ids=[f"{family.__name__}.{name}" for family, name in METHODS])
def test_every_method_raises_when_the_database_is_away(family: type[Any], name: str) -> None:
    method = getattr(family(Context(Unreachable())), name)
    required = [
        each.name
        for each in inspect.signature(method).parameters.values()
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    ]
    with pytest.raises(Unavailable):
        finish(method(**{each: ARGUMENTS.get(each, "x") for each in required}))
