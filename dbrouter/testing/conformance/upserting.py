"""Upsert: insert, or merge into what is stored by one rule a column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Duplicate, MissingParent, Unstorable
from dbrouter.backends.kernel.filters import Contains, Field, all_of, eq, not_null
from dbrouter.backends.kernel.merging import (
    Elapsed,
    Fill,
    Greatest,
    Keep,
    Least,
    OwnerGuard,
    Present,
    Ranked,
    Record,
    Replace,
    Rule,
    merged,
)
from dbrouter.backends.kernel.ops import ABSENT, Commit, Put, Stored, Upsert
from dbrouter.backends.kernel.store import Store
from dbrouter.testing.conformance.asking import all_well, at_once, found, insert, record_of, version_of
from dbrouter.testing.conformance.records import learning, metric, run, schedule, session, token, trace

REPLACE = {"content": Replace(), "user_id": Replace()}


async def upsert(
    store: Store, table: str, *records: Record, rules: Mapping[str, Rule], **more: Any
) -> list[Stored | None]:
    """Upsert the records."""
    return await store.execute(Upsert(table=table, records=records, rules=rules, **more))


async def test_an_unknown_record_is_inserted_as_it_is(store: Store) -> None:
    (answer,) = await upsert(store, "learnings", learning("a", user_id="ann"), rules={"user_id": Keep()})
    assert answer is not None
    assert answer.record == await record_of(store, "learnings", "a")
    assert answer.record["user_id"] == "ann"
    assert answer.record["updated_at"] is None


async def test_columns_without_a_rule_stay(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="ann", namespace="n", content={"n": 1}))
    incoming = learning("a", user_id="bob", namespace="other", content={"n": 2}, created_at=999)
    (answer,) = await upsert(store, "learnings", incoming, rules={"content": Replace()})
    assert answer is not None
    record = await record_of(store, "learnings", "a")
    assert answer.record == record
    assert (record["user_id"], record["namespace"], record["content"], record["created_at"]) == (
        "ann",
        "n",
        {"n": 2},
        100,
    )


async def test_without_rules_a_known_record_stays_and_is_answered(store: Store) -> None:
    await insert(store, "learnings", learning("a", user_id="ann"))
    (answer,) = await upsert(store, "learnings", learning("a", user_id="bob"), rules={})
    assert answer is not None
    assert answer.record["user_id"] == "ann"


RULES: tuple[Rule, ...] = (Keep(), Replace(), Fill(), Present(), Least(), Greatest())
PAIRS: dict[str, list[tuple[Any, Any]]] = {
    "updated_at": [(5, 7), (7, 5), (5, 5), (None, 5), (5, None), (None, None), (0, 1), (0, -1), (0, None)],
    "namespace": [("a", "b"), ("b", "a"), ("", "a"), ("a", ""), (None, ""), ("", None), ("Z", "a"), ("é", "z")],
    "content": [({"n": 1}, {"n": 2}), ({"n": 1}, {}), ([], {"n": 1}), ({}, "text")],
    "metadata": [({"n": 1}, None), (None, {"n": 1}), (None, None), ({"n": 1}, [])],
}
COMPARED = ("updated_at", "namespace")
"""Columns whose values have an order, which `Least` and `Greatest` need."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
async def test_a_rule_decides_as_the_reference_does(store: Store, rule: Rule) -> None:
    columns = COMPARED if isinstance(rule, Least | Greatest) else tuple(PAIRS)
    for column in columns:
        rules = {column: rule}
        before = [learning(f"{column}{index}", **{column: old}) for index, (old, _) in enumerate(PAIRS[column])]
        after = [learning(f"{column}{index}", **{column: new}) for index, (_, new) in enumerate(PAIRS[column])]
        await insert(store, "learnings", *before)
        answers = await upsert(store, "learnings", *after, rules=rules)
        for stored, incoming, answer in zip(before, after, answers, strict=True):
            expected = merged(stored, incoming, rules)[column]
            assert answer is not None
            assert answer.record[column] == expected, (column, stored[column], incoming[column])
            assert (await record_of(store, "learnings", stored["learning_id"]))[column] == expected


LEVELS = Ranked(
    (
        (all_of(not_null("workflow_id"), Contains(Field("name"), ".run")), 3),
        (all_of(not_null("team_id"), Contains(Field("name"), ".run")), 2),
        (all_of(not_null("agent_id"), Contains(Field("name"), ".run")), 1),
    )
)


@pytest.mark.parametrize(
    ("stored", "incoming", "wins"),
    [
        ({}, {}, False),
        ({}, {"agent_id": "a"}, True),
        ({"agent_id": "a"}, {"agent_id": "b"}, False),
        ({"agent_id": "a"}, {"team_id": "b"}, True),
        ({"team_id": "a"}, {"agent_id": "b"}, False),
        ({"team_id": "a"}, {"agent_id": "b", "workflow_id": "w"}, True),
        ({"workflow_id": "a"}, {}, False),
    ],
)
async def test_the_higher_ranked_record_names_the_trace(
    store: Store, stored: dict[str, str], incoming: dict[str, str], wins: bool
) -> None:
    await insert(store, "traces", trace("t1", name="old.run", **stored))
    rules = {"name": LEVELS, "agent_id": Fill(), "team_id": Fill(), "workflow_id": Fill()}
    (answer,) = await upsert(store, "traces", trace("t1", name="new.run", **incoming), rules=rules)
    assert answer is not None
    assert answer.record["name"] == ("new.run" if wins else "old.run")


async def test_a_record_that_matches_no_case_ranks_lowest(store: Store) -> None:
    await insert(store, "traces", trace("t1", name="some step", workflow_id="w"))
    (answer,) = await upsert(store, "traces", trace("t1", name="agent.run", agent_id="a"), rules={"name": LEVELS})
    assert answer is not None
    assert answer.record["name"] == "agent.run"
    (answer,) = await upsert(store, "traces", trace("t1", name="step", workflow_id="w"), rules={"name": LEVELS})
    assert answer is not None
    assert answer.record["name"] == "agent.run"


@pytest.mark.parametrize(
    ("start", "end", "elapsed"),
    [
        ("2024-05-01T09:59:59+00:00", "2024-05-01T10:00:00.500000+00:00", 2000),
        ("2024-05-01T10:00:00.500000+00:00", "2024-05-01T10:00:03.000999+00:00", 3000),
        ("2024-04-30T10:00:00.123456+00:00", "2024-05-02T10:00:00.123455+00:00", 172_799_999),
        ("2024-02-28T23:59:59.999999+00:00", "2024-03-01T00:00:00.000998+00:00", None),
    ],
)
async def test_elapsed_time_is_between_the_merged_times_in_whole_milliseconds(
    store: Store, start: str, end: str, elapsed: int | None
) -> None:
    rules: dict[str, Rule] = {
        "duration_ms": Elapsed("start_time", "end_time"),
        "start_time": Least(),
        "end_time": Greatest(),
    }
    stored, incoming = trace("t1"), trace("t1", start_time=start, end_time=end, duration_ms=-1)
    expected = merged(stored, incoming, rules)
    assert elapsed is None or expected["duration_ms"] == elapsed
    await insert(store, "traces", stored)
    (answer,) = await upsert(store, "traces", incoming, rules=rules)
    assert answer is not None
    for column in rules:
        assert answer.record[column] == expected[column]


async def test_every_record_is_answered_in_order(store: Store) -> None:
    await insert(store, "learnings", learning("b", content={"n": 0}))
    answers = await upsert(store, "learnings", *(learning(key, content={"n": 1}) for key in "cab"), rules=REPLACE)
    assert [answer and (answer.record["learning_id"], answer.record["content"]) for answer in answers] == [
        ("c", {"n": 1}),
        ("a", {"n": 1}),
        ("b", {"n": 1}),
    ]


async def test_a_record_given_twice_is_merged_twice_in_order(store: Store) -> None:
    answers = await upsert(
        store,
        "learnings",
        learning("a", updated_at=5, content={"n": 1}),
        learning("b"),
        learning("a", updated_at=3, content={"n": 2}),
        rules={"updated_at": Greatest(), "content": Replace()},
    )
    assert len(answers) == 3
    record = await record_of(store, "learnings", "a")
    assert (record["updated_at"], record["content"]) == (5, {"n": 2})


async def test_a_record_given_twice_is_answered_each_time(store: Store) -> None:
    answers = await upsert(
        store,
        "learnings",
        learning("a", user_id="ann", content={"n": 1}),
        learning("a", user_id="bob", content={"n": 2}),
        rules=REPLACE,
        guard=OwnerGuard(column="user_id", claim=False),
    )
    assert [answer and answer.record["content"] for answer in answers] == [{"n": 1}, None]


async def test_a_version_that_is_current_lets_every_rule_decide(store: Store) -> None:
    await insert(store, "learnings", learning("a", created_at=5, updated_at=5, content={"n": 0}))
    (answer,) = await upsert(
        store,
        "learnings",
        learning("a", created_at=3, updated_at=None, content={"n": 1}),
        rules={"created_at": Least(), "updated_at": Greatest(), "content": Replace()},
        expect=await version_of(store, "learnings", "a"),
    )
    assert answer is not None
    record = await record_of(store, "learnings", "a")
    assert (record["created_at"], record["updated_at"], record["content"]) == (3, 5, {"n": 1})


async def test_many_records_are_upserted_at_once(store: Store) -> None:
    await insert(store, "learnings", *(learning(f"{index}", content={"n": 0}) for index in range(0, 600, 2)))
    answers = await upsert(
        store, "learnings", *(learning(f"{index}", content={"n": index}) for index in range(600)), rules=REPLACE
    )
    assert [answer and answer.record["content"]["n"] for answer in answers] == list(range(600))


async def test_the_answer_may_be_left_out(store: Store) -> None:
    assert await upsert(store, "learnings", learning("a"), learning("b"), rules=REPLACE, returning=False) == []
    assert await found(store, "learnings") == {"a", "b"}


async def test_what_is_expected_is_answered_even_where_the_answer_may_be_left_out(store: Store) -> None:
    await insert(store, "learnings", learning("a"))
    version = await version_of(store, "learnings", "a")
    changed = learning("a", user_id="ann")
    for expected in (True, False):
        # The second time the version is another.
        (answer,) = await upsert(store, "learnings", changed, rules=REPLACE, expect=version, returning=False)
        assert (answer is not None) is expected
        assert answer is None or answer.version == await version_of(store, "learnings", "a")


async def test_the_version_answered_is_the_one_a_commit_expects(store: Store) -> None:
    for content in ({"n": 1}, {"n": 2}):
        (answer,) = await upsert(store, "learnings", learning("a", content=content), rules=REPLACE)
        assert answer is not None
        assert answer.version == await version_of(store, "learnings", "a")
    await store.execute(Commit(writes=(Put(table="learnings", record=learning("a"), expect=answer.version),)))


async def test_with_an_expected_version_only_that_one_is_changed(store: Store) -> None:
    await insert(store, "learnings", learning("a", content={"n": 1}))
    version = await version_of(store, "learnings", "a")
    (answer,) = await upsert(store, "learnings", learning("a", content={"n": 2}), rules=REPLACE, expect=version)
    assert answer is not None
    assert answer.record["content"] == {"n": 2}
    assert await upsert(store, "learnings", learning("a", content={"n": 3}), rules=REPLACE, expect=version) == [None]
    assert (await record_of(store, "learnings", "a"))["content"] == {"n": 2}


async def test_with_an_expected_version_nothing_is_inserted(store: Store) -> None:
    await insert(store, "learnings", learning("a"))
    version = await version_of(store, "learnings", "a")
    assert await upsert(store, "learnings", learning("b"), rules=REPLACE, expect=version) == [None]
    assert await found(store, "learnings") == {"a"}


async def test_expecting_absence_only_inserts(store: Store) -> None:
    (answer,) = await upsert(store, "learnings", learning("a", content={"n": 1}), rules=REPLACE, expect=ABSENT)
    assert answer is not None
    assert await upsert(store, "learnings", learning("a", content={"n": 2}), rules=REPLACE, expect=ABSENT) == [None]
    assert (await record_of(store, "learnings", "a"))["content"] == {"n": 1}


async def test_of_writers_that_expect_the_same_version_one_succeeds(store: Store) -> None:
    await insert(store, "learnings", learning("a"))
    version = await version_of(store, "learnings", "a")
    calls = [
        lambda n=n: upsert(store, "learnings", learning("a", content={"n": n}), rules=REPLACE, expect=version)
        for n in range(12)
    ]
    answers = await all_well(at_once(store, calls))
    assert sum(answer != [None] for answer in answers) == 1


TOKEN_SET = ("provider", "user_id", "service")


async def test_a_unique_set_may_identify_the_record_whose_key_then_stays(store: Store) -> None:
    await insert(store, "auth_tokens", token("a", token_data={"n": 1}))
    (answer,) = await upsert(
        store, "auth_tokens", token("b", token_data={"n": 2}), rules={"token_data": Replace()}, on=TOKEN_SET
    )
    assert answer is not None
    assert (answer.record["id"], answer.record["token_data"]) == ("a", {"n": 2})
    assert await found(store, "auth_tokens") == {"a"}


async def test_a_partial_unique_set_may_identify_the_record(store: Store) -> None:
    await insert(store, "schedules", schedule("a", name="daily", user_id="ann"), schedule("b", name="daily"))
    rules = {"description": Replace()}
    (owned,) = await upsert(
        store,
        "schedules",
        schedule("x", name="daily", user_id="ann", description="new"),
        rules=rules,
        on=("user_id", "name"),
    )
    assert owned is not None
    assert (owned.record["id"], owned.record["description"]) == ("a", "new")
    (unowned,) = await upsert(
        store, "schedules", schedule("y", name="daily", description="new"), rules=rules, on=("name",)
    )
    assert unowned is not None
    assert (unowned.record["id"], unowned.record["description"]) == ("b", "new")


async def test_a_key_taken_by_a_record_of_another_unique_set_is_a_duplicate(store: Store) -> None:
    await insert(store, "auth_tokens", token("a"))
    with pytest.raises(Duplicate):
        await upsert(store, "auth_tokens", token("a", "files"), rules={"token_data": Replace()}, on=TOKEN_SET)
    assert (await record_of(store, "auth_tokens", "a"))["service"] == "mail"


async def test_a_unique_value_taken_by_another_record_is_a_duplicate(store: Store) -> None:
    await insert(store, "auth_tokens", token("a"), token("b", "files"))
    with pytest.raises(Duplicate):
        await upsert(store, "auth_tokens", token("c"), rules={"service": Replace()})
    with pytest.raises(Duplicate):
        await upsert(store, "auth_tokens", token("b", "mail"), rules={"service": Replace()})
    assert (await record_of(store, "auth_tokens", "b"))["service"] == "files"


async def test_a_missing_parent_is_named(store: Store) -> None:
    with pytest.raises(MissingParent):
        await upsert(store, "runs", run("r1", "s9"), rules={"run_data": Replace()})
    assert await found(store, "runs") == set()


async def test_a_value_without_a_stored_form_leaves_all_records_alone(store: Store) -> None:
    with pytest.raises(Unstorable):
        await upsert(
            store, "sessions", session("s1"), session("s2", metadata={"f": print}), rules={"metadata": Replace()}
        )
    assert await found(store, "sessions") == set()


async def test_concurrent_merges_of_one_record_all_count(store: Store) -> None:
    rules = {"updated_at": Greatest(), "created_at": Least(), "user_id": Fill()}
    calls = [
        lambda n=n: upsert(store, "learnings", learning("a", updated_at=n, created_at=-n, user_id=f"u{n}"), rules=rules)
        for n in range(24)
    ]
    answers = await all_well(at_once(store, calls))
    assert all(answer != [None] for answer in answers)
    record = await record_of(store, "learnings", "a")
    assert (record["updated_at"], record["created_at"]) == (23, -23)
    assert len({answer[0].record["user_id"] for answer in answers if answer[0] is not None}) == 1
    assert await found(store, "learnings", eq("user_id", record["user_id"])) == {"a"}


async def test_records_found_by_a_date_and_a_default_are_answered_however_they_are_written(store: Store) -> None:
    on = ("user_id", "date", "aggregation_period")
    for given in (date(2024, 2, 29), "2024-02-29"):
        record = metric("m", date(2024, 2, 29), users_count=1) | {"date": given}
        (answer,) = await upsert(store, "metrics", record, rules={"users_count": Replace()}, on=on)
        assert answer is not None
        assert (answer.record["date"], answer.record["user_id"]) == (date(2024, 2, 29), "")
