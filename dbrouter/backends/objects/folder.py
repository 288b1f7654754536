"""Objects as files below a local folder: replaced by renaming, one writer at a time for each of 256 shares of them.

The lock of a share is the kernel's (`flock`), which takes it from a process that dies; whoever comes then finds the old
file or the new one, whole. Readers wait for nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import random
import secrets
import time
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Absent
from dbrouter.backends.objects.body import stamp_of
from dbrouter.backends.objects.bucket import Changed, Found, Listed, Refused

_LOCKS = ".locks"
_FRESH = ".fresh"
LONGEST_PAUSE = 0.01


class Folder:
    """A bucket in a local folder, which is made when first written to.

    patience: seconds that a writer waits for another. durable: whether a write is on the disk when it returns.
    """

    removes = True

    def __init__(self, folder: Path, *, patience: float, durable: bool) -> None:
        self._top = folder.absolute()
        self._patience = patience
        self._durable = durable

    async def get(self, name: str) -> Found | None:
        """The file, if there is one."""
        with self._translated():
            body = self._read(name)
            return None if body is None else Found(body, stamp_of(body))

    async def put(self, name: str, body: bytes, expect: str | Absent | None) -> str:
        """Write the file whole; answers its stamp."""
        with self._translated():
            if expect is None:
                # Without a condition only what is empty is written: there is nothing to be torn.
                os.close(self._opened(name, os.O_CREAT | os.O_WRONLY))
                self._keep((self._top / name).parent)
                return ""
            with self._alone(name):
                self._check(name, expect)
                self._replace(name, body)
            return stamp_of(body)

    async def remove(self, name: str, expect: str) -> None:
        """Remove the file if it still has that stamp."""
        with self._translated(), self._alone(name):
            self._check(name, expect)
            (self._top / name).unlink()
            self._keep((self._top / name).parent)

    async def discard(self, names: Sequence[str]) -> None:
        """Remove files, and folders that this leaves empty."""
        with self._translated():
            for name in names:
                path = self._top / name
                path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # another entry is in it
                    path.parent.rmdir()

    async def list(self, folder: str, *, begin: str, after: str, limit: int | None) -> list[Listed]:
        """Files below the folder, in order of their names."""
        found: list[Listed] = []
        with self._translated():
            for name, path in _files(self._top / folder, "", after):
                if name <= after or not name.startswith(begin):
                    continue
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue
                found.append(Listed(name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC)))
                if len(found) == limit:
                    break
        return found

    async def folders(self, folder: str) -> list[str]:
        """Names of the folders in the folder."""
        with self._translated():
            try:
                return sorted(each.name for each in os.scandir(self._top / folder) if each.is_dir())
            except FileNotFoundError:
                return []

    async def tidy(self, before: datetime) -> None:
        """Remove files that were never finished."""
        with self._translated():
            for each in (self._top / _FRESH).glob("*"):
                if each.stat().st_mtime < before.timestamp():
                    each.unlink(missing_ok=True)

    async def ping(self) -> None:
        """Return if the folder, or the one that it is to be made in, can be written to."""
        there = next(each for each in (self._top, *self._top.parents) if each.exists())
        if not there.is_dir():
            raise Refused(f"{there} is not a folder; name another path")
        if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
            raise Refused(f"{there} cannot be written to by this user; change its owner or mode")

    async def close(self) -> None:
        """Nothing stays open between calls."""

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._top / name).read_bytes()
        except FileNotFoundError:
            return None

    def _check(self, name: str, expect: str | Absent) -> None:
        """Raise `Changed` if the file is not the expected one. Nobody else writes it meanwhile."""
        stored = self._read(name)
        if (stored is not None) if isinstance(expect, Absent) else (stored is None or stamp_of(stored) != expect):
            raise Changed

    def _replace(self, name: str, body: bytes) -> None:
        unfinished = f"{_FRESH}/{secrets.token_hex(12)}"
        descriptor = self._opened(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        fresh = self._top / unfinished
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                if self._durable:
                    os.fsync(file.fileno())
            path = self._top / name
            self._make(path.parent)
            fresh.replace(path)
            self._keep(path.parent)
        finally:
            fresh.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self, name: str) -> Generator[None]:
        """The only writer of the file, in any process."""
        share = hashlib.sha256(name.encode()).hexdigest()[:2]
        until = time.monotonic() + self._patience
        descriptor = self._opened(f"{_LOCKS}/{share}", os.O_CREAT | os.O_RDWR)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as busy:
                    if time.monotonic() >= until:
                        raise Unavailable(f"{name}: another process has its lock for {self._patience:g} s") from busy
                    time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  # no secret
            yield
        finally:
            os.close(descriptor)  # and gives the lock back

    def _opened(self, name: str, flags: int) -> int:
        """The file's descriptor; its folder is made if need be."""
        while True:
            try:
                return os.open(self._top / name, flags, 0o644)
            except FileNotFoundError:
                # Or again: a folder that was empty for a moment may have been removed just now.
                self._make((self._top / name).parent)

    def _make(self, folder: Path) -> None:
        missing: list[Path] = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            self._keep(each.parent)

    def _keep(self, folder: Path) -> None:
        """Have the disk keep the folder's names."""
        if not self._durable:
            return
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (PermissionError, NotADirectoryError) as error:
            raise Refused(f"{self._top}: {error}") from error
        except OSError as error:
            raise Unavailable(f"{self._top}: {error}") from error


def _files(folder: Path, within: str, after: str) -> Iterator[tuple[str, Path]]:
    """Files below the folder with their names below it, in order; folders that lie wholly before `after` are left."""
    try:
        here = sorted(os.scandir(folder), key=lambda each: each.name)
    except FileNotFoundError:
        return
    for each in here:
        name = within + each.name
        if not each.is_dir():
            yield name, Path(each.path)
        elif f"{name}/~" > after:
            yield from _files(Path(each.path), f"{name}/", after)
