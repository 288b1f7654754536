"""What the connection classes need to know of a vendor driver, and nothing about meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from dbrouter.backends.secrets import masked
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.statements import Outcome


class Aftermath(Enum):
    """What an error leaves behind."""

    SOUND = "the connection is fine once rolled back; nothing of the unit happened"
    AGAIN = "as SOUND, and the same unit may succeed now (a deadlock, a lost race)"
    BROKEN = "the connection is gone; a unit that only reads may be sent again"
    DEMOTED = "the server has become read-only; this connection and those opened before lead to it: none is used again"


@dataclass(frozen=True, slots=True)
class Failure:
    """A vendor's error in our words."""

    error: Exception
    aftermath: Aftermath


class BlockingDriver(Protocol):
    """A vendor driver used from threads. place: what errors call the database; no password in it."""

    place: str

    def is_stale(self, connection: Any) -> bool:
        """Whether an idle connection is dead; sends nothing."""
        ...

    def limit(self, connection: Any, seconds: float) -> None:
        """Let what is sent next wait for at most so long. Called only for a call that has spent some of its time."""
        ...

    def send(self, connection: Any, unit: Unit) -> list[Outcome]:
        """Run a unit."""
        ...

    def roll_back(self, connection: Any) -> None:
        """End whatever transaction a failed unit left."""
        ...

    def translate(self, error: BaseException) -> Failure:
        """The vendor's error in our words."""
        ...


class AsyncDriver(Protocol):
    """A vendor driver used from event loops. place: what errors call the database; no password in it."""

    place: str

    def is_stale(self, connection: Any) -> bool:
        """Whether an idle connection is dead; sends nothing."""
        ...

    async def limit(self, connection: Any, seconds: float) -> None:
        """Let what is sent next wait for at most so long. Called only for a call that has spent some of its time."""
        ...

    async def send(self, connection: Any, unit: Unit) -> list[Outcome]:
        """Run a unit."""
        ...

    async def roll_back(self, connection: Any) -> None:
        """End whatever transaction a failed unit left."""
        ...

    def translate(self, error: BaseException) -> Failure:
        """The vendor's error in our words."""
        ...

    def abandon(self, connection: Any) -> None:
        """Drop a connection whose event loop is closed, without awaiting."""
        ...


def place_of(name: str, url: Any) -> str:
    """A database as errors name it.

    SQLAlchemy masks the password of a URL that it shows, and none that stands behind the `?`.
    """
    shown = masked(repr(url))
    return f"{name} ({shown})" if name else shown
