"""What BSON cannot hold as it is comes back the same, or is refused by name before anything is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import bson
import pytest

from dbrouter.backends.kernel.errors import Conflict, TooLarge, Unstorable
from dbrouter.backends.kernel.filters import Compare, Comparison, Field, eq
from dbrouter.backends.kernel.merging import OwnerGuard, Replace
from dbrouter.backends.kernel.ops import Commit, Get, Insert, Op, Put, Scan, Stored, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.fidelity import same
from dbrouter.testing.conformance.records import learning, run, session

AWKWARD: dict[str, Any] = {
    "a.b": 1,
    "$ref": "#/definitions/x",
    "$id": 7,
    "$": {"$set": {"$": None}},
    "": "empty",
    "a\x00b": "nul in a key",
    "\ud800": "half a character",
    "deep": [{"c.d": [{"$in": [1]}]}],
    "big": [2**63, 2**64 - 1, -(2**63)],
    "nan": [math.nan, -0.0],
    "digits": "1" * 30,
}


def ask(store: Store, op: Op[Any]) -> Any:
    """The op's answer."""
    return finish(store.execute(op))


def content(store: Store, key: str = "a") -> Any:
    """What is stored, read back."""
    return ask(store, Get(table="learnings", key=(key,))).record["content"]


def test_keys_that_mongodb_reads_in_its_own_way_come_back_the_same(store: Store) -> None:
    ask(store, Insert(table="learnings", records=(learning("a", content=AWKWARD),)))
    assert same(content(store), AWKWARD)
    ask(store, Upsert(table="learnings", records=(learning("a", content=[AWKWARD]),), rules={"content": Replace()}))
    assert same(content(store), [AWKWARD])


def test_keys_that_mongodb_reads_in_its_own_way_are_found(store: Store) -> None:
    ask(store, Insert(table="learnings", records=(learning("a", content=AWKWARD),)))
    for path, value in ((("a.b",), "1"), (("$ref",), "#/definitions/x"), (("",), "empty")):
        where = Compare(Field("content", path), Comparison.EQ, value)
        assert len(ask(store, Scan(table="learnings", where=where)).records) == 1, path


def test_what_only_bson_has_types_for_is_read_as_json_would_have_it(store: Store, client: Any, database: str) -> None:
    moment = datetime(2024, 2, 29, 12, tzinfo=UTC)
    odd = {"at": moment, "raw": b"\x00\xff", "ref": {"$ref": "a", "$id": 1}, "n": bson.Int64(2**40)}
    client[database]["agno_learnings"].insert_one({"learning_id": "a", "learning_type": "x", "content": odd})
    found = content(store)
    assert found == {"at": "2024-02-29T12:00:00+00:00", "raw": b"\x00\xff", "ref": {"$ref": "a", "$id": 1}, "n": 2**40}
    assert type(found["n"]) is int


def test_an_answer_of_the_key_alone_has_it_as_it_was_given(store: Store) -> None:
    guard = OwnerGuard("user_id", claim=True)
    asked = Upsert(table="sessions", records=(session("a\x00b", user_id="\ud800"),), guard=guard, returning=False)
    assert [each.record for each in ask(store, asked)] == [{"session_id": "a\x00b"}]


def nested(levels: int) -> Any:
    """A list in a list in a list ..."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_a_value_that_is_nested_too_deep_is_refused_by_name(store: Store, client: Any, database: str) -> None:
    ask(store, Insert(table="learnings", records=(learning("a", content=nested(90)),)))
    assert content(store) == nested(90)
    with pytest.raises(Unstorable, match=r"learnings\.content is nested more than 90 deep"):
        ask(store, Insert(table="learnings", records=(learning("b", content=nested(91)),)))
    assert client[database]["agno_learnings"].count_documents({}) == 1


def test_a_number_beyond_64_bits_is_refused_where_a_column_holds_numbers(store: Store) -> None:
    with pytest.raises(Unstorable, match=r"sessions\.updated_at"):
        ask(store, Insert(table="sessions", records=(session("s1", updated_at=2**63),)))


WAYS: dict[str, Callable[[Any], Op[Any]]] = {
    "insert": lambda record: Insert(table="runs", records=(record,)),
    "put": lambda record: Commit(writes=(Put(table="runs", record=record),)),
    "upsert": lambda record: Upsert(table="runs", records=(record,), rules={"run_data": Replace()}),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_run_of_20_mb_is_refused_by_name_before_anything_is_sent(
    store: Store, requests: Any, way: Callable[[Any], Op[Any]]
) -> None:
    ask(store, Insert(table="sessions", records=(session("s1"),)))
    ask(store, Insert(table="runs", records=(run("r0"),)))
    requests.sent.clear()
    with pytest.raises(TooLarge, match=r"runs: the record takes 19\.\d MiB"):
        ask(store, way(run("r1", run_data={"text": "x" * 20_000_000})))
    assert requests.sent == []


def test_a_run_of_15_mb_is_stored(store: Store) -> None:
    ask(store, Insert(table="sessions", records=(session("s1"),)))
    large = {"text": "ä" * 7_500_000}
    ask(store, Upsert(table="runs", records=(run("r1", run_data=large),), rules={"run_data": Replace()}))
    assert ask(store, Get(table="runs", key=("r1",))).record["run_data"] == large


def test_what_agno_changes_inside_a_document_is_another_version(store: Store, client: Any, database: str) -> None:
    ask(store, Insert(table="sessions", records=(session("s1", session_data={"n": 1}),)))
    read: Stored = ask(store, Get(table="sessions", key=("s1",), versioned=True))
    # As agno renames a session: nothing but the name changes, not even its length.
    client[database]["agno_sessions"].update_one({"session_id": "s1"}, {"$set": {"session_data.n": 2}})
    with pytest.raises(Conflict):
        ask(store, Commit(writes=(Put(table="sessions", record=read.record, expect=read.version),)))
    assert ask(store, Get(table="sessions", key=("s1",), where=eq("session_id", "s1"))).record["session_data"] == {
        "n": 2
    }
