"""What a session object was read as: the base that a later save merges against.

The origin rides on the session object itself, so copies carry it, threads cannot mix it up and it goes when the
object goes. agno's `to_dict` writes declared fields only and never sees it.

It is about the data, and shallow copies have one data: agno's teams save such a copy of a session that they go on with.
So the object carries a holder, which shallow copies share too. A deep copy has data, and a holder, of its own.
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
    version: the stored record's version then; `None` if it was not told. place: where it was read.
    """

    own: str | None
    seen: str | None
    version: Version | Absent | None
    place: Place

    def own_data(self) -> Any:
        """The object's own data then."""
        return None if self.own is None else decode(self.own)

    def seen_data(self) -> Any:
        """The stored data then."""
        return None if self.seen is None else decode(self.seen)


class Holder:
    """Where the origin of one session's data is kept."""

    __slots__ = ("__weakref__", "origin")

    def __init__(self, origin: Origin) -> None:
        self.origin = origin

    def __deepcopy__(self, memo: dict[int, Any]) -> Holder:
        """Another one: the copy's data are its own from now on."""
        return Holder(self.origin)


def holder_of(session: Session) -> Holder | None:
    """What the object carries, if it ever met a database."""
    found = getattr(session, ATTRIBUTE, None)
    return found if isinstance(found, Holder) else None


def origin_of(session: Session, place: Place) -> Origin | None:
    """The session's origin, or `None` if this object never met the database (a session copied from another one)."""
    holder = holder_of(session)
    return holder.origin if holder is not None and holder.origin.place == place else None


def remember(session: Session, origin: Origin) -> Holder:
    """Set the origin of the session's data."""
    holder = holder_of(session)
    if holder is None:
        holder = Holder(origin)
        hold(session, holder)
    else:
        holder.origin = origin
    return holder


def hold(session: Session, holder: Holder) -> None:
    """Have the session carry this one."""
    setattr(session, ATTRIBUTE, holder)


class FirstSaves:
    """The data of sessions that carried nothing when they were first saved, with their holders, bounded.

    What was saved may have been a shallow copy, and then the object that somebody goes on with carries nothing still.
    It is known by its data, which are the copy's.
    """

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._known: OrderedDict[tuple[Place, int], tuple[Any, Holder]] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, place: Place, session: Session, holder: Holder) -> None:
        """The session was saved there for the first time."""
        data = session.session_data
        if data is None:
            return
        with self._lock:
            # The data are kept too, so that no others have their identity.
            self._known[place, id(data)] = (data, holder)
            if len(self._known) > self._size:
                self._known.popitem(last=False)

    def find(self, place: Place, session: Session) -> Holder | None:
        """The holder for this session's data, if they were saved there before."""
        data = session.session_data
        if data is None or not self._known:
            return None
        with self._lock:
            return self._known.get((place, id(data)), (None, None))[1]


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
