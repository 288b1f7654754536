"""agno's durable queue on a router: two workers in two processes, of which one is killed in the middle of its work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agno.os.job_queue import get_active_queue_worker

from tests.agno.conftest import parameter
from tests.agno.durable_os import serving, working
from tests.agno.live import Live
from tests.agno.rest import Rest
from tests.waiting import first_true

BOTH_MODES = pytest.mark.parametrize(
    "live",
    [parameter(backend, mode) for backend in ("sqlite", "postgres") for mode in ("blocking", "async")],
    indirect=True,
)


@pytest.fixture
def other_worker(live: Live, tmp_path: Path) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """Starts the other worker, in a process of its own on the same databases."""
    started: list[subprocess.Popen[bytes]] = []

    def start(attempts: int) -> subprocess.Popen[bytes]:
        command = ["-m", "tests.agno.durable_os", str(tmp_path / "dbrouter.yaml"), live.mode, str(tmp_path)]
        started.append(subprocess.Popen([sys.executable, *command, str(attempts)]))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()


async def accepted(rest: Rest, message: str, session: str, **headers: str) -> dict[str, Any]:
    """A run that the door has accepted."""
    form = {"message": message, "session_id": session, "stream": "false", "background": "true"}
    answer: dict[str, Any] = await rest.call("POST", "/agents/clerk/runs", data=form, headers=headers, status=202)
    return answer


async def ended(live: Live, runs: list[str]) -> dict[str, dict[str, Any]]:
    """The jobs, when all are at their end."""

    async def look() -> dict[str, dict[str, Any]] | None:
        jobs = {each: await live.ask("get_job", each) for each in runs}
        over = all(each["status"] in {"completed", "failed", "cancelled"} for each in jobs.values())
        return jobs if over else None

    return await first_true(look, "the end of all jobs")


def ends_of(folder: Path, run: str) -> list[str]:
    """The workers that did what the job asks for."""
    note = folder / f"ended {run}"
    return note.read_text(encoding="utf-8").split() if note.exists() else []


@BOTH_MODES
@pytest.mark.parametrize("attempts", [1, 2])
async def test_what_a_killed_worker_held_is_tried_again_or_fails_and_nothing_is_lost(
    live: Live, tmp_path: Path, other_worker: Callable[[int], subprocess.Popen[bytes]], attempts: int
) -> None:
    process = other_worker(attempts)
    await first_true((tmp_path / "ready").exists, "the start of the other worker")
    sessions = ["one", "two", "three", "four", "shared", "shared", "shared"]
    app = working(live.db, tmp_path, "door", max_attempts=attempts, max_concurrency=1)
    async with serving(app) as rest:
        runs = [(await accepted(rest, "add 3", session))["run_id"] for session in sessions]
        await first_true(lambda: list(tmp_path.glob("begun other *")), "a job of the other worker")
        process.kill()
        process.wait()
        worker = get_active_queue_worker()
        assert worker is not None
        running, _ = await live.ask("list_jobs", status="running")
        lost = {each["id"] for each in running if each["locked_by"] != worker.worker_id}
        jobs = await ended(live, runs)
        stats = await rest.get("/queue/stats")

    done = {run: by for run in runs if (by := ends_of(tmp_path, run))}
    assert lost
    kept = set(runs) - lost
    # Each job was done once, also those that two workers have begun.
    assert done.keys() == (set(runs) if attempts == 2 else kept)
    assert {len(by) for by in done.values()} == {1}
    assert {jobs[each]["status"] for each in kept} == {"completed"}
    assert {jobs[each]["attempt"] for each in kept} == {1}
    assert {(jobs[each]["status"], jobs[each]["attempt"]) for each in lost} == {
        ("completed", 2) if attempts == 2 else ("failed", 1)
    }
    assert sum(stats["counts"].values()) == len(runs)

    totals = {
        name: 3 * sum(run in done for run, of in zip(runs, sessions, strict=True) if of == name) for name in sessions
    }
    for name, total in totals.items():
        session = await live.ask("get_session", session_id=name)
        assert (session.session_data["session_state"]["total"] if total else 0) == total, name
        mine = [run for run, of in zip(runs, sessions, strict=True) if of == name]
        statuses = {run.run_id: run.status.value for run in session.runs}
        assert statuses == {run: "COMPLETED" if run in done else "ERROR" for run in mine}


@BOTH_MODES
async def test_the_door_accepts_once_waits_in_line_and_cancels_what_waits(live: Live, tmp_path: Path) -> None:
    app = working(live.db, tmp_path, "door", max_attempts=1, max_concurrency=1)
    async with serving(app) as rest:
        first = await accepted(rest, "add 3", "s", **{"Idempotency-Key": "k"})
        again = await accepted(rest, "add 3", "s", **{"Idempotency-Key": "k"})
        assert again["run_id"] == first["run_id"]
        second, third = [(await accepted(rest, "add 4", "s"))["run_id"] for _ in range(2)]
        waiting = await rest.get(f"/agents/clerk/runs/{third}", session_id="s")
        assert (waiting["status"], waiting["waiting_on"] in {first["run_id"], second}) == ("PENDING", True)
        await rest.call("POST", f"/agents/clerk/runs/{third}/cancel", params={"session_id": "s"})
        jobs = await ended(live, [first["run_id"], second, third])
        listed = await rest.get("/queue/jobs", session_id="s")
        await rest.call("POST", f"/queue/jobs/{third}/requeue")
        requeued = await ended(live, [third])
    assert [each["status"] for each in jobs.values()] == ["completed", "completed", "cancelled"]
    assert listed["meta"]["total_count"] == 3
    # The wish to cancel outlives the job that was queued again, as agno has it: the attempt ends where it begins.
    assert (requeued[third]["status"], requeued[third]["attempt"]) == ("cancelled", 1)
    session = await live.ask("get_session", session_id="s")
    assert session.session_data["session_state"]["total"] == 7
