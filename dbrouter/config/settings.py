"""What a configuration says, validated: the model of `dbrouter.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr

from dbrouter.backends.agno.settings import AgnoSettings
from dbrouter.backends.dynamo.settings import DynamoSettings
from dbrouter.backends.firestore.settings import FirestoreSettings
from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.memory.settings import MemorySettings
from dbrouter.backends.mongo.settings import MongoSettings
from dbrouter.backends.mysql.settings import MySqlSettings
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.postgres.settings import PostgresSettings
from dbrouter.backends.redis.settings import RedisSettings
from dbrouter.backends.settings import Part
from dbrouter.backends.singlestore.settings import SingleStoreSettings
from dbrouter.backends.sqlite.settings import SqliteSettings
from dbrouter.config.committing import unserved
from dbrouter.config.names import DatabaseName, Family
from dbrouter.config.tenancy_settings import TenancySettings, Tenants, TenantSettings
from dbrouter.config.tenants import rules_of, tenants_of
from dbrouter.router.tenancy.description import CatalogTable, Described, Tenancy, TenantsSource

Database = Annotated[
    MemorySettings
    | SqliteSettings
    | ObjectsSettings
    | PostgresSettings
    | MySqlSettings
    | SingleStoreSettings
    | MongoSettings
    | RedisSettings
    | FirestoreSettings
    | AgnoSettings
    | DynamoSettings,
    Field(discriminator="kind"),
]
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
    """Rows that may wait. Beyond it the oldest traces are dropped and counted."""


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

    tenancy_said: TenancySettings | None = Field(default=None, alias="tenancy")
    """How a call's tenant is found, and what holds for all tenants."""
    tenants_said: Tenants = Field(default_factory=dict[str, TenantSettings], alias="tenants")
    """Tenant -> how and where its rows are kept apart. Any text is a name; quote what is no plain word. `"*"` says
    what holds for tenants that say nothing else."""

    _source: TenantsSource | None = PrivateAttr(default=None)
    _places: dict[tuple[str, ...], str] = PrivateAttr(default_factory=dict[tuple[str, ...], str])

    def located(self, places: Mapping[tuple[str, ...], str]) -> Self:
        """These settings, which now know the file and line of each of their keys."""
        self._places.update(places)
        return self

    def described_by(self, source: TenantsSource) -> Self:
        """These settings, whose tenants can be read again from this source."""
        self._source = source
        return self

    @property
    def tenancy(self) -> Tenancy | None:
        """Everything that is said about tenants; `None` if nothing is. `ConfigError` if nobody has checked it."""
        if self.tenancy_said is None and not self.tenants_said:
            return None
        if self._source is None:
            raise ConfigError("settings with tenants must be checked; make them with load or load_mapping")
        said = self.tenancy_said or TenancySettings()
        tenants, others = tenants_of(said, self.tenants_said, self.where)
        table = said.catalog
        return Tenancy(
            rules=rules_of(said),
            described=Described(tenants=tenants, others=others),
            source=self._source,
            table=None if table is None else CatalogTable(db=table.db, poll=table.poll),
            open_databases=said.open_databases,
            processes=said.processes,
        )

    @property
    def unserved(self) -> frozenset[str]:
        """Families of the whole deployment that its default database cannot hold."""
        return unserved(self)

    def where(self, *path: str) -> str:
        """The file and line of the key at this path, or "" if it came from no file."""
        return self._places.get(path, "")

    def shown(self) -> dict[str, Any]:
        """The configuration for people: passwords as `***`, what is not given left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
