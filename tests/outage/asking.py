"""Every method of the interface, called at once on one db, with what came of each call."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

from dbrouter.router.agno_types import AgentSession, EvalRunRecord, EvalType, KnowledgeRow, RunStatus, UserMemory
from dbrouter.router.families import FAMILY_CLASSES
from dbrouter.router.families.compactions import Compactions
from dbrouter.router.families.run_fencing import RunFencing
from dbrouter.router.families.tool_results import ToolResults
from dbrouter.router.families.transcripts import Transcripts
from dbrouter.router.routes import WHOLE
from dbrouter.testing.leaks.arguments import Hand, arguments
from tests.faces.served import PROGRAMS, SYNC
from tests.families.trace_samples import span, trace

BEHIND = frozenset({"upsert_trace", "create_span", "create_spans"})
"""Writes that the buffer takes in place of the database."""
MADE_ONCE = frozenset({"ensure_jobs_table"})
"""What asks the database for nothing once the tables are known to be there."""
METHODS = tuple(name for _, name in SYNC if name not in BEHIND | MADE_ONCE)
READS = tuple(name for name in METHODS if name.startswith(("get_", "list_", "search_")))

GIVEN: Mapping[str, Any] = {
    "approval_data": {
        "id": "p1",
        "run_id": "r1",
        "session_id": "s1",
        "status": "pending",
        "source_type": "agent",
        "pause_type": "x",
    },
    "content": {"a": 1},
    "eval_run": EvalRunRecord(run_id="r1", eval_type=EvalType.ACCURACY, eval_data={}),
    "eval_run_ids": ["r1"],
    "knowledge_row": KnowledgeRow(name="file", description="a file"),
    "kwargs": "enabled",
    "memories": [UserMemory(memory="likes tea")],
    "memory": UserMemory(memory="likes tea"),
    "memory_ids": ["m1"],
    "provenance": {"managed_by": "x"},
    "run": {"run_id": "r1", "agent_id": "a"},
    "run_data": {"id": "r1", "schedule_id": "s1", "attempt": 1, "status": "running", "created_at": 1},
    "run_ids": ["r1"],
    "run_status": RunStatus.completed,
    "schedule_ids": ["s1"],
    "session": AgentSession(session_id="s1", agent_id="a", created_at=1),
    "session_ids": ["s1"],
    "session_type": None,
    "sessions": [AgentSession(session_id="s1", agent_id="a", created_at=1)],
    "span": span("1"),
    "spans": [span("1")],
    "trace": trace("t1"),
    "before": 5,
}
"""Required arguments by name; the others are text."""
BESIDE: Mapping[str, Mapping[str, Any]] = {
    # Without an id nothing is asked for, and the answer is `None` by agno's contract.
    "get_trace": {"trace_id": "t1"},
    "update_schedule": {"enabled": False},
    "update_schedule_run": {"status": "failed"},
    "update_approval": {"status": "approved"},
    "create_schedule": {
        "schedule_data": {
            "id": "s1",
            "name": "digest",
            "method": "POST",
            "endpoint": "/x",
            "cron_expr": "* * * * *",
            "timezone": "UTC",
            "timeout_seconds": 1,
            "max_retries": 0,
            "retry_delay_seconds": 1,
            "created_at": 1,
        }
    },
}


BY_THE_LEAKS_SUITE = frozenset(
    program.__name__
    for family, programs in FAMILY_CLASSES.items()
    for program in programs
    if family in WHOLE or program in (ToolResults, Compactions, Transcripts, RunFencing)
)
"""Programs whose arguments depend on each other: the suite that plays all of them knows how to make some."""


@dataclass(frozen=True)
class Outcome:
    """What a call gave: an answer or an error, after so many seconds."""

    answer: Any
    error: BaseException | None
    seconds: float


def arguments_of(name: str) -> dict[str, Any]:
    """Arguments that make the method ask its database something."""
    signature = inspect.signature(PROGRAMS[name])
    required = [
        each
        for each in signature.parameters.values()
        if each.name != "self" and (each.default is each.empty or each.name in BESIDE.get(name, ()))
    ]
    if PROGRAMS[name].__qualname__.partition(".")[0] in BY_THE_LEAKS_SUITE:
        made = arguments(name, signature.replace(parameters=required), Hand(Random(name), "x"))
    else:
        made = {each.name: GIVEN.get(each.name, "x") for each in required if each.kind is not each.VAR_KEYWORD}
    return {**made, **BESIDE.get(name, {})}


def ask_all(db: Any, *, blocking: bool, names: tuple[str, ...] = METHODS) -> dict[str, Outcome]:
    """The outcome of each method; all are called at once, and the db is closed then."""
    if not blocking:
        return asyncio.run(_gathered_once(db, names))
    try:
        return ask_from_threads(db, names)
    finally:
        db.close()


def ask_from_threads(db: Any, names: tuple[str, ...] = METHODS) -> dict[str, Outcome]:
    """The outcome of each method of a blocking db."""
    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(lambda name: _asked(db, name), names), strict=True))


async def _gathered_once(db: Any, names: tuple[str, ...]) -> dict[str, Outcome]:
    try:
        return await gathered(db, names)
    finally:
        await db.close()


def _asked(db: Any, name: str) -> Outcome:
    return _timed(lambda: getattr(db, name)(**arguments_of(name)))


def _timed(call: Callable[[], Any]) -> Outcome:
    began = time.monotonic()
    try:
        return Outcome(call(), None, time.monotonic() - began)
    except BaseException as error:  # noqa: BLE001  # whatever comes is what the test is about
        return Outcome(None, error, time.monotonic() - began)


async def gathered(db: Any, names: tuple[str, ...] = METHODS) -> dict[str, Outcome]:
    """The outcome of each method of an async db."""

    async def asked(name: str) -> Outcome:
        began = time.monotonic()
        try:
            return Outcome(await getattr(db, name)(**arguments_of(name)), None, time.monotonic() - began)
        except BaseException as error:  # noqa: BLE001  # as above
            return Outcome(None, error, time.monotonic() - began)

    def called(name: str) -> Awaitable[Outcome]:
        # What agno does not await would keep all others waiting here: each has a thread.
        awaited = inspect.iscoroutinefunction(getattr(type(db), name))
        return asked(name) if awaited else asyncio.get_running_loop().run_in_executor(threads, _asked, db, name)

    with ThreadPoolExecutor(len(names)) as threads:
        return dict(zip(names, await asyncio.gather(*map(called, names)), strict=True))
