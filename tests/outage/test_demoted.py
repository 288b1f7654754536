"""After a failover behind one address, the connections to the server that takes no writes any more are let go."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.ops import Scan, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.mysql.failures import translated as mysql_translated
from dbrouter.backends.mysql.store import AsyncMySqlStore, MySqlStore
from dbrouter.backends.postgres.session import translated as postgres_translated
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.driver import Aftermath
from dbrouter.backends.sql.statements import Statement

IDLE = 3
_schemas = (f"demoted{number}" for number in itertools.count(1))


class Place:
    """A server whose new connections can be made read-only, as those to a demoted one are."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind, self.url, self.schema = kind, url, next(_schemas)

    def run(self, text: str) -> None:
        """One statement of an administrator's."""
        if self.kind == "postgres":
            with psycopg.connect(
                self.url, options="-c default_transaction_read_only=off", autocommit=True
            ) as connection:
                connection.execute(text.encode())
            return
        where = urlsplit(self.url)
        arguments: Any = {"host": where.hostname, "port": where.port, "user": "root", "autocommit": True}
        with pymysql.connect(**arguments) as connection, connection.cursor() as cursor:
            cursor.execute(text)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """While this lasts, who connects cannot write, and never can over that connection."""
        if self.kind == "postgres":
            before, after = (
                f"alter role current_user {each} default_transaction_read_only" for each in ("set", "reset")
            )
            before += " = on"
        else:
            before, after = (f"set global tx_read_only = {each}" for each in ("on", "off"))
        self.run(before)
        try:
            yield
        finally:
            self.run(after)

    def store(self, *, asynchronous: bool) -> Any:
        """Ours."""
        if self.kind == "postgres":
            return (AsyncPostgresStore if asynchronous else PostgresStore)(self.url, schema=self.schema)
        return (AsyncMySqlStore if asynchronous else MySqlStore)(self.url, schema=self.schema)

    def drop(self) -> None:
        """Remove what was written."""
        self.run(f"drop schema {self.schema} cascade" if self.kind == "postgres" else f"drop database {self.schema}")


@pytest.fixture(
    params=[pytest.param(each, marks=pytest.mark.backend(each, mode="outage")) for each in ("postgres", "mysql")]
)
def place(request: pytest.FixtureRequest, start_server: Callable[[str], Any]) -> Iterator[Place]:
    """One with a session in it."""
    kind = request.param
    place = Place(kind, start_server("postgres" if kind == "postgres" else "mariadb").url)
    store = place.store(asynchronous=False)
    finish(store.execute(writing("first")))
    finish(store.close())
    yield place
    place.drop()


def writing(name: str) -> Upsert:
    """The writing of a session."""
    return Upsert(table="sessions", records=({"session_id": name, "session_type": "agent", "created_at": 1},))


def waiting(place: Place) -> Unit:
    """What keeps a connection for a moment."""
    return Unit([Statement("SELECT pg_sleep(0.3)" if place.kind == "postgres" else "SELECT SLEEP(0.3)")])


def test_a_process_writes_again_once_one_write_has_found_its_server_demoted(place: Place) -> None:
    store = place.store(asynchronous=False)
    with place.read_only(), ThreadPoolExecutor(IDLE) as threads:
        for each in [threads.submit(lambda: finish(store.connections.run(waiting(place)))) for _ in range(IDLE)]:
            each.result()
        assert finish(store.execute(Scan(table="sessions", where=EVERYTHING))).records
    with pytest.raises(Unavailable, match=r"(?i)read.only"):
        finish(store.execute(writing("refused")))
    with ThreadPoolExecutor(IDLE) as threads:
        for each in [threads.submit(finish, store.execute(writing(f"s{number}"))) for number in range(IDLE)]:
            each.result()
    finish(store.close())


def test_so_does_an_event_loop(place: Place) -> None:
    async def body() -> None:
        store = place.store(asynchronous=True)
        with place.read_only():
            await asyncio.gather(*(store.connections.run(waiting(place)) for _ in range(IDLE)))
        with pytest.raises(Unavailable, match=r"(?i)read.only"):
            await store.execute(writing("refused"))
        await asyncio.gather(*(store.execute(writing(f"s{number}")) for number in range(IDLE)))
        await store.close()

    asyncio.run(body())


@pytest.mark.parametrize("code", [1290, 1792, 1836])
def test_each_of_mysqls_words_for_it_lets_the_connections_go(code: int) -> None:
    error = pymysql.err.OperationalError(code, "The MySQL server is running with the --read-only option")
    failure = mysql_translated(error, "somewhere", lambda _table, _index: ())
    assert (type(failure.error), failure.aftermath) == (Unavailable, Aftermath.DEMOTED)


def test_postgres_word_for_it_too() -> None:
    error = psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction")
    failure = postgres_translated(error, "somewhere")
    assert (type(failure.error), failure.aftermath) == (Unavailable, Aftermath.DEMOTED)
