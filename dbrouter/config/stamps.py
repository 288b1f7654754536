"""Which version of a file was read, as far as the file system can tell."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path as File
from typing import TypeAlias

Stamp: TypeAlias = "tuple[int, int, int] | None"
"""A file's time of change, size and inode; `None` where it cannot be reached."""

STILL = 0.2
"""Seconds without a change after which a file counts as written: a half-written one may be valid and lack tenants."""

Stamps: TypeAlias = "Mapping[File, Stamp]"
"""The files that were read, each with its stamp from before it was read."""


def stamp_of(file: File) -> Stamp:
    """The stamp of the file as it is now. Links are followed: what they lead to is what is read."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def now(stamps: Stamps) -> Stamps:
    """The same files with their stamps as they are now."""
    return {file: stamp_of(file) for file in stamps}


def settled(stamps: Stamps) -> bool:
    """Whether none of the files changed a moment ago."""
    ages = (time.time() - stamp[0] / 1e9 for stamp in stamps.values() if stamp is not None)
    # A time that is to come is that of another machine's clock and says nothing.
    return not any(0 <= age < STILL for age in ages)
