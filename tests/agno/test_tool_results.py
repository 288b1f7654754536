"""Results of tools that are too long for a conversation: put aside, read back, kept for a while, gone with the session."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from agno.db.base import BaseDb
from agno.db.postgres import PostgresDb
from agno.db.sqlite import SqliteDb
from agno.fs import FileSystem
from agno.fs.local import LocalFileSystem
from agno.offload import ResultStore
from agno.session import AgentSession

from dbrouter.testing.scripted_model import Call, Rule, Say, ScriptedModel
from tests.agno.cast import clerk
from tests.agno.conftest import ORACLE, ROUTERS, parameter
from tests.agno.live import Live, answer
from tests.agno.rest import serving

KEPT_IN = [(backend, mode) for backend in ("sqlite", "postgres") for mode in ("blocking", "async")]
LINES = 500
LONG = "\n".join(f"line {number}" + (" has the needle" if number == 321 else "") for number in range(LINES))


@pytest.fixture(params=[parameter(*each) for each in (*ROUTERS, ORACLE)])
def live(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A db with the entries of what was put aside."""
    return open_live(*request.param)


class Shelf:
    """A `ResultStore` whose texts are files, called as the mode has it."""

    def __init__(self, live: Live, root: Path, **options: Any) -> None:
        self._live = live
        self.files = root
        backend = LocalFileSystem(root=str(root))
        self.store = ResultStore(db=live.db, fs=FileSystem(backend=backend, namespace="tool-results"), **options)

    async def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the store, or its awaited twin."""
        name = method if self._live.blocking else f"a{method}"
        return await answer(getattr(self.store, name)(*arguments, **options))

    async def put(self, call: str, text: str = LONG, session: str = "s") -> Any:
        """Put a result aside."""
        return await self.call(
            "offload", session_id=session, run_id="r", tool_call_id=call, tool_name="read", tool_args={}, output=text
        )

    def texts(self) -> list[str]:
        """What the files hold."""
        return sorted(path.read_text().split("\n")[0] for path in self.files.rglob("*.txt"))


async def test_a_long_result_is_put_aside_and_read_page_by_page(live: Live, tmp_path: Path) -> None:
    shelf = Shelf(live, tmp_path / "texts")
    kept = await shelf.put("c1")
    again = await shelf.put("c1", "another\n" + LONG)
    page = await shelf.call("read", kept.result_id, 100, 102)
    (match,) = await shelf.call("search", kept.result_id, "needle")
    listed = await shelf.call("live_ids", "s")

    assert (kept.line_count, kept.size_bytes, kept.tool_name) == (LINES, len(LONG), "read")
    assert page.text == "line 99\nline 100\nline 101"
    assert match.line_number == 322
    assert again.result_id != kept.result_id
    assert {each.result_id for each in listed} == {kept.result_id, again.result_id}
    assert shelf.texts() == ["another", "line 0"]
    assert await live.ask("get_tool_result", "unknown") is None


async def test_a_result_is_swept_with_its_text_when_its_time_is_over(live: Live, tmp_path: Path) -> None:
    brief = Shelf(live, tmp_path / "texts", ttl_seconds=60)
    lasting = Shelf(live, tmp_path / "texts")
    await brief.put("c1", "brief\n" + LONG)
    kept = await lasting.put("c2", "lasting\n" + LONG)
    now = int(time.time())

    assert await brief.call("sweep_expired", now) == 0
    assert await brief.call("sweep_expired", now + 61) == 1
    assert await brief.call("sweep_expired", now + 61) == 0
    assert [each.result_id for each in await brief.call("live_ids", "s")] == [kept.result_id]
    assert brief.texts() == ["lasting"]


async def test_the_results_of_a_session_go_with_it(live: Live, tmp_path: Path) -> None:
    shelf = Shelf(live, tmp_path / "texts")
    live.db.tool_result_filesystems = [shelf.store.fs]
    for session in ("s", "t", "kept"):
        await live.ask("upsert_session", AgentSession(session_id=session, agent_id="clerk"))
        await shelf.put("c", f"of {session}\n{LONG}", session)
    assert await live.ask("delete_session", "s")
    await live.ask("delete_sessions", ["t"])

    assert [await live.ask("get_tool_results_for_session", each) for each in ("s", "t")] == [[], []]
    assert len(await live.ask("get_tool_results_for_session", "kept")) == 1
    assert shelf.texts() == ["of kept"]


def long_read() -> str:
    """Read something long."""
    return LONG


def reader(live: Live, **options: Any) -> Any:
    """An agent that reads something long, and looks something up in it."""
    rules = (
        Rule(when="read it", steps=(Call(tool="long_read"), Say(text="{result}"))),
        Rule(
            when=r"look in (\w+)",
            steps=(
                Call(tool="search_result", arguments={"result_id": "{1}", "pattern": "needle"}),
                Say(text="Found {result}"),
            ),
        ),
    )
    return clerk(live.db, id="reader", model=ScriptedModel(rules=rules), tools=[long_read], **options)


@pytest.mark.parametrize("live", [parameter(*each) for each in KEPT_IN], indirect=True)
async def test_an_agent_on_a_router_keeps_long_results_whole_and_says_so(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    # agno puts results aside on its own two classes only; nothing is cut off elsewhere.
    agent = reader(live, offload_tool_results=True, name=f"reader of {live.backend} {live.mode}", user_id=live.mode)
    agent.id = agent.name
    run = await live.run(agent, "read it", session_id="s")

    assert run.content == LONG
    assert "Result offloading is not available on" in caplog.text


@pytest.fixture
def agnos_own(live: Live, tmp_path: Path) -> BaseDb:
    """agno's class over the database that the router keeps sessions in."""
    if isinstance(live.db, SqliteDb):
        return live.db
    place = yaml.safe_load((tmp_path / "dbrouter.yaml").read_text())["databases"]["primary"]
    if live.backend == "sqlite":
        return SqliteDb(db_file=place["path"])
    url = place["url"].replace("postgresql:", "postgresql+psycopg:")
    return PostgresDb(db_url=url, db_schema=place["schema"])


@pytest.mark.parametrize("live", [parameter(*each) for each in (*KEPT_IN, ORACLE)], indirect=True)
async def test_an_agent_puts_results_aside_through_agnos_class_over_the_same_database(
    live: Live, agnos_own: BaseDb, tmp_path: Path
) -> None:
    texts = FileSystem(backend=LocalFileSystem(root=str(tmp_path / "texts")), namespace="tool-results")
    agent = reader(live, offload_tool_results=ResultStore(db=agnos_own, fs=texts, threshold_chars=1000))
    # agno registers the texts with the db of its `ResultStore`; the router deletes the sessions.
    live.db.tool_result_filesystems = [texts]
    async with serving(live, also=[agent]) as rest:
        run = await rest.say("agents/reader", "read it", "s", "ada")
        (entry,) = await live.ask("get_tool_results_for_session", "s")
        found = await rest.say("agents/reader", f"look in {entry['result_id']}", "s", "ada")
        stored = [path.name for path in (tmp_path / "texts").rglob("*.txt")]
        await rest.call("DELETE", "/sessions/s")
    agnos_own.close()

    assert entry["result_id"] in run["content"]
    assert len(run["content"]) < len(LONG) / 2
    assert "322" in found["content"]
    assert len(stored) == 1
    assert await live.ask("get_tool_results_for_session", "s") == []
    assert list((tmp_path / "texts").rglob("*.txt")) == []
