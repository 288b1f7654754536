"""agno's features that ask for its own class by name: what they say to a router, and what to pass instead.

Each test is a row of `docs/agno-features.md`; PgVector and page knowledge are in `test_vectors.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agno.agent import Agent
from agno.db.base import SessionType
from agno.db.postgres import PostgresDb
from agno.db.sqlite import SqliteDb
from agno.fs import FileSystem
from agno.offload import ResultStore
from agno.os import AgentOS
from agno.os.public import PublicSurface
from agno.sandbox.postgres import _SandboxStore
from agno.sandbox.postgres_checkpoints import PostgresCheckpointStore
from agno.tools import tool

from dbrouter import DbRouter
from dbrouter.backends.kernel.errors import RoutingError
from dbrouter.config import load
from dbrouter.testing.scripted_model import Call, Say, ScriptedModel
from scripts.servers import Server

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

MakeRouter = Callable[[], DbRouter]

ON = pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.backend("postgres"))])
ON_POSTGRES = pytest.mark.parametrize("kind", [pytest.param("postgres", marks=pytest.mark.backend("postgres"))])


@pytest.fixture
def router(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A router over one database whose sessions are in a table of another name, and one in memory."""
    if kind == "sqlite":
        entry = f"kind: sqlite, path: {tmp_path / 'primary.db'}"
    else:
        server: Server = request.getfixturevalue("postgres")
        entry = f"kind: postgres, url: '{server.url}', schema: {request.getfixturevalue('postgres_schema')}"
    file = tmp_path / "dbrouter.yaml"
    file.write_text(
        "id: live\ndatabases:\n"
        f"  primary: {{{entry}, tables: {{sessions: my_sessions}}}}\n"
        "  memory: {kind: memory}\n"
        "agentos: {db: primary}\n"
    )
    db = DbRouter.from_yaml(file)
    yield db
    db.close()


@pytest.fixture
def own(router: DbRouter) -> Iterator[Any]:
    """agno's own class, as the router hands it out."""
    db = router.agno_db("primary")
    yield db
    db.close()


@ON
def test_the_router_hands_out_agnos_own_class_over_the_same_rows(router: Any, own: Any, kind: str) -> None:
    assert type(own) is (SqliteDb if kind == "sqlite" else PostgresDb)
    assert own.id != router.id
    Agent(id="desk", model=ScriptedModel(), db=router).run("hi", session_id="s")
    found = own.get_session("s", session_type=SessionType.AGENT)
    assert [run.content for run in found.runs] == ["You said: hi"]
    assert own.session_table_name == "my_sessions"


@ON
def test_a_database_that_agno_does_not_have_these_features_on_is_refused(router: Any) -> None:
    with pytest.raises(RoutingError, match="memory is of kind memory, and agno has these features on postgres and"):
        router.agno_db("memory")


def _of_tenants(folder: Path) -> Path:
    file = folder / "dbrouter.yaml"
    file.write_text(
        "id: live\ndatabases: {primary: {kind: sqlite, path: primary.db}}\nagentos: {db: primary}\n"
        "tenancy: {resolve: [binding]}\ntenants: {acme: {isolation: rows}}\n"
    )
    return file


def test_where_there_are_tenants_agnos_class_is_not_handed_out(tmp_path: Path) -> None:
    db = DbRouter.from_settings(load(_of_tenants(tmp_path)))
    with pytest.raises(RoutingError, match="sees the rows of every tenant"):
        db.agno_db("primary")
    db.close()


@ON
def test_files_are_kept_beside_the_sessions_by_an_engine_of_agnos(router: Any, own: Any) -> None:
    agent = Agent(id="desk", model=ScriptedModel(), db=router, filesystem=True)
    assert agent.run("hi", session_id="s").content == "You said: hi"
    FileSystem(router).write("notes/a.md", "kept")
    assert FileSystem(own).read("notes/a.md") == "kept"
    assert router.bind(agent="desk").db_engine is router.db_engine
    router.close()
    assert FileSystem(router).read("notes/a.md") == "kept"


def test_where_there_are_tenants_there_is_no_engine_for_files(tmp_path: Path) -> None:
    db = DbRouter.from_settings(load(_of_tenants(tmp_path)))
    assert not hasattr(db, "db_engine")
    assert not hasattr(db.for_tenant("acme"), "db_engine")
    with pytest.raises(TypeError, match="Pass a SqliteDb/PostgresDb"):
        FileSystem(db)
    db.close()


@tool
def recite(name: str) -> str:
    """Recite something long."""
    return f"{name} " * 4_000


def reciting() -> ScriptedModel:
    return ScriptedModel.saying(Call(tool="recite", arguments={"name": "verse"}), Say(text="Done: {result}"))


@ON
def test_tool_results_are_offloaded_through_agnos_class_and_not_at_all_through_the_router(
    router: Any, own: Any, caplog: pytest.LogCaptureFixture
) -> None:
    off = Agent(id="desk", model=reciting(), db=router, tools=[recite], offload_tool_results=True)
    whole = off.run("go", session_id="off")
    assert "verse verse" in str(whole.tools[0].result)
    assert own.get_tool_results_for_session("off") == []

    store = ResultStore(db=own)
    on = Agent(id="desk", model=reciting(), db=router, tools=[recite], offload_tool_results=store)
    on.run("go", session_id="on")
    (kept,) = own.get_tool_results_for_session("on")
    assert kept["tool_name"] == "recite"
    assert kept["size_bytes"] > 20_000
    # The session is the router's all the same.
    assert router.get_session("on", session_type=SessionType.AGENT) is not None


@ON_POSTGRES
def test_sandboxes_and_their_checkpoints_take_agnos_class_only(router: Any, own: Any) -> None:
    with pytest.raises(TypeError, match="requires PostgresDb"):
        _SandboxStore(router)
    with pytest.raises(TypeError, match="requires PostgresDb"):
        PostgresCheckpointStore(router)
    assert _SandboxStore(own).db is own
    assert PostgresCheckpointStore(own).db is own


@ON_POSTGRES
def test_the_public_surface_wants_an_agentos_on_agnos_class(router: Any, own: Any) -> None:
    def public(db: Any) -> AgentOS:
        agent = Agent(id="desk", model=ScriptedModel(), db=db)
        return AgentOS(id="public-os", agents=[agent], db=db, public=PublicSurface(agents=[agent]))

    with pytest.raises(ValueError, match="requires a synchronous PostgreSQL AgentOS db"):
        public(router).get_app()
    assert public(own).get_app() is not None
