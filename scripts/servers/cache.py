"""What was fetched once: a folder of ours, outside of the repository, shared by all runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

EVERYBODY_READS = 0o755
"""A server that root starts runs as an ordinary user."""


def kept(name: str, fill: Callable[[Path], object]) -> Path:
    """The folder of this name. Where there is none yet, a fresh one is filled first: it is whole, or not there."""
    home = _cache() / name
    if not home.is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=home.parent))
        try:
            fill(fresh)
            fresh.chmod(EVERYBODY_READS)
            fresh.rename(home)
        except OSError:
            # Unless another run came first.
            if not home.is_dir():
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return home


def _cache() -> Path:
    of_all = "/var/cache" if os.geteuid() == 0 else "~/.cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or of_all).expanduser() / "dbrouter" / "servers"
