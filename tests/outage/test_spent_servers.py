"""A server that answers, and has no room left or waits for somebody's lock, is an outage: it may be over soon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.ops import Insert, Scan, Update
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.testing.conformance.records import learning
from scripts.servers import Server
from tests.outage.test_demoted import Place

FULL = {
    "postgres": (
        (
            "create function {0}.full() returns trigger language plpgsql as $$ begin"
            " raise exception 'No space left on device' using errcode = '53100'; end $$;"
            " create trigger t before insert on {0}.agno_learnings for each row execute function {0}.full()"
        ),
        "drop trigger t on {0}.agno_learnings",
    ),
    "mysql": (
        (
            "create trigger {0}.t before insert on {0}.agno_learnings for each row"
            " signal sqlstate 'HY000' set mysql_errno = 1021, message_text = 'No space left on device'"
        ),
        "drop trigger {0}.t",
    ),
}


@pytest.fixture(
    params=[pytest.param(each, marks=pytest.mark.backend(each, mode="outage")) for each in ("postgres", "mysql")]
)
def place(request: pytest.FixtureRequest, start_server: Callable[[str], Any]) -> Iterator[Place]:
    kind: str = request.param
    place = Place(kind, start_server("mariadb" if kind == "mysql" else kind).url)
    yield place
    place.drop()


def test_a_server_without_room_is_away_until_it_has_some(place: Place) -> None:
    full, again = FULL[place.kind]
    store = place.store(asynchronous=False)
    finish(store.create_tables(("learnings",)))
    place.run(full.format(place.schema))
    with pytest.raises(Unavailable, match="No space left"):
        finish(store.execute(Insert(table="learnings", records=(learning("a"),))))
    assert finish(store.execute(Scan(table="learnings"))).records == []
    place.run(again.format(place.schema))
    finish(store.execute(Insert(table="learnings", records=(learning("a"),))))
    finish(store.close())


@pytest.mark.backend("postgres", mode="outage")
def test_a_lock_that_the_server_waits_for_no_longer_is_an_outage(postgres: Server, postgres_schema: str) -> None:
    store = PostgresStore(url=f"{postgres.url}?options=-clock_timeout%3D50", schema=postgres_schema)
    finish(store.execute(Insert(table="learnings", records=(learning("a"),))))
    touched = Update(table="learnings", where=EVERYTHING, changes={"namespace": "x"})
    with psycopg.connect(postgres.url) as other:
        other.execute(f"select from {postgres_schema}.agno_learnings for update".encode())
        with pytest.raises(Unavailable, match="look for a long one"):
            finish(store.execute(touched))
    assert len(finish(store.execute(touched))) == 1
    finish(store.close())


@pytest.mark.backend("postgres", mode="outage")
def test_a_write_that_was_given_up_is_not_written_once_the_lock_is_free(postgres: Server, postgres_schema: str) -> None:
    blocking = PostgresStore(postgres.url, schema=postgres_schema, deadline=1)
    finish(blocking.execute(Insert(table="learnings", records=(learning("a"),))))
    touched = Update(table="learnings", where=EVERYTHING, changes={"namespace": "x"})

    async def awaited() -> None:
        store = AsyncPostgresStore(postgres.url, schema=postgres_schema, deadline=1)
        with pytest.raises(Unavailable, match="look for a long one"):
            await store.execute(touched)
        await store.close()

    with psycopg.connect(postgres.url) as other:
        other.execute(f"select from {postgres_schema}.agno_learnings for update".encode())
        with pytest.raises(Unavailable, match="look for a long one"):
            finish(blocking.execute(touched))
        asyncio.run(awaited())
        waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and query like %s"
        assert other.execute(waiting, (f"%{postgres_schema}%",)).fetchall() == []
    assert [each["namespace"] for each in finish(blocking.execute(Scan(table="learnings"))).records] == [None]
    finish(blocking.close())
