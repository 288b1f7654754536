"""Many writers of one session: nobody's work is lost, and every run has a number of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from agno.run import RunContext
from agno.session import AgentSession

from dbrouter.testing.scripted_model import Call, Say, ScriptedModel
from tests.agno.cast import clerk
from tests.agno.conftest import EVERY_ROUTER
from tests.agno.live import Live
from tests.backends.known import BACKENDS, is_flavour

FLAVOURS = frozenset(each.name for each in BACKENDS if is_flavour(each))

WRITERS = 8
INCREMENTS = 25
THREADS = 32
TURNS = 256
FOR_FLAVOURS = 5
"""A driver that has shown all of it on one server shows this part of it on another."""


def increments(live: Live) -> int:
    """How often each writer writes."""
    return INCREMENTS // FOR_FLAVOURS if live.backend in FLAVOURS else INCREMENTS


def count(run_context: RunContext) -> str:
    """Count one more."""
    state = run_context.session_state
    assert state is not None
    state["count"] = state.get("count", 0) + 1
    return "counted"


def counter(db: Any) -> Any:
    model = ScriptedModel.saying(Call(tool="count"), Say(text="{result}"))
    return clerk(db, model=model, tools=[count], session_state={"count": 0})


async def counted(live: Live) -> int:
    session = await live.ask("get_session", session_id="s")
    return session.session_data["session_state"]["count"]


def at_once(work: Any, workers: int) -> None:
    """Run `work(number)` in that many threads that start together; raises what any of them raised."""
    gate = threading.Barrier(workers)

    def go(number: int) -> None:
        gate.wait()
        work(number)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(go, range(workers)))


@EVERY_ROUTER
async def test_eight_agents_that_count_in_one_session_lose_no_count(routed: Live) -> None:
    await routed.run(counter(routed.db), "go", session_id="s", user_id="ada")
    if routed.blocking:

        def write(_: int) -> None:
            agent = counter(routed.db)
            for _turn in range(increments(routed)):
                agent.run("go", session_id="s", user_id="ada")

        await asyncio.to_thread(at_once, write, WRITERS)
    else:

        async def awrite() -> None:
            agent = counter(routed.db)
            for _turn in range(increments(routed)):
                await agent.arun("go", session_id="s", user_id="ada")

        await asyncio.gather(*(awrite() for _ in range(WRITERS)))

    assert await counted(routed) == 1 + WRITERS * increments(routed)
    rows, total = await routed.ask("get_runs", session_id="s", deserialize=False)
    assert total == 1 + WRITERS * increments(routed)
    assert sorted(row["run_index"] for row in rows) == list(range(total))


@EVERY_ROUTER
async def test_eight_writers_that_read_and_write_a_session_themselves_lose_no_count(routed: Live) -> None:
    session = AgentSession(session_id="s", agent_id="clerk", session_data={"session_state": {"count": 0}})
    await routed.ask("upsert_session", session)
    if routed.blocking:

        def write(_: int) -> None:
            for _turn in range(increments(routed)):
                read = routed.db.get_session("s")
                read.session_data["session_state"]["count"] += 1
                assert routed.db.upsert_session(read) is not None

        await asyncio.to_thread(at_once, write, WRITERS)
    else:

        async def awrite() -> None:
            for _turn in range(increments(routed)):
                read = await routed.db.get_session("s")
                read.session_data["session_state"]["count"] += 1
                assert await routed.db.upsert_session(read) is not None

        await asyncio.gather(*(awrite() for _ in range(WRITERS)))

    assert await counted(routed) == WRITERS * increments(routed)


@EVERY_ROUTER
async def test_turns_on_many_threads_lose_no_run_and_share_no_number(routed: Live) -> None:
    threads = THREADS // FOR_FLAVOURS if routed.backend in FLAVOURS else THREADS
    each = TURNS // THREADS
    sessions = [f"s{number}" for number in range(4)]
    agent = clerk(routed.db)
    if routed.blocking:

        def talk(thread: int) -> None:
            for turn in range(each):
                agent.run(f"{thread}.{turn}", session_id=sessions[thread % len(sessions)], user_id="ada")

        await asyncio.to_thread(at_once, talk, threads)
    else:

        async def atalk(thread: int) -> None:
            for turn in range(each):
                await agent.arun(f"{thread}.{turn}", session_id=sessions[thread % len(sessions)], user_id="ada")

        await asyncio.gather(*map(atalk, range(threads)))

    heard: list[str] = []
    for session_id in sessions:
        rows, total = await routed.ask("get_runs", session_id=session_id, deserialize=False)
        numbers = Counter(row["run_index"] for row in rows)
        assert set(numbers.values()) == {1}
        assert sorted(numbers) == list(range(total)) == list(range(len(rows)))
        heard += [row["run_data"]["input"]["input_content"] for row in rows]
    assert sorted(heard) == sorted(f"{thread}.{turn}" for thread in range(threads) for turn in range(each))


PROGRAM = """
import sys, traceback
from dbrouter import DbRouter
from tests.agno.test_writers_at_once import at_once, counter

def write(_):
    agent = counter(db)
    for _turn in range(int(turns)):
        agent.run("go", session_id="s", user_id="ada")

print("ready", flush=True)
for line in sys.stdin:
    turns, config = line.strip().split(maxsplit=1)
    db = DbRouter.from_yaml(config)
    try:
        at_once(write, 4)
        print("done", flush=True)
    except Exception:
        print(repr(traceback.format_exc()), flush=True)
    finally:
        db.close()
"""


@pytest.fixture(scope="module")
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that run the program above: told how often and where, each writes from 4 threads and says so."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", PROGRAM]
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        running = [
            stack.enter_context(subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True))
            for _ in range(2)
        ]
        assert [answer_of(each) for each in running] == ["ready", "ready"]
        yield running
        for each in running:
            assert each.stdin is not None
            each.stdin.close()


def answer_of(process: subprocess.Popen[str]) -> str:
    """The next line that it writes."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize(
    "backend",
    [pytest.param(each.name, marks=pytest.mark.backend(each.name)) for each in BACKENDS if not each.one_store],
)
async def test_two_processes_that_count_in_one_session_lose_no_count(
    backend: str,
    open_live: Callable[[str, str], Live],
    tmp_path: Path,
    processes: list[subprocess.Popen[str]],
) -> None:
    live = open_live(backend, "blocking")
    await live.run(counter(live.db), "go", session_id="s", user_id="ada")
    turns = 2 if backend in FLAVOURS else 10
    for each in processes:
        assert each.stdin is not None
        each.stdin.write(f"{turns} {tmp_path / 'dbrouter.yaml'}\n")
        each.stdin.flush()
    assert [await asyncio.to_thread(answer_of, each) for each in processes] == ["done", "done"]

    assert await counted(live) == 1 + 2 * 4 * turns
