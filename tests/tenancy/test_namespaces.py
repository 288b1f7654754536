"""Namespaces of one database: the same tables several times, each apart from the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from dbrouter.backends.kernel.filters import Field, Like, eq
from dbrouter.backends.kernel.isolation import HasNamespaces, Isolation, namespace_of
from dbrouter.backends.kernel.ops import (
    EVERYTHING,
    Aggregate,
    Children,
    Claim,
    Commit,
    Computed,
    Delete,
    Get,
    Insert,
    Load,
    Measure,
    Order,
    Put,
    Remove,
    Scan,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.sql.layout import ANY_SCHEMA
from dbrouter.testing.candidates import OpenStore
from dbrouter.testing.opening import Opener
from tests.backends.backend import Backend
from tests.backends.places import Place
from tests.tenancy.namespaces import PARAMETERS, Where

BY_FAMILY = frozenset({"sqlite", "postgres", "mysql", "singlestore"})
"""Kinds whose tables of one family are made together."""


@pytest.fixture(params=PARAMETERS)
def where(request: pytest.FixtureRequest) -> Where:
    return request.param


@pytest.fixture
def opened(where: Where, fresh_place: Callable[[Backend], Place]) -> tuple[OpenStore, Callable[[str], str]]:
    return where.open_in(fresh_place)


@pytest.fixture
def open_store(opened: tuple[OpenStore, Callable[[str], str]]) -> Opener:
    return Opener(opened[0])


@pytest.fixture
def store(open_store: Opener) -> Store:
    return open_store()


@pytest.fixture
def named(opened: tuple[OpenStore, Callable[[str], str]]) -> Callable[[str], str]:
    return opened[1]


def inside(store: Store, namespace: str) -> Store:
    return cast("HasNamespaces", store).in_namespace(namespace)


def memory(key: str, text: str) -> dict[str, Any]:
    return {"memory_id": key, "memory": {"text": text}, "user_id": "u", "created_at": 1, "updated_at": 1}


def session(key: str, name: str) -> dict[str, Any]:
    return {"session_id": key, "session_type": "agent", "user_id": name, "created_at": 1}


async def texts(store: Store) -> list[str]:
    page = await store.execute(Scan(table="memories", order=(Order(Field("memory_id")),), total=True))
    assert page.total == len(page.records)
    return [record["memory"]["text"] for record in page.records]


async def test_the_same_keys_in_two_namespaces_and_outside_are_three_records(
    store: Store, named: Callable[[str], str]
) -> None:
    places = {"one": inside(store, named("one")), "other": inside(store, named("other")), "outside": store}
    for name, place in places.items():
        await place.execute(Insert(table="memories", records=(memory("same", name),)))
        await place.execute(Upsert(table="sessions", records=(session("same", name),)))
    for name, place in places.items():
        assert await texts(place) == [name]
        found = await place.execute(Get(table="sessions", key=("same",), where=eq("user_id", name)))
        assert found is not None
        others = [each for each in places if each != name]
        for other in others:
            assert await place.execute(Get(table="sessions", key=("same",), where=eq("user_id", other))) is None


async def test_what_is_changed_or_removed_in_one_namespace_stays_in_the_others(
    store: Store, named: Callable[[str], str]
) -> None:
    one, other = inside(store, named("one")), inside(store, named("other"))
    for place in (one, other):
        for record in (memory("a", "first"), memory("b", "second")):
            await place.execute(Insert(table="memories", records=(record,)))
    await one.execute(Update(table="memories", where=EVERYTHING, changes={"memory": {"text": "changed"}}))
    assert (await texts(one), await texts(other)) == (["changed", "changed"], ["first", "second"])
    await one.execute(Upsert(table="memories", records=(memory("c", "third"),)))
    # One by one: a store need not commit several records at once.
    await one.execute(Commit(writes=(Put(table="memories", record=memory("d", "4th")),)))
    await one.execute(Commit(writes=(Remove(table="memories", key=("a",)),)))
    claimed = await one.execute(
        Claim(table="memories", where=EVERYTHING, order=(Order(Field("memory_id")),), changes={"user_id": "mine"})
    )
    assert claimed is not None
    assert await texts(other) == ["first", "second"]
    assert await one.execute(Delete(table="memories", where=EVERYTHING)) == 3
    assert (await texts(one), await texts(other)) == ([], ["first", "second"])
    counted = Aggregate(
        table="memories", by={"user": Field("user_id")}, measures=(Computed(name="n", measure=Measure.COUNT),)
    )
    assert (await one.execute(counted)).records == []
    assert (await other.execute(counted)).records == [{"user": "u", "n": 2}]


async def test_a_load_brings_the_children_of_its_own_namespace(store: Store, named: Callable[[str], str]) -> None:
    one, other = inside(store, named("one")), inside(store, named("other"))
    for name, place in (("one", one), ("other", other)):
        await place.execute(Upsert(table="sessions", records=(session("s", name),)))
        run = {
            "run_id": "r",
            "session_id": "s",
            "run_index": 0,
            "run_type": "agent",
            "run_data": {"of": name},
            "created_at": 1,
        }
        await place.execute(Upsert(table="runs", records=(run,)))
    children = Children(
        table="runs", on=("session_id",), columns=("run_id", "run_data"), order=(Order(Field("run_index")),)
    )
    for name, place in (("one", one), ("other", other)):
        found = await place.execute(Load(table="sessions", key=("s",), children=children))
        assert found is not None
        assert [each["run_data"] for each in found.children] == [{"of": name}]


async def test_the_same_name_is_the_same_namespace_from_another_store_too(
    open_store: Opener, store: Store, named: Callable[[str], str]
) -> None:
    name = named("one")
    await inside(store, name).execute(Insert(table="memories", records=(memory("a", "kept"),)))
    assert await texts(inside(store, name)) == ["kept"]
    assert await texts(inside(open_store(), name)) == ["kept"]


async def test_reading_a_new_namespace_finds_nothing_and_makes_no_table(
    store: Store, named: Callable[[str], str]
) -> None:
    place = inside(store, named("one"))
    assert await texts(place) == []
    assert await place.execute(Get(table="sessions", key=("s",))) is None
    assert await place.existing_tables() == frozenset()
    await place.ping()


async def test_the_first_write_makes_the_tables_that_its_family_writes_to(
    where: Where, store: Store, named: Callable[[str], str]
) -> None:
    one = inside(store, named("one"))
    await one.execute(Upsert(table="sessions", records=(session("s", "u"),)))
    made = await one.existing_tables()
    together = where.backend is None or where.backend.kind in BY_FAMILY
    of_the_family = ("sessions", "runs", "versions") if together else ("sessions",)
    assert {one.physical_name(each) for each in of_the_family} <= made
    assert one.physical_name("memories") not in made
    assert await store.existing_tables() == frozenset()


async def test_a_closed_namespace_opens_again_and_leaves_its_parent_open(
    store: Store, named: Callable[[str], str]
) -> None:
    one, other = inside(store, named("one")), inside(store, named("other"))
    for each in (store, one, other):
        await each.execute(Insert(table="memories", records=(memory("a", "kept"),)))
    await one.close()
    assert (await texts(one), await texts(other), await texts(store)) == (["kept"], ["kept"], ["kept"])


async def test_what_is_no_name_is_refused(store: Store) -> None:
    names = (
        "",
        "A",
        "a/b",
        "../a",
        "a.b",
        "a\0",
        'a"; drop schema ai',
        "a b",
        "é",
        "\uff41",
        "a" * 64,
        "1a",
        "a%s",
        "a\n",
    )
    for hostile in names:
        with pytest.raises(ValueError, match="is no namespace"):
            inside(store, hostile)


async def test_every_tenant_has_a_namespace_that_is_taken(store: Store, named: Callable[[str], str]) -> None:
    for tenant in ("acme", "a/b", "A", "a\0", "\ud800", "pg_catalog", "x" * 500):
        inside(store, namespace_of(tenant))
    assert Isolation.SCHEMA in store.capabilities.isolations


async def test_values_that_look_like_the_mark_of_a_schema_stay_as_they_are(
    store: Store, named: Callable[[str], str]
) -> None:
    place = inside(store, named("one"))
    mark = f'"{ANY_SCHEMA}"'
    await place.execute(Insert(table="memories", records=(memory(mark, mark),)))
    found = await place.execute(Scan(table="memories", where=Like("memory", f"%{ANY_SCHEMA}%")))
    assert [(each["memory_id"], each["memory"]) for each in found.records] == [(mark, {"text": mark})]


async def test_many_namespaces_with_the_same_keys_hold_as_many_records(
    where: Where, store: Store, named: Callable[[str], str]
) -> None:
    cheap = where.backend is None or not where.backend.lasts
    names = [named(f"t{number}") for number in range(100 if cheap and store.runtime.blocking else 10)]
    for name in names:
        await inside(store, name).execute(Insert(table="memories", records=(memory("same", name),)))
    assert [await texts(inside(store, name)) for name in names] == [[name] for name in names]
