"""Families of processes: who is below whom, signals to all of them, waiting for their end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path


def signal_each(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def descendants(pid: int) -> list[int]:
    """Every process below this one. Postgres gives each child a session of its own, so a group would miss them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The command's name is in parentheses and may itself hold blanks; the parent follows the state.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.extend(below)
        waiting.extend(below)
    return found


def await_gone(pids: Sequence[int], seconds: float) -> None:
    """Return when none of these processes runs any more, or after that time."""
    deadline = time.monotonic() + seconds
    while any(runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)


def await_stopped(pids: Sequence[int], seconds: float) -> None:
    """Return when a stop signal has reached every thread of these processes; raises `TimeoutError` after that time.

    A thread that is on another processor goes on until that one takes note.
    """
    deadline = time.monotonic() + seconds
    while not all(_stopped(pid) for pid in pids):
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {', '.join(map(str, pids))} were told to stop and did not in {seconds:g} s")
        time.sleep(0.001)


def _stopped(pid: int) -> bool:
    """Whether no thread of the process runs (any more)."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if (thread / "stat").read_text().rpartition(")")[2].split()[0] not in "TtZX":
                    return False
    return True


def runs(pid: int) -> bool:
    """Whether the process is there and has not ended (one that nobody has waited for yet has ended)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
