"""What a session object was read as: the base that a later save merges against.

The origin rides on the session object itself, so copies carry it, threads cannot mix it up and it goes when the
object goes. agno's `to_dict` writes declared fields only and never sees it.

It is about the data, and several objects may have the same. Shallow copies do: agno's teams save such a copy of a
session that they go on with. So the object carries a holder, which shallow copies share too; a deep copy has data, and
a holder, of its own. And the sessions of a workflow and of an agent within it are one row with one `session_state`:
`LastSaves` knows.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from dbrouter.backends.kernel.codec import decode
from dbrouter.backends.kernel.forking import lock
from dbrouter.backends.kernel.ops import Absent, Version
from dbrouter.router.agno_types import Session
from dbrouter.router.families.context import Place
from dbrouter.router.families.session_rows import TYPES

ATTRIBUTE = "_dbrouter_origin"
_moments = itertools.count()
BEFORE_ALL = -1


@dataclass(frozen=True, slots=True)
class Origin:
    """A session's data when this object last met the database.

    own: the object's own data then, as text. seen: what was stored then, as text (the same unless a merge took place).
    kind: of what session the stored record is; the object may be of another. version: the stored record's version then;
    `None` if it was not told. place: where it was read. at: a number that is larger for what was read or saved later.
    """

    session_id: str
    own: str | None
    seen: str | None
    kind: str
    version: Version | Absent | None
    place: Place
    at: int = field(default_factory=_moments.__next__, compare=False)

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
    """What the object carries of this session; nothing, if it was read as another one."""
    found = getattr(session, ATTRIBUTE, None)
    return found if isinstance(found, Holder) and found.origin.session_id == session.session_id else None


def origin_of(session: Session, place: Place) -> Origin | None:
    """The session's origin, or `None` if this object never met the database (a session copied from another one)."""
    holder = holder_of(session)
    return holder.origin if holder is not None and holder.origin.place == place else None


def remember(session: Session, origin: Origin) -> Holder:
    """Set the origin of the session's data."""
    holder = holder_of(session)
    if holder is None or holder.origin.place != origin.place:
        # Not into one that belongs to another session, or to another place: others may go on with that.
        holder = Holder(origin)
        hold(session, holder)
    else:
        holder.origin = origin
    return holder


def hold(session: Session, holder: Holder) -> None:
    """Have the session carry this one."""
    setattr(session, ATTRIBUTE, holder)


class LastSaves:
    """What was last saved of data that other objects may have too, bounded.

    Data are known by their identity, and kept, so that no others have it.
    """

    def __init__(self, size: int = 512) -> None:
        self._size = size
        self._known: OrderedDict[Hashable, tuple[Any, Holder, Origin]] = OrderedDict()
        self._lock = lock()

    def note(self, place: Place, session: Session, holder: Holder) -> None:
        """The session was saved there."""
        for key, data in ((_as_copy(place, session), _copied(session)), (_as_state(place, session), _state(session))):
            if key is not None:
                with self._lock:
                    self._known[key] = (data, holder, holder.origin)
                    self._known.move_to_end(key)
                    if len(self._known) > self._size:
                        self._known.popitem(last=False)

    def holder(self, place: Place, session: Session) -> Holder | None:
        """The holder for a session that carries none: it may be what a shallow copy that was saved is a copy of."""
        found = self._found(_as_copy(place, session))
        return None if found is None else found[1]

    def newer(self, place: Place, session: Session, origin: Origin) -> Origin | None:
        """What another object has saved since of this session's state, which it shares."""
        found = self._found(_as_state(place, session))
        return found[2] if found is not None and found[2].at > origin.at else None

    def _found(self, key: Hashable | None) -> tuple[Any, Holder, Origin] | None:
        if key is None or not self._known:
            return None
        with self._lock:
            return self._known.get(key)


def _copied(session: Session) -> tuple[Any, Any]:
    """What a shallow copy has in common with what it was made of, and no session that somebody built from parts."""
    named = next(name for kind, name in TYPES if isinstance(session, kind))
    return session.session_data, getattr(session, f"{named}_data")


def _as_copy(place: Place, session: Session) -> Hashable | None:
    data, about = _copied(session)
    return None if data is None or about is None else (place, session.session_id, id(data), id(about))


def _state(session: Session) -> Any:
    return (session.session_data or {}).get("session_state")


def _as_state(place: Place, session: Session) -> Hashable | None:
    state = _state(session)
    return (place, session.session_id, id(state)) if isinstance(state, dict) else None


class Absences:
    """Who has just been told that a session does not exist, bounded.

    Two writers that both find no session and both create it would lose one's state: there is no object to carry an
    origin. A caller that was told "none" and then saves merges against nothing instead of overwriting.
    """

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._told: OrderedDict[tuple[Place, str, tuple[int, int]], None] = OrderedDict()
        self._lock = lock()

    def tell(self, place: Place, session_id: str, caller: tuple[int, int]) -> None:
        """The caller was told that there is no such session there."""
        with self._lock:
            self._told[place, session_id, caller] = None
            if len(self._told) > self._size:
                self._told.popitem(last=False)

    def found(self, place: Place, session_id: str, caller: tuple[int, int]) -> None:
        """The caller has found the session since: what it saves is not the first of it."""
        self.take(place, session_id, caller)

    def take(self, place: Place, session_id: str, caller: tuple[int, int]) -> bool:
        """Whether the caller was told so; asks once."""
        if not self._told:
            return False
        with self._lock:
            return self._told.pop((place, session_id, caller), 0) is None
