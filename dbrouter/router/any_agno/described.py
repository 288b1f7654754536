"""What an agno database can do, in words for people."""

from __future__ import annotations

from dbrouter.backends.kernel.store import Store
from dbrouter.router.any_agno.families import served_by, verdict
from dbrouter.router.any_agno.opening import OnALoop
from dbrouter.router.any_agno.store import AgnoStore


def described(store: Store) -> tuple[str, str] | None:
    """What the class of an agno database serves, and what it lacks of that; `None` for a database that is none."""
    inner = store.inner if isinstance(store, OnALoop) else store
    if not isinstance(inner, AgnoStore):
        return None
    families = served_by(inner.cls)
    without = sorted(name for family in families for name in verdict(inner.cls, family).without)
    return f"as {inner.cls.__name__}: {', '.join(families)}", f"without {', '.join(without)}" if without else "-"
