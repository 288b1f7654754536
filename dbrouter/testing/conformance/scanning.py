"""Scan: the records that match, in order, in pages that neither repeat nor miss one."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.codec import decode
from dbrouter.backends.kernel.errors import TooLarge
from dbrouter.backends.kernel.filters import Field, eq
from dbrouter.backends.kernel.ops import Order, Scan
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import insert, listed
from dbrouter.testing.conformance.records import learning, session, transcript

CREATED = Order(Field("created_at"))
NEWEST = Order(Field("created_at"), descending=True)


async def test_nulls_count_as_larger_than_every_value(store: Store) -> None:
    await insert(
        store,
        "learnings",
        learning("a", updated_at=2),
        learning("b"),
        learning("c", updated_at=1),
        learning("d", updated_at=-3),
    )
    ascending = Scan(table="learnings", order=(Order(Field("updated_at")),))
    descending = Scan(table="learnings", order=(Order(Field("updated_at"), descending=True),))
    assert await listed(store, ascending) == ["d", "c", "a", "b"]
    assert await listed(store, descending) == ["b", "a", "c", "d"]


async def test_text_sorts_by_code_point(store: Store) -> None:
    names = ["", " ", "-", "10", "9", "A", "Z", "_", "a", "a b", "ab", "z", "é", "ﬁ", "\uffee", "𝒳", "😀"]
    assert names == sorted(names)
    await insert(
        store, "learnings", *(learning(f"{index:02}", namespace=name) for index, name in enumerate(reversed(names)))
    )
    page = await store.execute(Scan(table="learnings", order=(Order(Field("namespace")),)))
    assert [record["namespace"] for record in page.records] == names


async def test_a_second_term_decides_where_the_first_is_equal(store: Store) -> None:
    await insert(
        store,
        "learnings",
        learning("a", user_id="u1", updated_at=1),
        learning("b", user_id="u2", updated_at=5),
        learning("c", user_id="u1", updated_at=9),
        learning("d", user_id="u2"),
    )
    order = (Order(Field("user_id")), Order(Field("updated_at"), descending=True))
    assert await listed(store, Scan(table="learnings", order=order)) == ["c", "a", "d", "b"]


async def test_a_fallback_stands_in_for_null_and_only_for_null(store: Store) -> None:
    await insert(
        store,
        "sessions",
        session("a", created_at=1, updated_at=50),
        session("b", created_at=30),
        session("c", created_at=99, updated_at=0),
    )
    order = (Order(Field("updated_at"), fallback="created_at"),)
    assert await listed(store, Scan(table="sessions", order=order)) == ["c", "b", "a"]


async def test_text_inside_json_can_be_sorted_by(store: Store) -> None:
    await insert(
        store,
        "learnings",
        learning("a", content={"at": {"city": "Oslo"}}),
        learning("b", content={"at": {"city": "Bern"}}),
        learning("c", content={"at": {}}),
    )
    order = (Order(Field("content", ("at", "city")), descending=True),)
    assert await listed(store, Scan(table="learnings", order=order)) == ["c", "a", "b"]


@pytest.mark.parametrize(
    "order",
    [
        (),
        (CREATED,),
        (NEWEST,),
        (Order(Field("user_id")), NEWEST),
        (Order(Field("updated_at"), fallback="created_at"),),
    ],
    ids=["unordered", "ascending", "descending", "two terms", "fallback"],
)
async def test_pages_over_ties_neither_repeat_nor_miss_a_record(store: Store, order: tuple[Order, ...]) -> None:
    keys = [f"k{index:03}" for index in range(60)]
    records = [learning(key, created_at=index % 3, user_id=["x", None][index % 2]) for index, key in enumerate(keys)]
    await insert(store, "learnings", *records[30:], *records[:30])
    seen: list[str] = []
    for offset in range(0, 70, 7):
        page = await store.execute(Scan(table="learnings", order=order, limit=7, offset=offset, total=True))
        assert page.total == 60
        seen += [record["learning_id"] for record in page.records]
    assert sorted(seen) == keys
    assert seen == await listed(store, Scan(table="learnings", order=order))


@pytest.mark.parametrize("order", [(), (CREATED,), (NEWEST,)], ids=["unordered", "ascending", "descending"])
async def test_pages_over_keys_longer_than_an_index_takes(store: Store, order: tuple[Order, ...]) -> None:
    # Alike for longer than any index keeps: what it cuts off decides which comes first.
    alike = "k" * await _longest_key(store)
    keys = sorted(f"{alike if index % 3 else 'kk'}{index:03}" for index in range(30))
    await insert(store, "learnings", *(learning(key, user_id="ann", created_at=1) for key in (*keys[20:], *keys[:20])))
    where = eq("user_id", "ann")
    whole = await listed(store, Scan(table="learnings", where=where, order=order))
    seen: list[str] = []
    for offset in range(0, 35, 5):
        page = await store.execute(
            Scan(table="learnings", where=where, order=order, limit=5, offset=offset, total=True)
        )
        assert page.total == 30
        seen += [record["learning_id"] for record in page.records]
    assert seen == whole == sorted(keys, reverse=order == (NEWEST,))


async def _longest_key(store: Store) -> int:
    """700 characters, or 120 where such a key is refused."""
    try:
        await insert(store, "learnings", learning("k" * 703, user_id="nobody", created_at=1))
    except TooLarge:
        return 120
    return 700


async def test_ties_go_by_key_in_the_direction_of_the_first_term(store: Store) -> None:
    await insert(store, "learnings", *(learning(key) for key in "bdac"))
    assert await listed(store, Scan(table="learnings")) == ["a", "b", "c", "d"]
    assert await listed(store, Scan(table="learnings", order=(CREATED,))) == ["a", "b", "c", "d"]
    assert await listed(store, Scan(table="learnings", order=(NEWEST,))) == ["d", "c", "b", "a"]


async def test_ties_go_by_every_column_of_the_key(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    entries = [transcript(position, subpath=path) for position in (10, 9, 2) for path in ("b", "a")]
    await insert(store, "transcripts", *entries)
    page = await store.execute(Scan(table="transcripts", order=(CREATED,)))
    assert [(each["subpath"], each["position"]) for each in page.records] == [
        ("a", 2),
        ("a", 9),
        ("a", 10),
        ("b", 2),
        ("b", 9),
        ("b", 10),
    ]


async def test_the_total_counts_what_matches_whatever_the_page_shows(store: Store) -> None:
    await insert(store, "learnings", *(learning(key, user_id="ann") for key in "abc"), learning("d"))
    asked = Scan(table="learnings", where=eq("user_id", "ann"), limit=2, total=True)
    page = await store.execute(asked)
    assert (len(page.records), page.total) == (2, 3)
    beyond = await store.execute(Scan(table="learnings", where=eq("user_id", "ann"), limit=2, offset=9, total=True))
    assert (beyond.records, beyond.total) == ([], 3)
    none = await store.execute(Scan(table="learnings", where=eq("user_id", "ann"), limit=0, total=True))
    assert (none.records, none.total) == ([], 3)
    unasked = await store.execute(Scan(table="learnings", limit=2))
    assert unasked.total is None


async def test_an_offset_without_a_limit_shows_the_rest(store: Store) -> None:
    await insert(store, "learnings", *(learning(key) for key in "abc"))
    assert await listed(store, Scan(table="learnings", offset=1)) == ["b", "c"]


async def test_a_limit_may_be_larger_than_any_number_of_records_and_an_offset_too(store: Store) -> None:
    await insert(store, "learnings", *(learning(each) for each in "abc"))
    assert await listed(store, Scan(table="learnings", limit=10**30)) == ["a", "b", "c"]
    assert await listed(store, Scan(table="learnings", limit=10**30, offset=2)) == ["c"]
    assert await listed(store, Scan(table="learnings", limit=1, offset=10**30)) == []


async def test_only_the_columns_asked_for_are_answered(store: Store) -> None:
    await insert(
        store, "learnings", learning("a", user_id="ann", updated_at=2), learning("b", user_id="bob", updated_at=1)
    )
    scan = Scan(
        table="learnings",
        columns=("user_id", "content"),
        order=(Order(Field("updated_at")),),
        where=eq("learning_type", "note"),
    )
    page = await store.execute(scan)
    assert page.records == [{"user_id": "bob", "content": {}}, {"user_id": "ann", "content": {}}]


async def test_raw_json_is_the_codecs_text(store: Store) -> None:
    awkward = {"nul": "a\x00b", "big": 2**80, "list": [1, 2.5, None], "ü": "😀"}
    await insert(store, "learnings", learning("a", content=awkward, metadata=[awkward]), learning("b", content=[]))
    page = await store.execute(Scan(table="learnings", columns=("content", "metadata"), raw=frozenset({"content"})))
    first, second = page.records
    assert isinstance(first["content"], str)
    assert decode(first["content"]) == awkward
    assert first["metadata"] == [awkward]
    assert decode(second["content"]) == []


async def test_raw_leaves_a_null_null(store: Store) -> None:
    await insert(store, "learnings", learning("a"))
    page = await store.execute(Scan(table="learnings", raw=frozenset({"content", "metadata"})))
    assert page.records[0]["metadata"] is None
