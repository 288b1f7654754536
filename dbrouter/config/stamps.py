"""Which version of a file was read, as far as the file system can tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as File
from typing import TypeAlias

Stamp: TypeAlias = "tuple[int, int, int] | None"
"""A file's time of change, size and inode; `None` where it cannot be reached."""

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
