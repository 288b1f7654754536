"""Records and their indexes never disagree; what is shared out over a cluster begins with what belongs together."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Conflict, Duplicate, MissingParent, StoreError
from dbrouter.backends.kernel.filters import EVERYTHING, eq
from dbrouter.backends.kernel.merging import Next, Replace
from dbrouter.backends.kernel.ops import ABSENT, Commit, Delete, Get, Insert, Put, Remove, Scan, Update, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.tenant_tables import tenant_table
from dbrouter.backends.redis.store import RedisStore
from dbrouter.testing.conformance.records import run, schedule, session, token
from scripts.servers import Server
from tests.redis.entries import disagreements

NAMES = ["a", "b", "a:b", "a}b", "{c", "\x00", "\ud800", "~", ""]


@pytest.fixture
def store(redis_server: Server, prefix: str) -> Emulated:
    return Emulated(RedisStore(redis_server.url, prefix=prefix))


def anything(dice: random.Random) -> Any:
    """An op that may well be refused."""
    name, other = dice.choice(NAMES), dice.choice(NAMES)
    record = session(name, user_id=dice.choice([None, *NAMES]), created_at=dice.randrange(5), agent_id=other)
    turn = run(f"r{name}", other, run_index=dice.choice([None, 0, 1]), status=dice.choice(["x", None]))
    return dice.choice(
        [
            Insert(table="sessions", records=(record, session(other))),
            Insert(table="runs", records=(turn,)),
            Upsert(table="sessions", records=(record,), rules={"user_id": Replace(), "created_at": Replace()}),
            Upsert(table="runs", records=(turn,), rules={"status": Replace(), "run_index": Next("session_id")}),
            Insert(table="auth_tokens", records=(token(name, service=other),)),
            Insert(table="schedules", records=(schedule(name, name=other, user_id=dice.choice([None, "u"])),)),
            Update(
                table="schedules", where=eq("id", name), changes={"name": other, "user_id": dice.choice([None, "u"])}
            ),
            Commit(
                writes=(
                    Put(table="sessions", record=session(other, agent_id=name)),
                    Remove(table="sessions", key=(name,)),
                    Put(table="auth_tokens", record=token(other, service=name), expect=dice.choice([None, ABSENT])),
                )
            ),
            Delete(table="sessions", where=eq("session_id", name)),
            Delete(table="auth_tokens", where=EVERYTHING),
        ]
    )


@pytest.mark.parametrize("seed", range(4))
def test_after_whatever_was_written_or_refused_the_indexes_are_those_of_the_records(
    store: Emulated, client: Any, prefix: str, seed: int
) -> None:
    dice = random.Random(seed)
    done = 0
    for _ in range(150):
        try:
            finish(store.execute(anything(dice)))
        except (Duplicate, Conflict, MissingParent):
            continue
        done += 1
    assert done > 50
    assert disagreements(client, prefix) == []


def test_a_family_is_in_one_slot_and_a_tenants_part_of_it_in_another(store: Emulated, client: Any, prefix: str) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    finish(store.execute(Insert(table="runs", records=(run("r1", "s1"),))))
    shared = tenant_table("sessions")
    for tenant in ("acme", "a}/b", "\x00"):
        finish(store.execute(Insert(table=shared, records=({"dbr_tenant": tenant, **session("s1")},))))
    tags = {key[: key.index(b"}") + 1] for key in client.scan_iter(match=f"{{{prefix}/*", count=10_000)}
    start = f"{{{prefix}//sessions".encode()
    assert {tag for tag in tags if tag.startswith(start)} == {
        start + b"}",
        start + b"/acme}",
        start + b"/a%7D%2Fb}",
        start + b"/%00%FF}",
    }


def test_all_tenants_records_are_found_where_nobody_is_named(store: Emulated) -> None:
    shared = tenant_table("sessions")
    for tenant in NAMES:
        finish(store.execute(Insert(table=shared, records=({"dbr_tenant": tenant, **session("s1")},))))
    page = finish(store.execute(Scan(table=shared)))
    assert {record["dbr_tenant"] for record in page.records} == set(NAMES)
    assert finish(store.execute(Delete(table=shared, where=EVERYTHING))) == len(NAMES)


def test_a_record_keeps_each_column_once_and_nulls_not_at_all(store: Emulated, client: Any, prefix: str) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1", session_data={"a": 1}),))))
    fields = client.hgetall(f"{{{prefix}//sessions}}agno_sessions:r:ts1\x00")
    assert set(fields) == {b"@", b"session_id", b"session_type", b"session_data", b"created_at"}
    assert fields[b"session_data"] == b'{"a":1}'


def test_more_children_than_go_at_once_go_with_their_parent(store: Emulated, client: Any, prefix: str) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1"), session("s2")))))
    for start in range(0, 8000, 2000):
        runs = tuple(run(f"r{number}", "s1") for number in range(start, start + 2000))
        finish(store.execute(Insert(table="runs", records=runs)))
    finish(store.execute(Insert(table="runs", records=(run("other", "s2"),))))
    assert finish(store.execute(Delete(table="sessions", where=eq("session_id", "s1")))) == 1
    assert [each["run_id"] for each in finish(store.execute(Scan(table="runs"))).records] == ["other"]
    assert disagreements(client, prefix) == []


def test_a_scan_of_more_than_one_answer_brings_every_record(store: Emulated) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    for number in range(8):
        finish(store.execute(Insert(table="runs", records=(run(f"r{number}", run_data={"x": "y" * 1_000_000}),))))
    page = finish(store.execute(Scan(table="runs", where=eq("session_id", "s1"))))
    assert {each["run_id"] for each in page.records} == {f"r{number}" for number in range(8)}
    assert all(len(each["run_data"]["x"]) == 1_000_000 for each in page.records)


def test_a_run_of_twenty_megabytes_comes_back_the_same(store: Emulated) -> None:
    data = {"text": "ä😀 x" * 2_500_000, "odd": "\x00\ud800"}
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    finish(store.execute(Insert(table="runs", records=(run("r1", run_data=data),))))
    stored = finish(store.execute(Get(table="runs", key=("r1",))))
    assert stored is not None
    assert stored.record["run_data"] == data


def test_what_one_namespace_holds_is_not_in_another(redis_server: Server, prefix: str) -> None:
    store = RedisStore(redis_server.url, prefix=prefix)
    one, two = store.in_namespace("one"), store.in_namespace("two")
    for each in (store, one):
        finish(each.execute(Insert(table="sessions", records=(session("s1"),))))
    assert finish(two.execute(Scan(table="sessions"))).records == []
    assert finish(two.existing_tables()) == frozenset()
    assert finish(one.existing_tables()) == {"agno_sessions"}
    with pytest.raises(ValueError, match="namespace"):
        store.in_namespace("a}b")


def test_a_position_within_a_parent_that_is_not_named_is_refused(store: Emulated) -> None:
    upsert = Upsert(
        table="compactions",
        records=({"compaction_id": "c", "session_id": "s", "created_at": 1},),
        rules={"tokens_after": Next("run_id")},
    )
    with pytest.raises(StoreError, match="tokens_after"):
        finish(store.execute(upsert))
