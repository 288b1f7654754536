"""What a configuration says, validated: the model of `dbrouter.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, WithJsonSchema

from dbrouter.backends.kernel.agno_tables import FAMILIES, TABLES
from dbrouter.backends.memory.settings import MemorySettings
from dbrouter.backends.postgres.settings import PostgresSettings
from dbrouter.backends.settings import Part, meant, refusal
from dbrouter.backends.sqlite.settings import SqliteSettings
from dbrouter.router.routes import SCHEMA_VERSIONS, SERVED, leader_of

ROUTABLE: tuple[str, ...] = tuple(family for family in FAMILIES if family != SCHEMA_VERSIONS)
"""Families that a configuration can name. Not all are served by this version (`SERVED`)."""


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
    if name in ROUTABLE:
        raise refusal(
            f"this version of dbrouter does not serve {name}", f"remove the line; it serves {', '.join(SERVED)}"
        )
    raise refusal(f"there is no family {name!r}", meant(name, SERVED))


def _one(table: str) -> str:
    return table.removesuffix("s")


Family = Annotated[str, AfterValidator(_family), WithJsonSchema({"type": "string", "enum": list(SERVED)})]
"""A family that can be routed."""

DatabaseName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
"""The name of a database: letters, digits, `-` and `_`."""

Database = Annotated[MemorySettings | SqliteSettings | PostgresSettings, Field(discriminator="kind")]
"""A configured database."""


class ComponentRoutes(Part):
    """Where the rows of one agent, team or workflow go, where that differs from the deployment's defaults."""

    db: DatabaseName | None = None
    """The database for everything of this component."""
    families: dict[Family, DatabaseName] = Field(default_factory=dict[str, str])
    """Family -> database, for this component only. Stronger than its `db`."""


class AgentOSRoutes(Part):
    """The defaults of the whole deployment."""

    db: DatabaseName | None = None
    """The database for every family that nothing more specific names. Without it, families not named are not served."""
    trace_db: DatabaseName | None = None
    """The database for traces and their spans; the same as `families.traces`."""
    eval_db: DatabaseName | None = None
    """The database for evals; the same as `families.evals`."""
    families: dict[Family, DatabaseName] = Field(default_factory=dict[str, str])
    """Family -> database. Stronger than `db`."""


class TraceSettings(Part):
    """How traces are written."""

    buffer: bool = True
    """Whether traces and spans are collected and written in batches, off the thread that made them."""
    max_delay_ms: Annotated[int, Field(ge=0)] = 200
    """Milliseconds a trace may wait for its batch."""
    max_rows: Annotated[int, Field(ge=1)] = 10_000
    """Rows that may wait. What comes on top is dropped and counted."""


class SessionStateSettings(Part):
    """What happens when two writers save one session."""

    on_conflict: Literal["merge", "last_writer", "raise"] = "merge"
    """`merge` keeps the changes of both: keys are merged, numbers add up, lists that both appended to keep both ends;
    where both changed one text, this writer's stays. `raise` merges too, but raises `Conflict` there. `last_writer`
    stores this writer's state as it is, as agno does."""


class Settings(Part):
    """A whole configuration. `dbrouter.config.load` makes it from a file, with every reference resolved."""

    id: Annotated[str, Field(min_length=1)] = "dbrouter"
    """The one id that agno sees. Keep it: agno's links and stored configurations carry it."""
    databases: Annotated[dict[DatabaseName, Database], Field(min_length=1)]
    """Name -> database."""
    agentos: AgentOSRoutes
    """The defaults of the whole deployment. They must name a database for `sessions`."""
    agents: dict[str, ComponentRoutes] = Field(default_factory=dict[str, ComponentRoutes])
    """Agent id -> its own routes."""
    teams: dict[str, ComponentRoutes] = Field(default_factory=dict[str, ComponentRoutes])
    """Team id -> its own routes."""
    workflows: dict[str, ComponentRoutes] = Field(default_factory=dict[str, ComponentRoutes])
    """Workflow id -> its own routes."""
    traces: TraceSettings = TraceSettings()
    """How traces are written."""
    session_state: SessionStateSettings = SessionStateSettings()
    """What happens when two writers save one session."""

    _places: dict[tuple[str, ...], str] = PrivateAttr(default_factory=dict[tuple[str, ...], str])

    def located(self, places: Mapping[tuple[str, ...], str]) -> Self:
        """These settings, which now know the file and line of each of their keys."""
        self._places.update(places)
        return self

    def where(self, *path: str) -> str:
        """The file and line of the key at this path, or "" if it came from no file."""
        return self._places.get(path, "")

    def shown(self) -> dict[str, Any]:
        """The configuration for people: passwords as `***`, what is not given left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
