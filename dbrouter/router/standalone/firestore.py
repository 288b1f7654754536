"""A Firestore database as an agno db."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack, cast

from dbrouter.backends.firestore.settings import DATABASE, ROOT
from dbrouter.backends.firestore.store import AsyncFirestoreStore, FirestoreStore
from dbrouter.backends.firestore.target import Target
from dbrouter.router.agno_types import generate_id
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.tables import TableNames, physical_names, table_names_in
from dbrouter.router.sync_db import SyncDb

if TYPE_CHECKING:
    from google.cloud.firestore import AsyncClient, Client  # pyright: ignore[reportMissingTypeStubs]


class Names(TableNames, total=False):
    """What tables are called: `session_collection` ... as agno's class for Firestore has it, else as its others do."""

    session_collection: str | None
    runs_collection: str | None
    memory_collection: str | None
    metrics_collection: str | None
    eval_collection: str | None
    knowledge_collection: str | None
    traces_collection: str | None
    spans_collection: str | None


class FirestoreDb(SyncDb):
    """A Firestore database. All is kept below the collection `root`: what agno's class wrote is not touched or seen."""

    def __init__(
        self,
        db_client: Client | None = None,
        project_id: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        database: str = DATABASE,
        root: str = ROOT,
        credentials: Any = None,
        emulator_host: str | None = None,
        **names: Unpack[Names],
    ) -> None:
        """Use the project, database and credentials of `db_client`, else those given; nothing is sent before a call.

        credentials: an object of Google's, or a key as JSON text; else what the environment has. emulator_host:
        `host:port`; else `FIRESTORE_EMULATOR_HOST`. Without an `id`, the same project gives the same one, and the one
        that agno's class gives it.
        """
        target = _target(db_client, project_id, database, credentials, emulator_host)
        self.project_id = project_id
        self.db_client = db_client
        store = FirestoreStore(target, root=root, tables=_physical_names(names))
        super().__init__(store, id=id or generate_id(project_id or str(db_client)))

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component; no credentials."""
        return {**super().to_dict(), "project_id": self.project_id, "type": "firestore"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FirestoreDb:
        """Open what `to_dict` described, with the environment's credentials."""
        return cls(None, data.get("project_id"), id=data.get("id"), **table_names_in(data))


class AsyncFirestoreDb(AsyncDb):
    """The same from event loops, through gRPC's own coroutines. agno has none."""

    def __init__(
        self,
        db_client: Client | AsyncClient | None = None,
        project_id: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        database: str = DATABASE,
        root: str = ROOT,
        credentials: Any = None,
        emulator_host: str | None = None,
        **names: Unpack[Names],
    ) -> None:
        """Arguments as above; of a `db_client` only the project, database and credentials are used."""
        target = _target(db_client, project_id, database, credentials, emulator_host)
        self.project_id = project_id
        self.db_client = db_client
        tables = _physical_names(names)
        super().__init__(
            AsyncFirestoreStore(target, root=root, tables=tables),
            id=id or generate_id(project_id or str(db_client)),
            blocking=lambda: Opened.alone(FirestoreStore(target, root=root, tables=tables)),
        )

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component; no credentials."""
        return {**super().to_dict(), "project_id": self.project_id, "type": "async_firestore"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncFirestoreDb:
        """Open what `to_dict` described, with the environment's credentials."""
        return cls(None, data.get("project_id"), id=data.get("id"), **table_names_in(data))


def _target(
    db_client: Any, project_id: str | None, database: str, credentials: Any, emulator_host: str | None
) -> Target:
    if db_client is not None:
        return Target.of_client(db_client)
    if project_id is None:
        raise ValueError("One of project_id or db_client must be provided")
    target = Target(project=project_id, database=database, credentials=credentials)
    return target if emulator_host is None else target.at_emulator(emulator_host)


def _physical_names(names: Names) -> dict[str, str]:
    given = {
        f"{name.removesuffix('_collection')}_table" if name.endswith("_collection") else name: value
        for name, value in names.items()
    }
    return physical_names(cast("TableNames", given))
