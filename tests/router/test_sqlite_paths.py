"""SQLite files whose names hold what means something else in a URL."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from agno.session import AgentSession

from dbrouter import DbRouter
from dbrouter.backends import SqliteDb
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.sqlite.store import AsyncSqliteStore, SqliteStore

NAMES = ["t?1.db", "a%25b.db", "a%b.db", "a#b.db", "x y.db", "é&=+.db", "mode=memory.db", "a?uri=true.db"]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_the_file_that_is_opened(tmp_path: Path, name: str) -> None:
    store = SqliteStore(tmp_path / "one" / name)
    finish(store.create_tables(("sessions",)))
    finish(store.close())
    asyncio.run(_opened(tmp_path / "two" / name))
    for folder in ("one", "two"):
        assert name in {each.name for each in (tmp_path / folder).iterdir()}


async def _opened(path: Path) -> None:
    store = AsyncSqliteStore(path)
    await store.create_tables(("sessions",))
    await store.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_tenants_file_is_beside_it(tmp_path: Path, name: str) -> None:
    store = SqliteStore(tmp_path / name)
    tenant = store.in_namespace("acme")
    finish(tenant.create_tables(("sessions",)))
    finish(store.close())
    assert [each.name for each in tmp_path.iterdir()] == [f"{name}.tenants"]
    assert any("acme" in each.name for each in (tmp_path / f"{name}.tenants").rglob("*"))


def test_two_databases_of_a_configuration_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "dbrouter.yaml").write_text(
        'databases:\n  a: {kind: sqlite, path: "t?1.db"}\n  b: {kind: sqlite, path: "t?2.db"}\n'
        "agentos: {db: a}\nagents: {two: {db: b}}\n"
    )
    db = DbRouter.from_yaml(tmp_path / "dbrouter.yaml")
    for number, agent in enumerate(("one", "two")):
        db.upsert_session(AgentSession(session_id=f"s{number}", agent_id=agent, session_data={}))
    db.close()
    for name, number in (("t?1.db", 0), ("t?2.db", 1)):
        alone = SqliteDb(db_file=str(tmp_path / name))
        assert alone.get_session(f"s{number}") is not None
        assert alone.get_session(f"s{1 - number}") is None
        alone.close()
