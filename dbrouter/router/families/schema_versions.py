"""Which schema version each table was created or migrated to."""

from __future__ import annotations

from datetime import datetime

from dbrouter.backends.kernel.merging import Keep, Replace
from dbrouter.backends.kernel.ops import Get, Upsert
from dbrouter.router.families.context import Context

VERSIONS = "versions"

UNSTAMPED = "2.0.0"
"""agno's word for a table without a stamp. Its migrations skip a table whose version is `None`."""

ON_CONFLICT = {"version": Replace(), "updated_at": Replace(), "created_at": Keep()}


class SchemaVersions:
    """Reads and writes version stamps."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def get_latest_schema_version(self, table_name: str) -> str:
        """The version stamped on this table, or "2.0.0" if none is."""
        stamp = await self._store.execute(Get(table=VERSIONS, key=(table_name,)))
        return UNSTAMPED if stamp is None else stamp.record["version"] or UNSTAMPED

    async def upsert_schema_version(self, table_name: str, version: str) -> None:
        """Stamp this table. The first stamp's time is kept as `created_at`."""
        # agno writes these two columns, alone among its ISO columns, in naive local time.
        now = datetime.fromtimestamp(self._now()).isoformat()  # noqa: DTZ006
        stamp = {"table_name": table_name, "version": version, "created_at": now, "updated_at": now}
        await self._store.execute(Upsert(table=VERSIONS, records=(stamp,), rules=ON_CONFLICT, returning=False))
