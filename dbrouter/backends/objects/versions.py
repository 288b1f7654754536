"""Versions of an object in a local folder: whoever renames the name of one has replaced it.

    <folder>/<name>/=<version>         which version of the object counts; the file is empty
    <folder>/.versions/<version>       what it holds, after a line with its object and the version before it
    <folder>/.versions/<version>=      the same, until it is all there
    <folder>/.versions/=<version>/     a new object's directory, until it is renamed into its place

A version's name begins with a token that is never used again. So of all writers that have read one, one finds the name
that it was to rename; and a directory is renamed over none that holds a name. Content is there before its name is, and
goes after it: whoever is killed leaves content that no name leads to, which `tidy` removes once none ever can.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from dbrouter.backends.kernel.errors import Corrupt, Unavailable
from dbrouter.backends.objects.body import new_token, stamp_of

T = TypeVar("T")

FOLDER = ".versions"
FIRST = "-" * 33
"""What stands for the version before the first: as long as each."""
_HEAD = "="
"""What the name of a version begins with; names of objects have no such character."""
_LOOKS = 1000
"""Before a directory is given up in which no name is to be found, or several: far more than renaming can cause."""


def new_version(body: bytes) -> str:
    """A name for the version that holds this."""
    return f"{new_token()}.{stamp_of(body)}"


def stamp(version: str) -> str:
    """The stamp of what it holds."""
    return version.partition(".")[2]


def head(path: Path, version: str) -> Path:
    """The file whose name says that this version of the object counts."""
    return path / f"{_HEAD}{version}"


def content(path: Path, version: str) -> Path:
    """The file with what this version holds."""
    return path.parent / FOLDER / version


def stage(path: Path, version: str) -> Path:
    """The directory of a new object before it is in its place."""
    return path.parent / FOLDER / f"{_HEAD}{version}"


def unfinished(path: Path, version: str) -> Path:
    """The file with what this version is to hold, until all of it is there."""
    return path.parent / FOLDER / f"{version}{_HEAD}"


def line(path: Path, before: str) -> bytes:
    """What the content begins with. before: the version before."""
    return f"{path.name} {before}\n".encode()


def current(path: Path) -> str | None:
    """The version that counts, if there is an object."""
    names: list[str] = []
    for _ in range(_LOOKS):
        try:
            names = [name for name in os.listdir(path) if name.startswith(_HEAD)]  # noqa: PTH208  # for each of a page
        except FileNotFoundError:
            return None
        if len(names) == 1:
            return names[0][len(_HEAD) :]
        # Removed; or renamed while the directory was read, so that it was met twice or not at all. No directory goes
        # while a name is in it: either there is no object now, or there is a name to be found.
        try:
            path.rmdir()
        except FileNotFoundError:
            return None
        except OSError as error:
            if not is_occupied(error):
                raise
    raise Corrupt(f"{path} holds {names or 'no name of a version'}, not one; remove what is not dbrouter's")


def at_current(path: Path, look: Callable[[Path], T]) -> tuple[str, T] | None:
    """The version that counts, and what is found out about the file with its content."""
    missing = None
    while (version := current(path)) is not None:
        try:
            return version, look(content(path, version))
        except FileNotFoundError as error:
            # Replaced, so that another counts by now.
            if version == missing:
                raise Corrupt(f"{path}: the content of its version {version} is missing") from error
            missing = version
    return None


def is_occupied(error: OSError) -> bool:
    """Whether a directory could not be removed, or replaced, because something is in it."""
    return error.errno in (errno.ENOTEMPTY, errno.EEXIST)


def place(staged: Path, path: Path) -> bool:
    """Rename a new object's directory into its place; whether there was no object."""
    while True:
        try:
            staged.rename(path)
        except FileNotFoundError as error:
            raise stood_still(path) from error
        except OSError as error:
            if not is_occupied(error):
                raise
            if current(path) is not None:
                return False
        else:
            return True


def stood_still(path: Path) -> Unavailable:
    """What a writer is told that finds what it wrote tidied away. Nothing else has changed."""
    return Unavailable(f"{path}: its writer stood still until what it wrote was tidied away; nothing was written")


def is_object(directory: Path) -> bool:
    """Whether it is an object's directory, and no folder of objects. It may be gone or empty by now."""
    empty = True
    try:
        with os.scandir(directory) as found:
            for each in found:
                if each.name == FOLDER or not each.name.startswith("."):
                    return each.name.startswith(_HEAD)
                empty = False
    except FileNotFoundError:
        return True
    return empty


def tidy(versions: Path, before: float) -> None:
    """Remove from a folder of versions what writers have left that were killed before that time."""
    # Directories first: content is left alone while a new object waits for its place.
    for each in sorted(os.scandir(versions), key=lambda each: not each.is_dir()):
        with contextlib.suppress(FileNotFoundError):  # its writer was not killed
            if each.name.startswith(".") or each.stat().st_mtime >= before:
                continue
            if each.is_dir():
                # Renamed, it is no new object's any more: a writer that only slept finds that it came too late.
                gone = Path(each.path).rename(versions / f"{new_token()}{_HEAD}")
                shutil.rmtree(gone)
            elif each.name.endswith(_HEAD) or _leads_nowhere(versions, each.name):
                Path(each.path).unlink()


def _leads_nowhere(versions: Path, version: str) -> bool:
    """Whether the version does not count and never will: neither does the one that it was to replace."""
    with (versions / version).open("rb") as file:
        name, _, before = file.readline().decode(errors="replace").rstrip("\n").partition(" ")
    if len(before) != len(FIRST):
        return False  # not ours; or a power cut has left nothing in it that says whose it is
    path = versions.parent / name
    # In this order: what is no longer waiting for its place has come there, or never will.
    return not stage(path, version).exists() and current(path) not in (version, before)
