"""Load: a record together with its children, in one answer."""

from __future__ import annotations

from dataclasses import replace

from dbrouter.backends.kernel.codec import decode
from dbrouter.backends.kernel.filters import EVERYTHING, Comparison, Field, Not, Related, compare, eq
from dbrouter.backends.kernel.ops import Children, Commit, Load, Order, Put
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import insert, version_of
from dbrouter.testing.conformance.records import learning, run, session

RUNS = Children(
    table="runs",
    on=("session_id",),
    columns=("run_id", "run_data"),
    order=(Order(Field("run_index")), Order(Field("created_at"))),
)
S1 = Load(table="sessions", key=("s1",), children=RUNS)


async def _two_sessions(store: Store) -> None:
    await insert(store, "sessions", session("s1", user_id="ann", session_data={"n": 1}), session("s2"))
    await insert(
        store,
        "runs",
        run("r2", run_index=1, status="DONE", run_data={"n": 2}),
        run("r1", run_index=0, status="OPEN", run_data={"n": 1}),
        run("late", created_at=5, status="DONE", run_data={}),
        run("early", created_at=4, status="DONE", run_data={}),
        run("other", "s2", run_index=0),
    )


async def test_the_record_comes_with_its_own_children_in_order(store: Store) -> None:
    await _two_sessions(store)
    loaded = await store.execute(S1)
    assert loaded is not None
    assert loaded.record["session_data"] == {"n": 1}
    assert loaded.record["user_id"] == "ann"
    assert loaded.record["team_id"] is None
    assert loaded.children == [
        {"run_id": "r1", "run_data": {"n": 1}},
        {"run_id": "r2", "run_data": {"n": 2}},
        {"run_id": "early", "run_data": {}},
        {"run_id": "late", "run_data": {}},
    ]


async def test_the_version_is_the_one_a_commit_expects(store: Store) -> None:
    await _two_sessions(store)
    loaded = await store.execute(S1)
    assert loaded is not None
    assert loaded.version == await version_of(store, "sessions", "s1")
    await store.execute(Commit(writes=(Put(table="sessions", record=session("s1"), expect=loaded.version),)))


async def test_a_record_without_children_comes_alone(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    loaded = await store.execute(S1)
    assert loaded is not None
    assert loaded.children == []


async def test_an_unknown_key_or_a_filter_that_does_not_match_answers_nothing(store: Store) -> None:
    assert await store.execute(S1) is None
    await _two_sessions(store)
    assert await store.execute(replace(S1, key=("s9",))) is None
    assert await store.execute(replace(S1, where=eq("user_id", "bob"))) is None
    assert await store.execute(replace(S1, where=eq("user_id", "ann"))) is not None


async def test_related_records_decide_even_where_their_table_does_not_exist_yet(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    of_learning = Related("session_id", "learnings", "session_id", EVERYTHING)
    assert await store.execute(replace(S1, where=of_learning)) is None
    assert await store.execute(replace(S1, where=Not(of_learning))) is not None
    await insert(store, "runs", run("r1"))
    loaded = await store.execute(replace(S1, children=replace(RUNS, where=Not(of_learning))))
    assert loaded is not None
    assert [child["run_id"] for child in loaded.children] == ["r1"]
    await insert(store, "learnings", learning("a", session_id="s1"))
    loaded = await store.execute(replace(S1, where=of_learning, children=replace(RUNS, where=Not(of_learning))))
    assert loaded is not None
    assert loaded.children == []


async def test_children_are_filtered_limited_and_ordered_either_way(store: Store) -> None:
    await _two_sessions(store)
    newest = (Order(Field("run_index"), descending=True), Order(Field("created_at"), descending=True))
    for children, expected in [
        (replace(RUNS, where=eq("status", "DONE")), ["r2", "early", "late"]),
        (replace(RUNS, limit=2), ["early", "late"]),
        (replace(RUNS, limit=0), []),
        (replace(RUNS, limit=9, order=newest), ["late", "early", "r2", "r1"]),
        (replace(RUNS, limit=3, order=newest), ["early", "r2", "r1"]),
        (replace(RUNS, limit=1, where=compare("run_index", Comparison.GE, 0)), ["r2"]),
    ]:
        loaded = await store.execute(replace(S1, children=children))
        assert loaded is not None
        assert [child["run_id"] for child in loaded.children] == expected, children


async def test_raw_json_of_the_record_and_its_children_is_the_codecs_text(store: Store) -> None:
    await insert(store, "sessions", session("s1", session_data={"nul": "\x00"}, metadata={"a": 1}))
    await insert(store, "runs", run("r1", run_data={"big": 2**70}))
    load = replace(S1, raw=frozenset({"session_data"}), children=replace(RUNS, raw=frozenset({"run_data"})))
    loaded = await store.execute(load)
    assert loaded is not None
    assert decode(loaded.record["session_data"]) == {"nul": "\x00"}
    assert isinstance(loaded.record["session_data"], str)
    assert loaded.record["metadata"] == {"a": 1}
    assert decode(loaded.children[0]["run_data"]) == {"big": 2**70}
    assert isinstance(loaded.children[0]["run_data"], str)


async def test_a_long_history_is_loaded_whole(store: Store) -> None:
    await insert(store, "sessions", session("s1"))
    await insert(
        store, "runs", *(run(f"r{index}", run_index=index, run_data={"text": "x" * 2000}) for index in range(300))
    )
    loaded = await store.execute(S1)
    assert loaded is not None
    assert [child["run_id"] for child in loaded.children] == [f"r{index}" for index in range(300)]
    assert all(child["run_data"] == {"text": "x" * 2000} for child in loaded.children)
