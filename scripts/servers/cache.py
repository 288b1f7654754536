"""What was fetched once: a folder of ours, outside of the repository, shared by all runs."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

EVERYBODY_READS = 0o755
"""A server that root starts runs as an ordinary user."""


def kept(name: str, fill: Callable[[Path], object]) -> Path:
    """The folder of this name. Where there is none yet, a fresh one is filled first: it is whole, or not there.

    Of several runs that want it at once one fills it, and the others wait.
    """
    home = _cache() / name
    if not home.is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
        with home.with_name(f"{home.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # gone with the process that holds it
            if not home.is_dir():
                _fill(home, fill)
    return home


def _fill(home: Path, fill: Callable[[Path], object]) -> None:
    fresh = Path(tempfile.mkdtemp(dir=home.parent))
    try:
        fill(fresh)
        fresh.chmod(EVERYBODY_READS)
        fresh.rename(home)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _cache() -> Path:
    of_all = "/var/cache" if os.geteuid() == 0 else "~/.cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or of_all).expanduser() / "dbrouter" / "servers"
