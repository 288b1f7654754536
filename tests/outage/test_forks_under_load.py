"""A process is forked while its threads work: the child is not held up by what they held."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet, WeakValueDictionary

import pytest

from dbrouter import AsyncDbRouter, DbRouter, tenant
from dbrouter.config import load_mapping
from dbrouter.router.agno_types import AgentSession, UserMemory

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

LOCK = type(threading.Lock())
CONTAINERS = (dict, list, tuple, set, frozenset, OrderedDict, deque, WeakSet, WeakValueDictionary)
LATE = 60
"""Seconds after which a child hangs."""


@pytest.fixture
def router(tmp_path: Path) -> Iterator[DbRouter]:
    settings = {
        "databases": {
            "memory": {"kind": "memory"},
            "file": {"kind": "sqlite", "path": str(tmp_path / "file.db")},
            "silo": {"kind": "sqlite", "path": str(tmp_path / "silo.db")},
        },
        "agentos": {"db": "file", "families": {"memories": "memory"}},
        "agents": {"bot": {"families": {"sessions": "memory"}}},
        "tenancy": {
            "resolve": ["binding", "context"],
            "limits": {"requests_per_second": 1e9, "rows": {"memories": 10**6}},
        },
        "tenants": {"acme": {"isolation": "rows"}, "globex": {"db": "silo"}},
    }
    db = DbRouter.from_settings(load_mapping(settings))
    yield db
    db.close()


def turn(db: DbRouter, whose: str, name: str) -> None:
    """What a turn of a chat asks of a db, and what a worker and a console do."""
    with tenant(whose):
        for agent in ("bot", "desk"):
            session_id = f"{name}-{agent}"
            db.get_session(session_id)
            db.upsert_session(AgentSession(session_id=session_id, agent_id=agent, session_data={}, created_at=1))
            db.upsert_run({"run_id": f"{session_id}-r", "agent_id": agent, "status": "COMPLETED"}, session_id)
            assert db.get_session(session_id).agent_id == agent
        db.upsert_user_memory(UserMemory(memory_id=name, memory="likes tea", user_id="ada"))
        db.get_metrics(datetime.now(UTC).date())
        assert name in [each.memory_id for each in db.get_user_memories()]
    db.claim_due_schedule("worker")


def test_whatever_lock_a_thread_holds_the_child_has_it_free(router: DbRouter) -> None:
    turn(router, "acme", "first")
    turn(router, "globex", "first")
    held, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with ExitStack() as stack:
            taken = [each for each in locks_of(router) if each.acquire(blocking=False)]
            for each in taken:
                stack.callback(each.release)
            assert len(taken) > 20
            held.set()
            forked.wait(LATE)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(LATE)
    child = in_a_child(lambda: [turn(router, whose, "child") for whose in ("acme", "globex")])
    forked.set()
    holder.join()
    assert exit_of(child) == 0
    turn(router, "acme", "after")


def test_children_of_a_process_that_works_can_work(router: DbRouter) -> None:
    done = threading.Event()
    failures: list[Exception] = []

    def work(name: str) -> None:
        number = 0
        try:
            while not done.is_set():
                number += 1
                turn(router, ("acme", "globex")[number % 2], f"{name}-{number % 50}")
        except Exception as error:  # noqa: BLE001  # asserted by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"thread{number}",)) for number in range(3)]
    for each in threads:
        each.start()
    turn(router, "acme", "parent")
    exits = [exit_of(in_a_child(lambda: turn(router, "acme", "child"))) for _ in range(10)]
    done.set()
    for each in threads:
        each.join()
    assert exits == [0] * 10
    assert failures == []


def test_children_of_a_process_whose_event_loop_works_can_work(tmp_path: Path) -> None:
    databases = {"file": {"kind": "sqlite", "path": str(tmp_path / "file.db")}, "memory": {"kind": "memory"}}
    settings = {"databases": databases, "agentos": {"db": "file", "families": {"memories": "memory"}}}
    db = AsyncDbRouter.from_settings(load_mapping(settings))

    async def awaited_turn(name: str) -> None:
        await db.upsert_session(AgentSession(session_id=name, agent_id="desk", session_data={}, created_at=1))
        await db.upsert_run({"run_id": f"{name}-r", "agent_id": "desk", "status": "COMPLETED"}, name)
        assert (await db.get_session(name)).agent_id == "desk"
        await db.upsert_user_memory(UserMemory(memory_id=name, memory="likes tea", user_id="ada"))

    def fork() -> list[int]:
        return [exit_of(in_a_child(lambda: asyncio.run(awaited_turn("child")))) for _ in range(10)]

    async def body() -> None:
        done = False

        async def work(name: str) -> None:
            number = 0
            while not done:
                number += 1
                await awaited_turn(f"{name}-{number % 50}")

        tasks = [asyncio.create_task(work(f"task{number}")) for number in range(4)]
        await awaited_turn("parent")
        try:
            assert await asyncio.to_thread(fork) == [0] * 10
        finally:
            done = True
            await asyncio.gather(*tasks)
            await db.close()

    asyncio.run(body())


def locks_of(db: DbRouter) -> list[Any]:
    """The locks of our own modules and of what they and the router hold."""
    roots = [vars(each) for name, each in [*sys.modules.items()] if name.split(".")[0] == "dbrouter"]
    seen: dict[int, Any] = {}
    waiting: list[Any] = [db, *roots]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen[id(each)] = each
        if isinstance(each, CONTAINERS) or type(each).__module__.startswith("dbrouter"):
            waiting.extend(gc.get_referents(each))
        elif isinstance(each, type(turn)) and (each.__module__ or "").startswith("dbrouter"):
            waiting.extend(cell.cell_contents for cell in each.__closure__ or ())
        elif hasattr(each, "__self__"):
            waiting.append(each.__self__)
    return [each for each in seen.values() if type(each) is LOCK]


def in_a_child(work: Callable[[], object]) -> int:
    """The id of a child that does this and ends: with 0, with 1 if it fails, by a signal if it hangs."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LATE)
        work()
        code = 0
    except Exception:  # noqa: BLE001  # the parent is told by the exit code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def exit_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
