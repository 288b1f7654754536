"""Releases of agno, installed by uv where today's is not touched by it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from scripts.servers.cache import kept
from scripts.servers.places import run


def uv() -> str:
    """uv, as make installed it or as the machine has it. Raises `LookupError` if there is none."""
    ours = Path(__file__).parents[2] / ".tools" / "bin" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        raise LookupError("there is no uv; `make setup` brings one")
    return found


def environment(folder: Path, release: str, beside: tuple[str, ...]) -> str:
    """The Python of a new environment with this release and the requirements that it needs beside it."""
    python = folder / "venv" / "bin" / "python"
    run([uv(), "venv", "--quiet", "--python", sys.executable, folder / "venv"])
    run([uv(), "pip", "install", "--quiet", "--python", python, f"agno=={release}", *beside], seconds=600)
    return str(python)


def alone(release: str) -> Path:
    """A folder with nothing but this release: first on the path, it stands in for today's. Fetched once.

    Raises `LookupError` without uv and `OSError` if it cannot be fetched.
    """
    return kept(
        f"agno-{release}",
        lambda folder: run([uv(), "pip", "install", "--quiet", "--no-deps", "--target", folder, f"agno=={release}"]),
    )
