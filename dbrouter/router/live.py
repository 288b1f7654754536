"""The routers in this process, by id: what agno's stored configurations, which hold no secrets, are matched with."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from dbrouter.backends.kernel.errors import RoutingError
from dbrouter.backends.kernel.forking import lock

_LIVE: WeakValueDictionary[tuple[type, str], Any] = WeakValueDictionary()
_LOCK = lock()


def register(kind: type, id_: str, db: object) -> None:
    """Let `found` answer this db. A later one of the same kind and id takes its place."""
    with _LOCK:
        _LIVE[kind, id_] = db


def find(kind: type, id_: object) -> Any | None:
    """The live db of this kind and id, or `None`."""
    kind = getattr(kind, "_made_from", kind)
    with _LOCK:
        return _LIVE.get((kind, id_)) if isinstance(id_, str) else None


def found(kind: type, id_: object) -> Any:
    """The live db of this kind and id. `RoutingError` if there is none."""
    db = find(kind, id_)
    if db is None:
        raise RoutingError(
            f"no {kind.__name__} with the id {id_!r} is open; a stored configuration holds no addresses and no "
            f"passwords, so open it first: {kind.__name__}.from_yaml(...)"
        )
    return db
