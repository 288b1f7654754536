"""Where a server lives: a free loopback port, a folder of its own, an ordinary user to run as."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "dbrouter-server-"
OWNER = "owner"


@dataclass(frozen=True, slots=True)
class User:
    """An ordinary user to start a server as, because many refuse to run as root."""

    name: str
    uid: int
    gid: int

    def for_subprocess(self) -> dict[str, Any]:
        """The arguments that make `subprocess` run as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def ordinary_user(*names: str) -> User | None:
    """The first of these users that this machine has, if we are root; else `None`: we are ordinary ourselves."""
    if os.geteuid() != 0:
        return None
    for name in (*names, "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(name, entry.pw_uid, entry.pw_gid)
    raise LookupError(f"this machine has none of the users {', '.join(names)}, nobody")


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def new_place(name: str, user: User | None = None) -> Iterator[Path]:
    """A fresh folder that belongs to the user, for a server: gone again if that does not start.

    Removes what runs that were killed have left behind.
    """
    remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name.replace(' ', '-')}-"))
    try:
        (folder / OWNER).write_text(f"{os.getpid()} {_started(os.getpid())}")
        if user is not None:
            os.chown(folder, user.uid, user.gid)
        yield folder
    except BaseException:
        remove_place(folder)
        raise


def remove_place(folder: Path) -> None:
    """Remove a server's folder."""
    shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers() -> None:
    """End servers whose starter is gone without having stopped them, and remove their folders."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            pid, _, started = (folder / OWNER).read_text().partition(" ")
        except OSError:
            continue  # another user's, or made this very moment
        if _started(int(pid)) != started:
            _end_servers_in(folder)
            remove_place(folder)


def _end_servers_in(folder: Path) -> None:
    """End the processes that work in the folder; no other process has any business there."""
    for attempt in (signal.SIGTERM, signal.SIGCONT, signal.SIGKILL):
        pids = [
            int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, folder)
        ]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, attempt)
        if not pids:
            return
        time.sleep(0.5)


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


def _started(pid: int) -> str:
    """When a process started, in clock ticks: with its id, this names it even after the id was given out anew."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def run(command: list[str | Path], *, user: User | None = None, cwd: Path | None = None, seconds: float = 120) -> str:
    """What the command prints. Raises `OSError` with its last words if it fails."""
    try:
        done = subprocess.run(  # the commands are ours
            [str(each) for each in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            cwd=cwd,
            **(user.for_subprocess() if user else {}),
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{Path(command[0]).name} did not end within {seconds:.0f} s") from error
    if done.returncode:
        raise OSError(f"{Path(command[0]).name} ended with {done.returncode}: {' '.join(done.stdout.split())[-300:]}")
    return done.stdout.strip()
