"""Which family a kind of database can hold, decided at load and not at call."""

from __future__ import annotations

from collections.abc import Mapping

from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.router.routes import SERVED

KINDS: tuple[str, ...] = (
    "memory",
    "sqlite",
    "postgres",
    "mysql",
    "singlestore",
    "mongo",
    "redis",
    "agno",
    "dynamo",
    "firestore",
    "objects",
)
"""The kinds of database of this version."""


def capable(kind: str, family: str) -> str | None:
    """Nothing if a database of this kind can hold the family, else the reason why it cannot."""
    if kind not in KINDS:
        return f"{kind} is not a kind of database of this version"
    if family not in SERVED:
        return f"this version of dbrouter does not serve {family}"
    # Those with drivers commit several records atomically, which is the most that a served family asks for. What an
    # agno database can hold depends on its class (`agno_checks.py`).
    return None


ISOLATIONS: Mapping[str, frozenset[Isolation]] = {
    "memory": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
    "sqlite": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
    "postgres": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
    "mysql": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
    "singlestore": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
    "mongo": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
    "redis": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
    "firestore": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
    "agno": frozenset(),
    "dynamo": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
    "objects": frozenset({Isolation.SCHEMA, Isolation.ROWS}),
}
"""Kind -> how tenants can be kept apart in one database of it, as the `Capabilities` of its stores say."""


def isolates(kind: str, isolation: Isolation) -> bool:
    """Whether tenants can be kept apart like this where a database of this kind holds them."""
    return isolation is Isolation.DATABASE or isolation in ISOLATIONS.get(kind, frozenset())
