"""Text and values survive: what goes in comes out the same, in JSON, in plain columns and in keys."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from dbrouter.backends.kernel.errors import Unstorable
from dbrouter.backends.kernel.filters import eq, one_of
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import Commit, Get, Put, Update, Upsert
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import found, insert, record_of
from dbrouter.testing.conformance.records import learning, run, session, transcript

TEXTS: dict[str, str] = {
    "empty": "",
    "blank": " ",
    "spaces around": "  a  ",
    "nul": "a\x00b",
    "only nul": "\x00",
    "high surrogate": "\ud800",
    "low surrogate": "x\udfffy",
    "surrogates that look like a pair": "\ud83d\ude00",
    "emoji": "😀👩‍👩‍👧",
    "composed": "\u00e9",
    "decomposed": "e\u0301",
    "the codec's mark": "\ufdd0",
    "looks like an escaped nul": "\ufdd00000",
    "looks like a tagged number": "\ufdd0dec:1.5",
    "backslash escape": "\\u0000\\x00\\",
    "quotes": "'\"`",
    "wildcards": "%_*?[a]",
    "placeholders": ":name %s %(x)s ? $1 {x}",
    "line breaks": "a\r\nb\n\tc",
    "line separators": "\u2028\u2029\x85",
    "byte order mark": "\ufeffa",
    "noncharacter": "\uffff\U0010ffff",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f",
    "null": "null",
    "number": "1",
    "json": '{"a": [1, 2]}',
}

VALUES: dict[str, Any] = {
    "big": 2**63,
    "small": -(2**63) - 1,
    "edge": [2**63 - 1, -(2**63), 2**53 + 1],
    "huge": 10**400 + 7,
    "nan": math.nan,
    "infinities": [math.inf, -math.inf],
    "negative zero": -0.0,
    "whole float": 1.0,
    "large float": 1e22,
    "larger float": 1e308,
    "tiny float": 5e-324,
    "precise float": 0.1 + 0.2,
    "decimal": Decimal("1.10"),
    "bytes": b"\x00\xff",
    "booleans": [True, False, 1, 0],
    "nothing": [None, {}, [], ""],
    "deep": {"a": [{"b": [{"c": [[[]]]}]}]},
    "order of keys": {"z": 1, "a": 2, "m": 3},
    "text keys": dict.fromkeys(TEXTS.values(), 1),
    "texts": list(TEXTS.values()),
    "long": "ä\x00" * 50_000,
}


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal in type, in sign of zero, and all through; NaN equals NaN."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return repr(left) == repr(right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(each, right[key]) for key, each in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(same(each, other) for each, other in zip(left, right, strict=True))
    return bool(left == right)


@pytest.mark.parametrize("value", list(VALUES.values()), ids=list(VALUES))
async def test_a_json_value_comes_back_the_same(store: Store, value: Any) -> None:
    await insert(store, "sessions", session("s1", session_data={"value": value}, metadata=value))
    record = await record_of(store, "sessions", "s1")
    assert same(record["session_data"], {"value": value})
    assert same(record["metadata"], value)


async def test_a_json_value_comes_back_the_same_by_every_way_of_writing(store: Store) -> None:
    content = {**VALUES, **TEXTS}
    await insert(store, "learnings", learning("update"), learning("merge"))
    await store.execute(Update(table="learnings", where=eq("learning_id", "update"), changes={"content": content}))
    await store.execute(Commit(writes=(Put(table="learnings", record=learning("put", content=content)),)))
    for key in ("merge", "new"):
        await store.execute(
            Upsert(table="learnings", records=(learning(key, content=content),), rules={"content": Replace()})
        )
    for key in ("update", "put", "merge", "new"):
        assert same((await record_of(store, "learnings", key))["content"], content), key


async def test_what_json_has_no_form_for_becomes_what_agno_makes_of_it(store: Store) -> None:
    moment, day, number = datetime(2024, 2, 29, 12, tzinfo=UTC), date(2024, 2, 29), UUID(int=7)
    await insert(
        store, "sessions", session("s1", session_data={"at": moment, "day": day, "id": number, "pair": (1, "a")})
    )
    assert (await record_of(store, "sessions", "s1"))["session_data"] == {
        "at": "2024-02-29T12:00:00+00:00",
        "day": "2024-02-29",
        "id": "00000000-0000-0000-0000-000000000007",
        "pair": [1, "a"],
    }


@pytest.mark.parametrize("text", list(TEXTS.values()), ids=list(TEXTS))
async def test_a_text_comes_back_the_same_from_every_kind_of_column(store: Store, text: str) -> None:
    await insert(store, "sessions", session("s1", user_id=text))
    await insert(store, "transcripts", transcript(1, entry=text, entry_uuid=text))
    await insert(store, "learnings", learning("a", namespace=text, metadata=text, content={text: text}))
    assert (await record_of(store, "sessions", "s1"))["user_id"] == text
    assert (await record_of(store, "transcripts", "f", "p", "x", "", 1))["entry"] == text
    record = await record_of(store, "learnings", "a")
    assert (record["namespace"], record["metadata"], record["content"]) == (text, text, {text: text})


@pytest.mark.parametrize("text", list(TEXTS.values()), ids=list(TEXTS))
async def test_a_text_is_found_by_equality_and_as_a_key(store: Store, text: str) -> None:
    await insert(store, "sessions", session(text, user_id=text), session(f"{text}.", user_id=f"{text}."))
    await insert(store, "runs", run(f"r{text}", text))
    answer = await store.execute(Get(table="sessions", key=(text,), where=eq("user_id", text)))
    assert answer is not None
    assert answer.record["session_id"] == text
    assert await found(store, "sessions", eq("user_id", text)) == {text}
    assert await found(store, "runs", one_of("session_id", [text, "other"])) == {f"r{text}"}
    many = [f"other {number}" for number in range(150)]
    assert await found(store, "runs", one_of("session_id", [text, *many])) == {f"r{text}"}
    changed = await store.execute(Update(table="sessions", where=eq("session_id", text), changes={"agent_id": text}))
    assert [each["agent_id"] for each in changed] == [text]


async def test_texts_that_look_alike_are_different_keys(store: Store) -> None:
    await insert(store, "learnings", *(learning(text, namespace=name) for name, text in TEXTS.items()))
    assert await found(store, "learnings") == set(TEXTS.values())
    for name, text in TEXTS.items():
        assert (await record_of(store, "learnings", text))["namespace"] == name


async def test_a_long_text_comes_back_the_same(store: Store) -> None:
    text = "ä\x00😀" * 100_000
    await insert(store, "sessions", session("s1"))
    await insert(store, "transcripts", transcript(1, entry=text))
    assert (await record_of(store, "transcripts", "f", "p", "x", "", 1))["entry"] == text


@pytest.mark.parametrize(
    "number",
    [2**63, -(10**30), 10**5000, math.inf, math.nan],
    ids=["64 bits", "30 digits", "5000 digits", "inf", "nan"],
)
async def test_a_number_that_a_column_cannot_hold_comes_back_or_is_refused_and_nothing_is_lost(
    store: Store, number: float
) -> None:
    await insert(store, "learnings", learning("before", updated_at=1))
    try:
        await insert(store, "learnings", learning("after", updated_at=number))
    except Unstorable:
        assert await found(store, "learnings") == {"before"}
    else:
        assert same((await record_of(store, "learnings", "after"))["updated_at"], number)
        assert await found(store, "learnings") == {"before", "after"}
