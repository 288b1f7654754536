"""What the driver asks of a place for objects: a cloud's bucket or a local folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dbrouter.backends.kernel.errors import Throttled, Unavailable
from dbrouter.backends.kernel.ops import Absent


@dataclass(frozen=True, slots=True)
class Found:
    """An object's content, and the tag that its next conditional write must name.

    pending: whether what counts in its place may change without the tag (`drafts.py`).
    """

    body: bytes
    tag: str
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """An object in a listing. name: below the folder that was listed."""

    name: str
    size: int
    modified: datetime


class Changed(Exception):  # a turn of events inside the driver, not an error anyone sees
    """The object is not (any more) what a conditional write expects."""


class Refused(Unavailable):
    """Asking again is of no use: there is no such place, or it does not let us in, or a write's fate is unknown."""

    retryable = False


class Overloaded(Throttled):
    """The server failed under load: asked again later it may answer, and may have done already what was asked."""


class Bucket(Protocol):
    """Objects by name. Names are ASCII, and `/` in them makes folders.

    A blocking one's coroutines never suspend. Each method is one request (a listing: one for each thousand names),
    bound by the client's own timeout, and never repeated. Raises `Refused`, `Unavailable`, `Throttled` (and then did
    nothing, unless it is `Overloaded`) or `TooLarge`.
    """

    removes: bool
    """Whether `remove` is conditional; otherwise an object is never removed while it can be written to."""

    async def get(self, name: str) -> Found | None:
        """The object, `None` if there is none. A missing bucket is no missing object: `Refused`."""
        ...

    async def put(self, name: str, body: bytes, expect: str | Absent | None) -> str:
        """Write the object whole; answers its tag. Raises `Changed` if its tag is not the expected one."""
        ...

    async def remove(self, name: str, expect: str) -> None:
        """Remove the object if its tag is the expected one, else `Changed`. Only where `removes`."""
        ...

    async def discard(self, names: Sequence[str]) -> None:
        """Remove these objects, whatever they are and whether or not they are there."""
        ...

    async def list(self, folder: str, *, begin: str, after: str, limit: int | None) -> list[Listed]:
        """Objects below the folder whose names begin so and sort after `after`, in order; at most `limit`."""
        ...

    async def folders(self, folder: str) -> list[str]:
        """Names of the folders in the folder."""
        ...

    async def tidy(self, folder: str, before: datetime) -> None:
        """Remove below the folder what writers have left that were killed before this time, and that is no object."""
        ...

    async def ping(self) -> None:
        """Return if the place is there and lets us in."""
        ...

    async def close(self) -> None:
        """Release connections; they open again when needed."""
        ...
