"""Aggregate: one record per group, with its measures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dbrouter.backends.kernel.filters import Comparison, Field, compare, eq, not_null, one_of
from dbrouter.backends.kernel.ops import Aggregate, Computed, Measure, Order, Page
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import insert
from dbrouter.testing.conformance.records import learning

DATA = (
    learning("1", user_id="ann", namespace="x", updated_at=10, content={"kind": "a"}),
    learning("2", user_id="ann", namespace="y", updated_at=20, content={"kind": "b"}),
    learning("3", user_id="ann", namespace="x", updated_at=60, content={"kind": "a"}),
    learning("4", user_id="bob", namespace="z", content={"kind": "a"}),
    learning("5", namespace="x", updated_at=5, content={}),
)
COUNT = Computed(name="count", measure=Measure.COUNT)
BY_USER = Aggregate(table="learnings", by={"user": Field("user_id")}, measures=(COUNT,))


async def groups(store: Store, aggregate: Aggregate) -> list[dict[str, Any]]:
    """The aggregate's records over `DATA`."""
    await insert(store, "learnings", *DATA)
    return (await store.execute(aggregate)).records


async def test_each_distinct_value_is_a_group_and_null_is_one_too(store: Store) -> None:
    assert await groups(store, replace(BY_USER, order=(Order(Field("user")),))) == [
        {"user": "ann", "count": 3},
        {"user": "bob", "count": 1},
        {"user": None, "count": 1},
    ]


async def test_groups_may_be_of_several_fields_and_inside_json(store: Store) -> None:
    by = {"user": Field("user_id"), "kind": Field("content", ("kind",))}
    records = await groups(store, replace(BY_USER, by=by, where=not_null("user_id")))
    assert sorted((each["user"], each["kind"], each["count"]) for each in records) == [
        ("ann", "a", 2),
        ("ann", "b", 1),
        ("bob", "a", 1),
    ]


async def test_every_measure_leaves_nulls_out(store: Store) -> None:
    updated = Field("updated_at")
    measures = (
        COUNT,
        Computed(name="known", measure=Measure.COUNT, field=updated),
        Computed(name="spaces", measure=Measure.DISTINCT, field=Field("namespace")),
        Computed(name="least", measure=Measure.MIN, field=updated),
        Computed(name="most", measure=Measure.MAX, field=updated),
        Computed(name="mean", measure=Measure.MEAN, field=updated),
        Computed(name="p95", measure=Measure.P95, field=updated),
    )
    records = await groups(store, replace(BY_USER, measures=measures, order=(Order(Field("user")),)))
    assert [each["user"] for each in records] == ["ann", "bob", None]
    ann, bob, nobody = records
    assert (ann["count"], ann["known"], ann["spaces"], ann["least"], ann["most"]) == (3, 3, 2, 10, 60)
    assert ann["mean"] == pytest.approx(30.0)
    assert ann["p95"] == pytest.approx(56.0)
    assert bob == {
        "user": "bob",
        "count": 1,
        "known": 0,
        "spaces": 1,
        "least": None,
        "most": None,
        "mean": None,
        "p95": None,
    }
    assert (nobody["mean"], nobody["p95"], nobody["least"]) == (pytest.approx(5.0), pytest.approx(5.0), 5)


async def test_a_measure_may_look_at_some_records_only(store: Store) -> None:
    old = compare("updated_at", Comparison.LE, 20)
    measures = (
        COUNT,
        Computed(name="old", measure=Measure.COUNT, where=old),
        Computed(name="old_max", measure=Measure.MAX, field=Field("updated_at"), where=old),
        Computed(name="x_spaces", measure=Measure.DISTINCT, field=Field("namespace"), where=eq("namespace", "x")),
        Computed(name="p95", measure=Measure.P95, field=Field("updated_at"), where=old),
    )
    records = await groups(
        store, replace(BY_USER, measures=measures, where=not_null("user_id"), order=(Order(Field("user")),))
    )
    assert [{key: value for key, value in each.items() if key != "p95"} for each in records] == [
        {"user": "ann", "count": 3, "old": 2, "old_max": 20, "x_spaces": 1},
        {"user": "bob", "count": 1, "old": 0, "old_max": None, "x_spaces": 0},
    ]
    assert records[0]["p95"] == pytest.approx(19.5)
    assert records[1]["p95"] is None


async def test_the_bytes_of_a_column_grow_with_what_is_in_it_and_are_null_over_nothing(store: Store) -> None:
    async def kept(column: str) -> int | None:
        measure = Computed(name="bytes", measure=Measure.BYTES, field=Field(column))
        page = await store.execute(Aggregate(table="learnings", by={}, measures=(measure,)))
        return page.records[0]["bytes"]

    assert await kept("agent_id") is None
    for column, value in (("agent_id", "äö\U0001f600" * 10), ("content", {"text": "äö" * 10})):
        before = await kept(column)
        await insert(store, "learnings", learning(f"with {column}", **{column: value}))
        after = await kept(column)
        assert after is not None
        # At least its text in UTF-8; what a store adds to it is its own.
        assert 40 <= after - (before or 0) <= 120


async def test_text_has_a_least_and_a_greatest_by_code_point(store: Store) -> None:
    names = ["a", "Z", "é", "_"]
    await insert(store, "learnings", *(learning(name, namespace=name) for name in names))
    measures = (
        Computed(name="first", measure=Measure.MIN, field=Field("namespace")),
        Computed(name="last", measure=Measure.MAX, field=Field("namespace")),
    )
    page = await store.execute(Aggregate(table="learnings", by={"kind": Field("learning_type")}, measures=measures))
    assert page.records == [{"kind": "note", "first": "Z", "last": "é"}]


async def test_the_95th_percentile_lies_between_ranks(store: Store) -> None:
    await insert(store, "learnings", *(learning(f"{value}", updated_at=value) for value in range(1, 42)))
    measure = Computed(name="p95", measure=Measure.P95, field=Field("updated_at"))
    page = await store.execute(Aggregate(table="learnings", by={"kind": Field("learning_type")}, measures=(measure,)))
    assert page.records[0]["p95"] == pytest.approx(39.0)
    await insert(store, "learnings", learning("x", updated_at=1000))
    page = await store.execute(Aggregate(table="learnings", by={"kind": Field("learning_type")}, measures=(measure,)))
    assert page.records[0]["p95"] == pytest.approx(39.95)


async def test_groups_are_ordered_by_result_columns_and_ties_by_group(store: Store) -> None:
    by_space = replace(BY_USER, by={"space": Field("namespace")})
    await insert(store, "learnings", *DATA)
    ascending = await store.execute(replace(by_space, order=(Order(Field("count")),)))
    assert [each["space"] for each in ascending.records] == ["y", "z", "x"]
    descending = await store.execute(replace(by_space, order=(Order(Field("count"), descending=True),)))
    assert descending.records[0] == {"space": "x", "count": 3}
    by_null = replace(
        BY_USER,
        measures=(Computed(name="most", measure=Measure.MAX, field=Field("updated_at")),),
        order=(Order(Field("most"), descending=True),),
    )
    assert [each["user"] for each in (await store.execute(by_null)).records] == ["bob", "ann", None]


async def test_pages_of_groups_neither_repeat_nor_miss_one_and_the_total_counts_groups(store: Store) -> None:
    await insert(
        store, "learnings", *(learning(f"{index}", user_id=f"u{index % 20:02}", namespace="x") for index in range(60))
    )
    seen: list[str] = []
    for offset in range(0, 25, 3):
        page = await store.execute(
            replace(BY_USER, order=(Order(Field("count"), descending=True),), limit=3, offset=offset, total=True)
        )
        assert page.total == 20
        assert all(each["count"] == 3 for each in page.records)
        seen += [each["user"] for each in page.records]
    assert sorted(seen) == [f"u{index:02}" for index in range(20)]
    assert (await store.execute(BY_USER)).total is None


async def test_the_filter_decides_what_is_grouped(store: Store) -> None:
    assert await groups(store, replace(BY_USER, where=eq("user_id", "nobody"), total=True)) == []
    page = await store.execute(replace(BY_USER, where=eq("user_id", "nobody"), total=True))
    assert page.total == 0


async def test_without_measures_the_distinct_values_are_answered(store: Store) -> None:
    records = await groups(store, Aggregate(table="learnings", by={"space": Field("namespace")}, measures=()))
    assert sorted(each["space"] for each in records) == ["x", "y", "z"]


async def test_all_records_are_one_group_where_no_field_is_named(store: Store) -> None:
    assert await groups(store, replace(BY_USER, by={})) == [{"count": 5}]


async def test_groups_that_tie_go_the_way_of_the_first_term(store: Store) -> None:
    by_space = replace(BY_USER, by={"space": Field("namespace")}, where=one_of("namespace", ["y", "z"]))
    assert [each["space"] for each in await groups(store, by_space)] == ["y", "z"]
    backwards = replace(by_space, order=(Order(Field("count"), descending=True),))
    assert [each["space"] for each in (await store.execute(backwards)).records] == ["z", "y"]


async def test_the_one_group_is_there_and_counted_before_its_table_is(store: Store) -> None:
    page = await store.execute(replace(BY_USER, by={}, total=True))
    assert page == Page([{"count": 0}], 1)
