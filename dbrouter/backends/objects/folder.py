"""Objects in a local folder, without locks (`versions.py`). An object that holds nothing is an empty file."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from dbrouter.backends.kernel.errors import Corrupt, Unavailable
from dbrouter.backends.kernel.ops import Absent
from dbrouter.backends.objects import versions
from dbrouter.backends.objects.bucket import Changed, Found, Listed, Refused


class Folder:
    """A bucket in a local folder, which is made when first written to. Tags are the stamps of contents.

    What was seen at its top stays there: without it the folder was moved away, or its disk is not mounted any more, and
    nobody knows what it holds. durable: whether a write is on the disk when it returns.
    """

    removes = True

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._top = folder.absolute()
        self._durable = durable
        self._seen: set[str] = set()

    async def get(self, name: str) -> Found | None:
        """The object, if there is one."""
        path = self._top / name
        with self._translated():
            found = versions.at_current(path, Path.read_bytes)
            if found is None:
                self._check_there(path)
                return None
        version, content = found
        self._seen.add(name.partition("/")[0])
        held = content[len(versions.line(path, version)) :]
        if not held:
            raise Corrupt(f"{path} was cut short, as by a power cut while durable is false; remove that directory")
        return Found(held, versions.stamp(version))

    async def put(self, name: str, body: bytes, expect: str | Absent | None) -> str:
        """Write the object whole; answers its tag."""
        path = self._top / name
        with self._translated():
            if expect is None:
                # Without a condition only what is empty is written: there is no version to choose.
                os.close(self._opened(path, os.O_CREAT | os.O_WRONLY))
                self._keep(path.parent)
                return ""
            version = versions.new_version(body)
            if isinstance(expect, Absent):
                self._create(path, version, body)
            else:
                self._replace(path, self._expected(path, expect), version, body)
            return versions.stamp(version)

    async def remove(self, name: str, expect: str) -> None:
        """Remove the object if it has that tag."""
        path = self._top / name
        with self._translated():
            if not self._removed(path, self._expected(path, expect)):
                raise Changed

    async def discard(self, names: Sequence[str]) -> None:
        """Remove objects, and folders that this leaves empty."""
        with self._translated():
            for name in names:
                path = self._top / name
                try:
                    path.unlink(missing_ok=True)
                except (IsADirectoryError, PermissionError):  # which of them a directory is depends on the system
                    while (version := versions.current(path)) is not None and not self._removed(path, version):
                        pass  # it was replaced between one and the other
                with contextlib.suppress(OSError):  # another entry is in it
                    path.parent.rmdir()

    async def list(self, folder: str, *, begin: str, after: str, limit: int | None) -> list[Listed]:
        """Objects below the folder, in order of their names."""
        found: list[Listed] = []
        with self._translated():
            for listed in _objects(self._top / folder, "", begin, after):
                found.append(listed)
                if len(found) == limit:
                    break
            self._check_there(self._top / folder)  # at the end: it may have gone while it was listed
        return found

    async def folders(self, folder: str) -> list[str]:
        """Names of the folders in the folder."""
        with self._translated():
            self._check_there(self._top / folder)
            try:
                return sorted(each.name for each in os.scandir(self._top / folder) if each.is_dir())
            except FileNotFoundError:
                return []

    async def tidy(self, folder: str, before: datetime) -> None:
        """Remove what writers that were killed have left below the folder and nothing leads to."""
        with self._translated():
            for place, within, _ in os.walk(self._top / folder, onerror=_unless_gone):
                if versions.FOLDER in within:
                    versions.tidy(Path(place, versions.FOLDER), before.timestamp())
                    within.clear()  # what is beside it are objects

    async def ping(self) -> None:
        """Return if the folder, or the one that it is to be made in, can be written to."""
        with self._translated():
            for name in tuple(self._seen):
                self._check_there(self._top / name)
            there = next(each for each in (self._top, *self._top.parents) if each.exists())
        if not there.is_dir():
            raise Refused(f"{there} is not a folder; name another path")
        if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
            raise Refused(f"{there} cannot be written to by this user; change its owner or mode")

    async def close(self) -> None:
        """Nothing stays open between calls."""

    def _create(self, path: Path, version: str, body: bytes) -> None:
        staged = versions.stage(path, version)
        placed = False
        try:
            # Before the content, which nobody tidies away while this waits for its place.
            os.close(self._opened(versions.head(staged, version), os.O_CREAT | os.O_WRONLY))
            self._keep(staged)
            self._write(path, version, versions.FIRST, body)
            placed = versions.place(staged, path)
        finally:
            if not placed:
                shutil.rmtree(staged, ignore_errors=True)
        if not placed:
            versions.content(path, version).unlink(missing_ok=True)
            raise Changed
        self._keep(path.parent)

    def _replace(self, path: Path, old: str, version: str, body: bytes) -> None:
        self._write(path, version, old, body)
        try:
            versions.head(path, old).rename(versions.head(path, version))
        except FileNotFoundError:
            # A client of NFS asks again when an answer is lost, and is told so of a name that it has just renamed.
            if not versions.head(path, version).exists():
                versions.content(path, version).unlink(missing_ok=True)
                raise Changed from None
        self._keep(path)
        versions.content(path, old).unlink(missing_ok=True)

    def _write(self, path: Path, version: str, before: str, body: bytes) -> None:
        """Lay the content down where the name of the version will lead to it."""
        content = versions.content(path, version)
        unfinished = versions.unfinished(path, version)
        try:
            with os.fdopen(self._opened(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY), "wb") as file:
                file.write(versions.line(path, before))
                file.write(body)
                file.flush()
                if self._durable:
                    os.fsync(file.fileno())
            unfinished.rename(content)
        except FileNotFoundError as error:
            raise versions.stood_still(path) from error
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        self._keep(content.parent)

    def _removed(self, path: Path, version: str) -> bool:
        """Whether that version counted, and is removed now."""
        try:
            versions.head(path, version).unlink()
        except FileNotFoundError:
            return False
        try:
            path.rmdir()
        except OSError:  # a reader was faster, or there is something in it: a new object, or what is not ours
            self._keep(path)
        self._keep(path.parent)
        versions.content(path, version).unlink(missing_ok=True)
        return True

    def _opened(self, path: Path, flags: int) -> int:
        """The file's descriptor; its folder is made if need be."""
        while True:
            try:
                return os.open(path, flags, 0o644)
            except FileNotFoundError:
                # Or again: a folder that was empty for a moment may have been removed just now.
                self._make(path.parent)

    def _make(self, folder: Path) -> None:
        self._check_there(folder)
        missing: list[Path] = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            self._keep(each.parent)

    def _keep(self, folder: Path) -> None:
        """Have the disk keep the folder's names, if it is still there."""
        if not self._durable:
            return
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _expected(self, path: Path, tag: str) -> str:
        """The version that counts, which must have that tag; else raises `Changed`."""
        version = versions.current(path)
        if version is None:
            self._check_there(path)
        if version is None or versions.stamp(version) != tag:
            raise Changed
        return version

    def _check_there(self, path: Path) -> None:
        """Raise `Refused` if it is not the object that is missing, but all that there was."""
        name = path.relative_to(self._top).parts[0]
        known = name in self._seen  # before it is looked for: another thread may be making it
        if (self._top / name).is_dir():
            self._seen.add(name)
        elif known:
            raise Refused(
                f"{self._top / name} was there and is gone, with all it held; bring it back, or restart to begin anew"
            )

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (PermissionError, NotADirectoryError) as error:
            raise Refused(f"{self._top}: {error}") from error
        except OSError as error:
            raise Unavailable(f"{self._top}: {error}") from error


def _unless_gone(error: OSError) -> None:
    """Raise what a folder could not be read for, but that it was removed meanwhile."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _objects(folder: Path, within: str, begin: str, after: str) -> Iterator[Listed]:
    """Objects below the folder in order of their names, which begin so and sort after that one."""
    try:
        here = sorted(os.scandir(folder), key=lambda each: each.name)
    except FileNotFoundError:
        return
    for each in here:
        name = within + each.name
        path = Path(each.path)
        # No name of ours begins with a dot; those that do are left by file managers.
        if each.name.startswith(".") or not (name.startswith(begin) or begin.startswith(f"{name}/")):
            continue
        if each.is_dir() and not versions.is_object(path):
            if f"{name}/~" > after:
                yield from _objects(path, f"{name}/", begin, after)
        elif name > after and (listed := _listed(name, path, named=each.is_dir())) is not None:
            yield listed


def _listed(name: str, path: Path, *, named: bool) -> Listed | None:
    """The object in a listing, if it is still there. named: whether its name leads to a version."""
    if not named:
        try:
            stat = path.stat()
        except FileNotFoundError:
            return None
        return Listed(name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
    found = versions.at_current(path, Path.stat)
    if found is None:
        return None
    version, stat = found
    size = stat.st_size - len(versions.line(path, version))
    return Listed(name, size, datetime.fromtimestamp(stat.st_mtime, UTC))
