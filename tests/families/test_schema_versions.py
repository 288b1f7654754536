"""Version stamps."""

from __future__ import annotations

from dbrouter.backends.kernel.ops import Get
from dbrouter.backends.kernel.store import Store
from dbrouter.router.families.context import Context
from dbrouter.router.families.schema_versions import SchemaVersions


async def test_a_table_without_a_stamp_has_the_first_version(store: Store) -> None:
    assert await SchemaVersions(Context(store)).get_latest_schema_version("agno_sessions") == "2.0.0"


async def test_a_new_stamp_replaces_the_version_and_keeps_the_first_time(store: Store) -> None:
    await SchemaVersions(Context(store, now=lambda: 100)).upsert_schema_version("agno_sessions", "2.5.6")
    versions = SchemaVersions(Context(store, now=lambda: 160))
    await versions.upsert_schema_version("agno_sessions", "3.0.0")
    await versions.upsert_schema_version("agno_runs", "2.5.0")
    assert await versions.get_latest_schema_version("agno_sessions") == "3.0.0"
    assert await versions.get_latest_schema_version("agno_runs") == "2.5.0"
    stored = await store.execute(Get(table="versions", key=("agno_sessions",)))
    assert stored is not None
    assert stored.record["created_at"] < stored.record["updated_at"]
    assert stored.record["created_at"].startswith(("1970-01-01T", "1969-12-31T"))
