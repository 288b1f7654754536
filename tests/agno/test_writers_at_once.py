"""Many writers of one session: nobody's work is lost, and every run has a number of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from agno.run import RunContext
from agno.session import AgentSession

from dbrouter.testing.scripted_model import Call, Say, ScriptedModel
from tests.agno.cast import clerk
from tests.agno.live import Live

WRITERS = 8
INCREMENTS = 25
THREADS = 32
TURNS = 256


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


async def test_eight_agents_that_count_in_one_session_lose_no_count(routed: Live) -> None:
    await routed.run(counter(routed.db), "go", session_id="s", user_id="ada")
    if routed.blocking:

        def write(_: int) -> None:
            agent = counter(routed.db)
            for _turn in range(INCREMENTS):
                agent.run("go", session_id="s", user_id="ada")

        await asyncio.to_thread(at_once, write, WRITERS)
    else:

        async def awrite() -> None:
            agent = counter(routed.db)
            for _turn in range(INCREMENTS):
                await agent.arun("go", session_id="s", user_id="ada")

        await asyncio.gather(*(awrite() for _ in range(WRITERS)))

    assert await counted(routed) == 1 + WRITERS * INCREMENTS
    rows, total = await routed.ask("get_runs", session_id="s", deserialize=False)
    assert total == 1 + WRITERS * INCREMENTS
    assert sorted(row["run_index"] for row in rows) == list(range(total))


async def test_eight_writers_that_read_and_write_a_session_themselves_lose_no_count(routed: Live) -> None:
    session = AgentSession(session_id="s", agent_id="clerk", session_data={"session_state": {"count": 0}})
    await routed.ask("upsert_session", session)
    if routed.blocking:

        def write(_: int) -> None:
            for _turn in range(INCREMENTS):
                read = routed.db.get_session("s")
                read.session_data["session_state"]["count"] += 1
                assert routed.db.upsert_session(read) is not None

        await asyncio.to_thread(at_once, write, WRITERS)
    else:

        async def awrite() -> None:
            for _turn in range(INCREMENTS):
                read = await routed.db.get_session("s")
                read.session_data["session_state"]["count"] += 1
                assert await routed.db.upsert_session(read) is not None

        await asyncio.gather(*(awrite() for _ in range(WRITERS)))

    assert await counted(routed) == WRITERS * INCREMENTS


async def test_256_turns_on_32_threads_lose_no_run_and_share_no_number(routed: Live) -> None:
    each = TURNS // THREADS
    sessions = [f"s{number}" for number in range(4)]
    agent = clerk(routed.db)
    if routed.blocking:

        def talk(thread: int) -> None:
            for turn in range(each):
                agent.run(f"{thread}.{turn}", session_id=sessions[thread % len(sessions)], user_id="ada")

        await asyncio.to_thread(at_once, talk, THREADS)
    else:

        async def atalk(thread: int) -> None:
            for turn in range(each):
                await agent.arun(f"{thread}.{turn}", session_id=sessions[thread % len(sessions)], user_id="ada")

        await asyncio.gather(*map(atalk, range(THREADS)))

    heard: list[str] = []
    for session_id in sessions:
        rows, total = await routed.ask("get_runs", session_id=session_id, deserialize=False)
        assert total == TURNS // len(sessions)
        numbers = Counter(row["run_index"] for row in rows)
        assert set(numbers.values()) == {1}
        assert sorted(numbers) == list(range(total))
        heard += [row["run_data"]["input"]["input_content"] for row in rows]
    assert sorted(heard) == sorted(f"{thread}.{turn}" for thread in range(THREADS) for turn in range(each))


PROGRAM = """
import sys, threading
from dbrouter import DbRouter
from tests.agno.test_writers_at_once import at_once, counter

db = DbRouter.from_yaml(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()

def write(_):
    agent = counter(db)
    for _turn in range(25):
        agent.run("go", session_id="s", user_id="ada")

at_once(write, 4)
db.close()
"""


def in_processes(config: Path, processes: int) -> None:
    """Run the program above in processes that start together."""
    command = [sys.executable, "-c", PROGRAM, str(config)]
    pipe = subprocess.PIPE
    root = Path(__file__).parents[2]
    running = [
        subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(processes)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in running:
        _, said = each.communicate(timeout=100)
        assert each.returncode == 0, said


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
async def test_two_processes_that_count_in_one_session_lose_no_count(
    backend: str, open_live: Callable[[str, str], Live], tmp_path: Path
) -> None:
    live = open_live(backend, "blocking")
    await live.run(counter(live.db), "go", session_id="s", user_id="ada")
    await asyncio.to_thread(in_processes, tmp_path / "dbrouter.yaml", 2)

    assert await counted(live) == 1 + 2 * 4 * INCREMENTS
