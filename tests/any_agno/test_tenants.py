"""Tenants and agno databases: one can be a tenant's own, or hold what belongs to everybody; nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dbrouter import ALL, AsyncDbRouter, DbRouter, tenant
from dbrouter.backends.kernel.errors import ConfigError, MissingTenant, Unsupported
from dbrouter.config import load_mapping
from dbrouter.router.agno_types import AgentSession, KnowledgeRow, RunOutput, UserMemory
from dbrouter.router.routes import SERVED
from tests.any_agno.routers import agno
from tests.any_agno.test_implemented import KNOWN
from tests.families.trace_samples import span, trace


def lacking(path: str) -> list[str]:
    """The families that a class of agno's cannot serve."""
    return [family for family in SERVED if family not in KNOWN[path]]


def said(folder: Path, **rest: Any) -> dict[str, Any]:
    """Tenants in tables of ours, one of them in an agno database of its own; knowledge of agno's for all of them."""
    return {
        "databases": {
            "primary": {"kind": "memory"},
            "silo": agno("json.JsonDb", db_path=str(folder / "silo")),
            "schedules": {"kind": "memory"},
            "library": agno("sqlite.SqliteDb", db_file=str(folder / "library.db")),
        },
        "agentos": {"db": "primary", "families": {"knowledge": "library"}},
        "tenants": {
            "acme": {
                "db": "silo",
                "isolation": "database",
                "families": dict.fromkeys(lacking("json.JsonDb"), "schedules"),
            },
            "*": {"isolation": "rows"},
            "globex": {},
        },
        "tenancy": {"shared": ["knowledge"]},
        **rest,
    }


def session(session_id: str, text: str) -> AgentSession:
    return AgentSession(session_id=session_id, agent_id="a", user_id="u", session_data={"of": text}, created_at=1)


def silo(db: Any) -> Any:
    """The object of agno's class that is one tenant's."""
    store = db.database("silo")
    return getattr(store, "inner", store).methods.instances.here()


def test_each_tenant_has_its_own_rows(tmp_path: Path) -> None:
    db = DbRouter.from_settings(load_mapping(said(tmp_path)))
    acme, globex = db.for_tenant("acme"), db.for_tenant("globex")
    for view, name in ((acme, "acme"), (globex, "globex")):
        view.upsert_session(session("s", name))
        view.upsert_run(RunOutput(run_id="r", agent_id="a", session_id="s"), session_id="s")
        view.upsert_user_memory(UserMemory(memory=name, memory_id="m", user_id="u"))
        view.upsert_trace(trace("t", session_id=name))
        view.create_spans([span("1", "t")])
    for view, name in ((acme, "acme"), (globex, "globex")):
        found = view.get_session("s")
        assert found is not None
        assert found.session_data == {"of": name}
        assert [each.memory for each in view.get_user_memories()] == [name]
        assert view.get_trace("t").session_id == name  # type: ignore[union-attr]
        assert len(view.get_spans("t")) == 1
        # agno's JsonDb does not bring them up to date when it is asked.
        view.calculate_metrics()
        [row], _ = view.get_metrics()
        assert row["agent_sessions_count"] == 1
        view.create_approval(
            {"id": "p", "run_id": "r", "session_id": "s", "status": "pending", "source_type": name, "pause_type": "x"}
        )
        assert view.get_approval("p")["source_type"] == name  # type: ignore[index]
    assert [each.session_data for each in silo(db).get_sessions()] == [{"of": "acme"}]
    assert [each.memory for each in silo(db).get_user_memories()] == ["acme"]
    db.close()


def test_the_context_says_whose_a_call_is(tmp_path: Path) -> None:
    db = DbRouter.from_settings(load_mapping(said(tmp_path)))
    with tenant("acme"):
        db.upsert_session(session("s", "acme"))
        assert db.get_session("s") is not None
    with tenant("globex"):
        assert db.get_session("s") is None
    with pytest.raises(MissingTenant):
        db.get_session("s")
    db.close()


def test_users_say_whose_a_call_is_also_where_the_row_names_them(tmp_path: Path) -> None:
    tenancy = {"user_id": "{tenant}:{user}", "shared": ["knowledge"]}
    db = DbRouter.from_settings(load_mapping(said(tmp_path, tenancy=tenancy)))
    for name in ("acme", "globex"):
        db.upsert_user_memory(UserMemory(memory=name, memory_id="m", user_id=f"{name}:ann"))
    assert [each.memory for each in silo(db).get_user_memories()] == ["acme"]
    assert [each.memory for each in db.get_user_memories(user_id="globex:ann")] == ["globex"]
    assert db.get_user_memory("m", user_id="acme:ann").memory == "acme"  # type: ignore[union-attr]
    db.close()


def test_what_is_shared_is_everybodys(tmp_path: Path) -> None:
    db = DbRouter.from_settings(load_mapping(said(tmp_path)))
    db.for_tenant("acme").upsert_knowledge_content(KnowledgeRow(id="k", name="k", description="k"))
    assert [each.id for each in db.for_tenant("globex").get_knowledge_contents()[0]] == ["k"]
    assert [each.id for each in db.get_knowledge_contents()[0]] == ["k"]
    db.close()


def test_an_operators_view_does_not_leave_out_a_tenant_in_silence(tmp_path: Path) -> None:
    db = DbRouter.from_settings(load_mapping(said(tmp_path)))
    db.for_tenant("acme").upsert_user_memory(UserMemory(memory="x", user_id="u"))
    with pytest.raises(Unsupported, match="silo: Scan of memories cannot be asked of JsonDb"):
        db.for_tenant(ALL).get_user_memories()
    db.close()


def test_it_is_so_awaited_too(tmp_path: Path) -> None:
    async def play() -> None:
        db = AsyncDbRouter.from_settings(load_mapping(said(tmp_path)))
        for name in ("acme", "globex"):
            await db.for_tenant(name).upsert_session(session("s", name))
        found = await db.for_tenant("acme").get_session("s")
        assert found is not None
        assert found.session_data == {"of": "acme"}
        assert len(silo(db).get_sessions()) == 1
        await db.close()

    asyncio.run(play())


def refused(settings: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        load_mapping(settings)
    return str(caught.value)


@pytest.mark.parametrize("isolation", ["rows", "schema"])
def test_tenants_cannot_share_one(tmp_path: Path, isolation: str) -> None:
    settings = said(tmp_path)
    settings["tenants"]["acme"]["isolation"] = isolation
    told = refused(settings)
    assert f"tenants cannot be kept apart by {isolation} in 'silo' (agno); choose a database of its own (db)" in told


def test_everybodys_rows_cannot_be_there_while_tenants_are_told_apart_by_rows(tmp_path: Path) -> None:
    settings = said(tmp_path)
    settings["agentos"]["families"]["memories"] = "library"
    assert "tenants cannot be kept apart by rows in 'library' (agno)" in refused(settings)


def test_schedules_and_jobs_of_one_tenant_cannot_be_claimed_there(tmp_path: Path) -> None:
    settings = said(tmp_path)
    settings["databases"]["silo"] = agno("postgres.PostgresDb", db_url="postgresql+psycopg://h/d")
    del settings["tenants"]["acme"]["families"]
    told = refused(settings)
    assert "tenants.acme.db: schedules, jobs are claimed for all tenants at once, and 'silo' (agno) knows one" in told
    keys = "tenants.acme.families.schedules, tenants.acme.families.jobs"
    assert f"write {keys}, with a database of another kind" in told


def test_nobody_counts_what_is_stored_there(tmp_path: Path) -> None:
    settings = said(tmp_path)
    settings["tenants"]["acme"]["limits"] = {"rows": {"memories": 10}}
    assert "nobody counts what is stored in 'silo' (agno): memories cannot be limited" in refused(settings)


@pytest.mark.parametrize("key", [{"catalog": {"db": "library"}}, {"limits_db": "library"}])
def test_our_own_tables_cannot_be_there(tmp_path: Path, key: dict[str, Any]) -> None:
    settings = said(tmp_path, tenancy={"shared": ["knowledge"], **key})
    assert "'library' is asked by agno's methods, and none of them is for this" in refused(settings)
