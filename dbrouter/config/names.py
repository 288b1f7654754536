"""The names that a configuration may use: families that are served, and what a database can be called."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.settings import meant, refusal
from dbrouter.router.routes import SCHEMA_VERSIONS, SERVED, leader_of


def _family(name: str) -> str:
    if name in SERVED:
        return name
    leader = leader_of(name)
    if SCHEMA_VERSIONS in (name, leader):
        raise refusal("schema versions live beside the tables they describe and are not routed", "remove the line")
    if leader is not None:
        spec = TABLES[name]
        first = f"{name} follow their {_one(spec.leader)}" if spec.leader else f"{name} belong to {leader}"
        raise refusal(first, f"route `{leader}`")
    raise refusal(f"there is no family {name!r}", meant(name, SERVED))


def _one(table: str) -> str:
    return table.removesuffix("s")


Family = Annotated[str, AfterValidator(_family), WithJsonSchema({"type": "string", "enum": list(SERVED)})]
"""A family that can be routed."""

DatabaseName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
"""The name of a database: letters, digits, `-` and `_`."""
