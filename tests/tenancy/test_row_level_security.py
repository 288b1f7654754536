"""Row-level security on a real Postgres, with one role that makes the tables and one that uses them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import psycopg
import pytest
from psycopg import errors
from psycopg.sql import SQL, Identifier

from dbrouter.backends.kernel.codec import encode_text
from dbrouter.backends.kernel.errors import Duplicate, RowsNotHeldBack, StoreError
from dbrouter.backends.kernel.filters import EVERYTHING, Field, eq
from dbrouter.backends.kernel.isolation import HoldsRowsBack
from dbrouter.backends.kernel.ops import Commit, Delete, Get, Insert, Order, Put, Scan, Update, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tenant_tables import TENANT, TENANT_TABLES
from dbrouter.backends.postgres.store import AsyncPostgresStore, PostgresStore
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.testing.opening import Opener
from scripts.servers import APPLICATION, OWNER, Server
from scripts.servers.roles import url_as

TABLE = "tenants.memories"
TENANTS = (
    "acme",
    "acm",
    "acme ",
    "a/b",
    "a\0",
    "a\0b",
    "\ud800",
    "ａcme",
    "' OR true --",
    "dbrouter.tenant",
    "%s",
    "x" * 5000,
)
"""Prefixes of each other, look-alikes, and what Postgres or Python cannot hold as it is."""

_numbers = itertools.count(1)


def memory(tenant: str, key: str = "same") -> dict[str, Any]:
    text = {"of": tenant}
    return {TENANT: tenant, "memory_id": key, "memory": text, "user_id": "u", "created_at": 1, "updated_at": 1}


@pytest.fixture(params=["blocking", "async"])
def open_store(request: pytest.FixtureRequest, postgres: Server, postgres_schema: str) -> Opener:
    kind = PostgresStore if request.param == "blocking" else AsyncPostgresStore
    url, owner = url_as(APPLICATION, postgres.url), url_as(OWNER, postgres.url)
    return Opener(lambda: kind(url, schema=postgres_schema, owner_url=owner, pool_size=1, max_overflow=0))


@pytest.fixture
def store(open_store: Opener) -> Store:
    return open_store()


@pytest.fixture
def application(postgres: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the application's role, as whoever has its password could open it."""
    with psycopg.connect(url_as(APPLICATION, postgres.url), autocommit=True) as connection:
        yield connection


@pytest.fixture
def admin(_postgres_admin: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A connection of the superuser."""
    return _postgres_admin


def fill(postgres: Server, schema: str) -> str:
    """The qualified name of a table with a row for each tenant."""
    parent = PostgresStore(url_as(APPLICATION, postgres.url), schema=schema, owner_url=url_as(OWNER, postgres.url))
    for tenant in TENANTS:
        finish(parent.for_rows_of(tenant).execute(Insert(table=TABLE, records=(memory(tenant),))))
    finish(parent.close())
    return f'"{schema}"."{parent.physical_name(TABLE)}"'


@pytest.fixture(scope="module")
def filled(postgres: Server) -> Iterator[str]:
    """Such a table for tests that leave it as it is."""
    yield fill(postgres, "filled")
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("drop schema filled cascade")


def rows_of(store: Store, tenant: str) -> Store:
    return cast("HoldsRowsBack", store).for_rows_of(tenant)


async def test_every_tenant_sees_its_own_row_under_the_same_key(store: Store) -> None:
    for tenant in TENANTS:
        await rows_of(store, tenant).execute(Insert(table=TABLE, records=(memory(tenant),)))
    for tenant in TENANTS:
        page = await rows_of(store, tenant).execute(Scan(table=TABLE, total=True))
        assert ([each[TENANT] for each in page.records], page.total) == ([tenant], 1)
        other = next(each for each in TENANTS if each != tenant)
        assert await rows_of(store, tenant).execute(Get(table=TABLE, key=(other, "same"))) is None


async def test_no_write_reaches_another_tenants_row_whatever_its_filter(store: Store) -> None:
    acme, evil = rows_of(store, "acme"), rows_of(store, "evil")
    await acme.execute(Insert(table=TABLE, records=(memory("acme"),)))
    assert await evil.execute(Update(table=TABLE, where=EVERYTHING, changes={"memory": {"of": "evil"}})) == []
    assert await evil.execute(Delete(table=TABLE, where=eq(TENANT, "acme"))) == 0
    for write in (
        Insert(table=TABLE, records=(memory("acme", "planted"),)),
        Upsert(table=TABLE, records=(memory("acme"),), rules={}),
        Commit(writes=(Put(table=TABLE, record=memory("acme")),)),
    ):
        with pytest.raises(StoreError, match="row-level security"):
            await evil.execute(write)
    await evil.execute(Insert(table=TABLE, records=(memory("evil"),)))
    with pytest.raises(StoreError, match="cannot change"):
        await evil.execute(Update(table=TABLE, where=EVERYTHING, changes={TENANT: "acme"}))
    page = await acme.execute(Scan(table=TABLE, order=(Order(Field("memory_id")),)))
    assert [(each["memory_id"], each["memory"]) for each in page.records] == [("same", {"of": "acme"})]


async def test_the_next_user_of_the_connection_has_no_tenant(store: Store) -> None:
    # The pool has one connection, so every call has the one before it.
    await rows_of(store, "acme").execute(Insert(table=TABLE, records=(memory("acme"),)))
    assert (await store.execute(Scan(table=TABLE, total=True))).total == 0
    with pytest.raises(Duplicate):
        await rows_of(store, "acme").execute(Insert(table=TABLE, records=(memory("acme"),)))
    assert (await store.execute(Scan(table=TABLE, total=True))).total == 0
    assert (await rows_of(store, "other").execute(Scan(table=TABLE, total=True))).total == 0
    assert (await rows_of(store, "acme").execute(Scan(table=TABLE, total=True))).total == 1


async def test_with_the_filters_of_a_confined_store_it_is_two_locks(store: Store) -> None:
    for tenant in ("acme", "evil"):
        confined = Confined(rows_of(store, tenant), tenant)
        plain = {key: value for key, value in memory(tenant).items() if key != TENANT}
        await confined.execute(Upsert(table="memories", records=(plain,)))
        assert (await confined.execute(Scan(table="memories"))).records[0]["memory"] == {"of": tenant}
    # One that names the wrong tenant in all its filters finds nothing.
    wrong = Confined(rows_of(store, "evil"), "acme")
    assert (await wrong.execute(Scan(table="memories"))).records == []


async def test_tables_that_hold_no_rows_back_are_not_served(store: Store) -> None:
    with pytest.raises(StoreError, match="does not hold back rows of memories"):
        await rows_of(store, "acme").execute(Scan(table="memories"))
    with pytest.raises(StoreError, match="empty"):
        rows_of(store, "")


async def test_reading_before_anything_was_written_finds_nothing(store: Store) -> None:
    assert await rows_of(store, "acme").execute(Get(table=TABLE, key=("acme", "same"))) is None
    assert (await rows_of(store, "acme").execute(Scan(table=TABLE, total=True))).total == 0


def test_the_applications_role_sees_nothing_without_a_tenant_and_its_own_with_one(
    application: psycopg.Connection[Any], filled: str
) -> None:
    count = SQL("select count(*) from ") + SQL(filled)  # type: ignore[arg-type]  # our own name
    assert application.execute(count).fetchone() == (0,)
    for tenant in TENANTS:
        with application.transaction():
            application.execute("select set_config('dbrouter.tenant', %s, true)", (encode_text(tenant),))
            assert application.execute(count).fetchone() == (1,)
            found = application.execute(SQL("select dbr_tenant from ") + SQL(filled)).fetchall()  # type: ignore[arg-type]
            assert found == [(encode_text(tenant),)]
        assert application.execute(count).fetchone() == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "alter table {} disable row level security",
        "alter table {} no force row level security",
        "drop policy dbr_tenant_rows on {}",
        "alter policy dbr_tenant_rows on {} using (true)",
        "create policy mine on {} using (true)",
        "drop table {}",
        "truncate {}",
        "alter table {} owner to current_user",
        "create view v as select * from {}",
        "alter role current_user bypassrls",
        "set role dbr_owner",
        "set session authorization dbr_owner",
    ],
)
def test_the_applications_role_cannot_lift_the_lock(
    application: psycopg.Connection[Any], filled: str, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        application.execute(statement.format(filled))  # type: ignore[arg-type]  # our own name


def test_switching_row_security_off_in_the_session_is_an_error_and_no_row(
    application: psycopg.Connection[Any], filled: str
) -> None:
    application.execute("set row_security = off")
    with pytest.raises(errors.InsufficientPrivilege):
        application.execute(f"select * from {filled}")  # type: ignore[arg-type]  # our own name


def test_with_a_tenant_the_applications_role_cannot_give_a_row_to_another(
    application: psycopg.Connection[Any], filled: str
) -> None:
    application.execute("select set_config('dbrouter.tenant', 'acme', false)")
    for statement in (
        f"update {filled} set dbr_tenant = 'acm'",
        f"insert into {filled} select 'acm', 'new', memory from {filled}",
    ):
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            application.execute(
                statement.replace(
                    "select 'acm', 'new', memory", "(dbr_tenant, memory_id, memory) select 'acm', 'new', memory"
                )
            )  # type: ignore[arg-type]
    assert application.execute(f"delete from {filled} where dbr_tenant = 'acm'").rowcount == 0  # type: ignore[arg-type]


def test_a_superuser_is_refused_with_what_to_do_about_it(postgres: Server, postgres_schema: str) -> None:
    store = PostgresStore(postgres.url, schema=postgres_schema)
    for op in (Scan(table=TABLE), Insert(table=TABLE, records=(memory("acme"),))):
        with pytest.raises(RowsNotHeldBack, match=r"'postgres' is a superuser.*row_level_security: false"):
            finish(store.for_rows_of("acme").execute(op))
    assert finish(store.existing_tables()) == frozenset()
    off = PostgresStore(postgres.url, schema=postgres_schema, row_level_security=False)
    finish(off.for_rows_of("acme").execute(Insert(table=TABLE, records=(memory("acme"),))))
    finish(store.close())
    finish(off.close())


@pytest.fixture
def role(admin: psycopg.Connection[Any], postgres: Server) -> Iterator[Callable[[str], str]]:
    """Makes roles, and answers URLs with them."""
    made: list[Identifier] = []

    def make(said: str) -> str:
        name = f"dbr_role_{next(_numbers)}"
        made.append(Identifier(name))
        admin.execute(SQL("create role {} login ").format(made[-1]) + SQL(said))  # type: ignore[arg-type]
        return url_as(name, postgres.url)

    yield make
    for each in reversed(made):
        admin.execute(SQL("drop owned by {}").format(each))
        admin.execute(SQL("drop role {}").format(each))


def test_a_role_that_can_become_one_who_sees_all_is_refused(role: Callable[[str], str], postgres_schema: str) -> None:
    for url in (role("bypassrls"), role("in role postgres")):
        store = PostgresStore(url, schema=postgres_schema)
        with pytest.raises(RowsNotHeldBack, match="can become"):
            finish(store.for_rows_of("acme").execute(Scan(table=TABLE)))
        finish(store.close())


def test_a_role_that_owns_its_tables_is_held_back_too_but_not_where_an_owner_is_named(
    role: Callable[[str], str], admin: psycopg.Connection[Any], postgres: Server, postgres_schema: str
) -> None:
    url = role("")
    name = url.partition("//")[2].partition("@")[0]
    admin.execute(SQL("create schema {} authorization {}").format(Identifier(postgres_schema), Identifier(name)))
    alone = PostgresStore(url, schema=postgres_schema, create_schema=False)
    for tenant in ("acme", "evil"):
        finish(alone.for_rows_of(tenant).execute(Insert(table=TABLE, records=(memory(tenant),))))
    assert finish(alone.for_rows_of("acme").execute(Scan(table=TABLE, total=True))).total == 1
    assert finish(alone.execute(Scan(table=TABLE, total=True))).total == 0
    apart = PostgresStore(url, schema=postgres_schema, owner_url=url_as(OWNER, postgres.url))
    with pytest.raises(RowsNotHeldBack, match=r"belongs to .*OWNER TO"):
        finish(apart.for_rows_of("acme").execute(Scan(table=TABLE)))
    finish(alone.close())
    finish(apart.close())


@pytest.mark.parametrize(
    "loosened",
    [
        "alter table {} disable row level security",
        "alter table {} no force row level security",
        "drop policy dbr_tenant_rows on {}",
        "create policy more on {} using (true)",
        "drop policy dbr_tenant_rows on {0}; create policy dbr_tenant_rows on {0} for select using (true)",
    ],
)
def test_a_table_whose_lock_is_loose_is_refused(
    postgres: Server, admin: psycopg.Connection[Any], postgres_schema: str, loosened: str
) -> None:
    table = fill(postgres, postgres_schema)
    admin.execute(loosened.format(table))  # type: ignore[arg-type]  # our own name
    store = PostgresStore(
        url_as(APPLICATION, postgres.url), schema=postgres_schema, owner_url=url_as(OWNER, postgres.url)
    )
    with pytest.raises(RowsNotHeldBack, match="without row-level security, or has another policy") as refused:
        finish(store.for_rows_of("acme").execute(Scan(table=TABLE)))
    # What the message says to do helps.
    admin.execute(f"drop policy if exists more on {table}")  # type: ignore[arg-type]  # our own name
    admin.execute(str(refused.value).partition("second lock: ")[2])  # type: ignore[arg-type]  # our own text
    assert len(finish(store.for_rows_of("acme").execute(Scan(table=TABLE))).records) == 1
    finish(store.close())


def test_every_shared_table_is_locked_and_belongs_to_the_owner(
    postgres: Server, admin: psycopg.Connection[Any], postgres_schema: str
) -> None:
    store = PostgresStore(
        url_as(APPLICATION, postgres.url), schema=postgres_schema, owner_url=url_as(OWNER, postgres.url)
    )
    finish(store.create_tables(tuple(TENANT_TABLES)))
    asked = (
        "select c.relname, c.relrowsecurity and c.relforcerowsecurity, pg_get_userbyid(c.relowner),"
        " (select string_agg(polname, ',') from pg_policy where polrelid = c.oid) from pg_class c"
        " where c.relnamespace = %s::regnamespace and c.relkind = 'r' and c.relname like 'tenants%%'"
    )
    found = admin.execute(asked, (f'"{postgres_schema}"',)).fetchall()
    assert {name for name, *_ in found} == {store.physical_name(table) for table in TENANT_TABLES}
    assert {tuple(rest) for _, *rest in found} == {(True, OWNER, "dbr_tenant_rows")}
    finish(store.close())


def test_many_threads_of_many_tenants_share_one_connection_and_no_row(postgres: Server, postgres_schema: str) -> None:
    store = PostgresStore(
        url_as(APPLICATION, postgres.url),
        schema=postgres_schema,
        owner_url=url_as(OWNER, postgres.url),
        pool_size=1,
        max_overflow=0,
    )

    def use(number: int) -> None:
        tenant = TENANTS[number % len(TENANTS)]
        rows = store.for_rows_of(tenant)
        finish(rows.execute(Insert(table=TABLE, records=(memory(tenant, f"k{number}"),))))
        found = finish(rows.execute(Scan(table=TABLE))).records
        assert {each[TENANT] for each in found} == {tenant}
        assert any(each["memory_id"] == f"k{number}" for each in found)

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(use, number) for number in range(120)]:
            done.result()
    finish(store.close())
