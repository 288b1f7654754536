"""The texts of offloaded tool results go with their session, as with agno's own classes."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from agno.fs import FileSystem
from agno.fs.local import LocalFileSystem
from agno.session import AgentSession

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import AsyncMemoryStore, MemoryStore
from dbrouter.router.families.context import Context
from tests.oracle.conftest import Both, Clock, Ours
from tests.oracle.test_conversation_leftovers import result


@pytest.fixture
def folders(tmp_path: Path) -> tuple[FileSystem, FileSystem]:
    """A file system for agno's side and one for ours."""
    theirs, mine = (FileSystem(backend=LocalFileSystem(root=tmp_path / name)) for name in ("agno", "ours"))
    return theirs, mine


@pytest.fixture
def _no_files(side: str, request: pytest.FixtureRequest) -> None:
    """No schema of agno's for files: its class looks into one that is there, and another test's role may own it."""
    if side == "postgres":
        with psycopg.connect(request.getfixturevalue("postgres").url, autocommit=True) as admin:
            admin.execute("drop schema if exists fs cascade")


@pytest.fixture
def offloaded(agno_db: Any, our_store: Store, folders: tuple[FileSystem, FileSystem]) -> Iterator[Both]:
    """Two sessions of ann's and one of bob's with a text each, and a text of a session that is not stored."""
    theirs, mine = folders
    agno_db.tool_result_filesystems = [theirs]
    ours = Ours(Context(our_store, registered={"tool_result_filesystems": [mine]}))
    both = Both(agno_db, ours, Clock())
    for side, folder in ((agno_db, theirs), (ours, mine)):
        for id_, user in (("s1", "ann"), ("s2", "ann"), ("s3", "bob")):
            side.upsert_session(AgentSession(session_id=id_, agent_id="a", user_id=user, created_at=1))
        for id_ in ("s1", "s2", "s3", "gone"):
            side.upsert_tool_result(result(f"r-{id_}", session_id=id_, namespace=id_, path="text.txt"))
            FileSystem(backend=folder.backend, namespace=id_).write("text.txt", "long")
    yield both
    finish(our_store.close())


def texts(folder: FileSystem) -> list[str]:
    """The sessions whose texts are there."""
    spaces = ("s1", "s2", "s3", "gone")
    return [each for each in spaces if FileSystem(backend=folder.backend, namespace=each).read("text.txt")]


@pytest.mark.usefixtures("_no_files")
@pytest.mark.parametrize(
    ("method", "asked", "left"),
    [
        ("delete_session", ("s1",), ["s2", "s3", "gone"]),
        ("delete_session", ("s1", "ann"), ["s2", "s3", "gone"]),
        ("delete_session", ("s1", "bob"), ["s1", "s2", "s3", "gone"]),
        ("delete_session", ("gone",), ["s1", "s2", "s3", "gone"]),
        ("delete_sessions", (["s1", "s3", "gone"], "ann"), ["s2", "s3", "gone"]),
        ("delete_sessions", (["s1", "s3", "gone"],), ["s2"]),
        ("delete_sessions", ([],), ["s1", "s2", "s3", "gone"]),
    ],
)
def test_texts_go_with_the_sessions_that_are_deleted(
    offloaded: Both, folders: tuple[FileSystem, FileSystem], method: str, asked: tuple[Any, ...], left: list[str]
) -> None:
    getattr(offloaded, method)(*asked)
    assert [texts(each) for each in folders] == [left, left]
    for id_ in ("s1", "s2", "s3", "gone"):
        offloaded.get_tool_result(f"r-{id_}")


class Away(LocalFileSystem):
    """A file system that is away."""

    def delete(self, *_: Any, **__: Any) -> bool:
        raise OSError("the file system is away")


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_router_finds_them_where_agno_registered_them(
    mode: str, folders: tuple[FileSystem, FileSystem], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """agno registers on whichever view of a db it was given; a file system that is away hinders nobody."""
    db: Any = DbRouter(MemoryStore()) if mode == "sync" else AsyncDbRouter(AsyncMemoryStore())
    folder = folders[1]
    FileSystem(backend=folder.backend, namespace="s1").write("text.txt", "long")
    view = db.bind(agent="a")
    view.tool_result_filesystems = [FileSystem(backend=Away(root=tmp_path)), folder]

    async def answered(value: Awaitable[Any] | Any) -> Any:
        return await value if inspect.isawaitable(value) else value

    async def delete() -> None:
        await answered(db.upsert_session(AgentSession(session_id="s1", agent_id="a", created_at=1)))
        for path in ("text.txt", "elsewhere.txt"):
            await answered(db.upsert_tool_result(result(path, namespace="s1", path=path)))
        with caplog.at_level(logging.WARNING, "dbrouter.sessions"):
            assert await answered(db.delete_session("s1")) is True
        assert await answered(db.get_tool_results_for_session("s1")) == []
        await answered(db.close())

    asyncio.run(delete())
    assert texts(folder) == []
    assert "1 of 2 texts" in caplog.text
    assert "s1/elsewhere.txt" in caplog.text
    assert "the file system is away" in caplog.text
