"""A frozen server answers nothing: freezing returns when the last of its threads has stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from scripts.servers.processes import await_stopped, signal_each

BUSY = """
import threading, time
for _ in range(4):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()
print("busy", flush=True)
time.sleep(60)
"""


@pytest.fixture
def busy() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "busy\n"
        yield process.pid
        process.kill()


def test_a_stop_has_reached_every_thread(busy: int) -> None:
    with pytest.raises(TimeoutError, match=f"processes {busy} were told to stop"):
        await_stopped([busy], 0.1)
    signal_each([busy], signal.SIGSTOP)
    await_stopped([busy], 10)
    signal_each([busy], signal.SIGCONT)
    with pytest.raises(TimeoutError):
        await_stopped([busy], 0.1)


def test_a_process_that_is_gone_has_stopped(busy: int) -> None:
    signal_each([busy], signal.SIGKILL)
    await_stopped([busy], 10)
