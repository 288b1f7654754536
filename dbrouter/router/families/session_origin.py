"""What a session object was read as: the base that a later save merges against.

The origin rides on the session object itself, so copies carry it, threads cannot mix it up and it goes when the
object goes. agno's `to_dict` writes declared fields only and never sees it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.kernel.codec import decode
from dbrouter.backends.kernel.ops import Absent, Version
from dbrouter.router.agno_types import Session
from dbrouter.router.families.context import Place

ATTRIBUTE = "_dbrouter_origin"


@dataclass(frozen=True, slots=True)
class Origin:
    """A session's data when this object last met the database.

    own: the object's own data then, as text. seen: what was stored then, as text (the same unless a merge took place).
    version: the stored record's version then. place: where it was read.
    """

    own: str | None
    seen: str | None
    version: Version | Absent
    place: Place

    def own_data(self) -> Any:
        """The object's own data then."""
        return None if self.own is None else decode(self.own)

    def seen_data(self) -> Any:
        """The stored data then."""
        return None if self.seen is None else decode(self.seen)


def origin_of(session: Session, place: Place) -> Origin | None:
    """The session's origin, or `None` if this object never met the database (a session copied from another one)."""
    found = getattr(session, ATTRIBUTE, None)
    return found if isinstance(found, Origin) and found.place == place else None


def remember(session: Session, origin: Origin) -> None:
    """Set the session's origin."""
    setattr(session, ATTRIBUTE, origin)


class Absences:
    """Who has just been told that a session does not exist, bounded.

    Two writers that both find no session and both create it would lose one's state: there is no object to carry an
    origin. A caller that was told "none" and then saves merges against nothing instead of overwriting.
    """

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._told: OrderedDict[tuple[Place, str, tuple[int, int]], None] = OrderedDict()
        self._lock = threading.Lock()

    def tell(self, place: Place, session_id: str, caller: tuple[int, int]) -> None:
        """The caller was told that there is no such session there."""
        with self._lock:
            self._told[place, session_id, caller] = None
            if len(self._told) > self._size:
                self._told.popitem(last=False)

    def take(self, place: Place, session_id: str, caller: tuple[int, int]) -> bool:
        """Whether the caller was told so; asks once."""
        if not self._told:
            return False
        with self._lock:
            return self._told.pop((place, session_id, caller), 0) is None
