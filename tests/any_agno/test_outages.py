"""A database that is away is never an empty answer, also where agno's own class would answer with nothing."""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import socket
import warnings
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dbrouter.backends.agno.settings import AgnoSettings
from dbrouter.backends.kernel.errors import ConfigError, Unavailable
from dbrouter.backends.kernel.running import finish
from dbrouter.router.agno_types import AgentSession
from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.families import methods_of, served_by, table_of
from dbrouter.router.any_agno.implemented import implements, is_asynchronous
from dbrouter.router.any_agno.opening import open_agno
from dbrouter.router.faces.sync_all import SYNC_FACES
from dbrouter.testing.leaks.arguments import Hand, arguments
from tests.any_agno.routers import agno, router

pytestmark = pytest.mark.usefixtures("little_to_look_through")


def nobodys_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


PORT = nobodys_port()
NO_MYSQL = f"mysql+pymysql://u:p@127.0.0.1:{PORT}/x?ssl_disabled=true"
"""Else pymysql reads the system's authorities for each connection that it does not get."""
AWAY = {
    "postgres.PostgresDb": {"db_url": f"postgresql+psycopg://u:p@127.0.0.1:{PORT}/x"},
    "postgres.AsyncPostgresDb": {"db_url": f"postgresql+psycopg://u:p@127.0.0.1:{PORT}/x"},
    "mysql.MySQLDb": {"db_url": NO_MYSQL},
    "singlestore.SingleStoreDb": {"db_url": NO_MYSQL},
    "mongo.MongoDb": {"db_url": f"mongodb://127.0.0.1:{PORT}/?serverSelectionTimeoutMS=1"},
    "mongo.AsyncMongoDb": {"db_url": f"mongodb://127.0.0.1:{PORT}/?serverSelectionTimeoutMS=1"},
    "redis.RedisDb": {"db_url": f"redis://127.0.0.1:{PORT}"},
    "sqlite.SqliteDb": {"db_url": "sqlite:////proc/nobodys/x.db"},
    "sqlite.AsyncSqliteDb": {"db_url": "sqlite+aiosqlite:////proc/nobodys/x.db"},
}
"""Classes whose client can be had, with the address of nobody."""


def the_class(path: str) -> type[Any]:
    module, _, name = path.partition(".")
    return getattr(importlib.import_module(f"agno.db.{module}"), name)  # type: ignore[no-any-return]


SLOW = {"mongo.MongoDb": ("sessions", "schedules", "traces"), "mongo.AsyncMongoDb": ("memories", "traces")}
"""A client that waits half a second before it gives up, whatever it is told -> the families that are tried."""

CASES = [(path, family) for path in AWAY for family in SLOW.get(path, served_by(the_class(path)))]


@pytest.mark.parametrize(("path", "family"), CASES)
def test_no_call_is_answered(path: str, family: str) -> None:
    settings = AgnoSettings.model_validate(agno(path, **AWAY[path]))
    cls = the_class(path)
    store = open_agno("away", settings, blocking=not is_asynchronous(cls))

    async def ask_all() -> None:
        for method in methods_of(family):
            if implements(cls, method):
                call = Call(table=table_of(family, method), method=method, arguments=needed(family, method))
                with pytest.raises(Unavailable, match="away"):
                    pytest.fail(f"{method} answered {await store.execute(call)!r}")
        await store.close()
        if is_asynchronous(cls):
            # aiosqlite's threads say their last word to the loop.
            await asyncio.sleep(0.1)

    with warnings.catch_warnings():
        # SQLAlchemy deprecates some of what agno does.
        warnings.simplefilter("ignore")
        if is_asynchronous(cls):
            asyncio.run(ask_all())
        else:
            finish(ask_all())
        # And clients that never reached anybody are not closed by all of its classes.
        gc.collect()


def needed(family: str, method: str) -> dict[str, Any]:
    """The arguments without which the method cannot be called."""
    whole = inspect.signature(vars(SYNC_FACES[family])[method])
    required = [each for each in whole.parameters.values() if each.name != "self" and each.default is each.empty]
    given = arguments(method, whole.replace(parameters=required), Hand(Random(1), "x"))
    given = {name: value or ["a"] if isinstance(value, list) else value for name, value in given.items()}
    return {**given, "trace_id": "t"} if method == "get_trace" else given


@pytest.mark.parametrize("path", ["mongo.MongoDb", "sqlite.SqliteDb"])
def test_what_agnos_class_itself_answers_when_its_database_is_away(path: str) -> None:
    """Why all this is needed. Where agno heals it, what we do about it can go."""
    db = the_class(path)(**AWAY[path])
    assert db.get_trace(trace_id="t") is None
    assert db.get_learnings() == []
    db.close()


def test_a_database_that_comes_back_is_used_again(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    one = router({"one": agno("sqlite.SqliteDb", db_url=f"sqlite:///{folder}/x.db")})
    session = AgentSession(session_id="s", agent_id="a", user_id="u")
    for _ in range(2):
        with pytest.raises(Unavailable):
            one.upsert_session(session)
    folder.mkdir()
    assert one.upsert_session(session) is not None
    assert one.get_session("s") is not None
    one.close()


def test_passwords_are_in_no_error() -> None:
    one = router({"one": agno("postgres.PostgresDb", db_url=f"postgresql+psycopg://u:hush@127.0.0.1:{PORT}/x")})
    with pytest.raises(Unavailable) as caught:
        one.get_session("s")
    assert "hush" not in str(caught.value)
    bad = {"one": agno("postgres.PostgresDb", db_url="no url, but hush")}
    with pytest.raises(ConfigError) as refused:
        router(bad)
    assert "hush" not in str(refused.value)
