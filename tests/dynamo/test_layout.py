"""What is in the table: each record once, an entry for each listing, kept in step by whatever is written."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from dbrouter.backends.dynamo.layout import BUCKETS, Layout, walks
from dbrouter.backends.dynamo.store import DynamoStore
from dbrouter.backends.kernel.emulation import SERVED_TABLES, Emulated, access_paths
from dbrouter.backends.kernel.errors import Conflict, Duplicate, TooLarge, Unsupported
from dbrouter.backends.kernel.filters import EVERYTHING, Comparison, Field, all_of, compare, eq
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Check,
    Commit,
    Delete,
    Get,
    Insert,
    Order,
    Put,
    Remove,
    Scan,
    Update,
    Upsert,
    Walk,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.testing.conformance.records import learning, run, schedule, session, span, trace
from tests.dynamo.conftest import Wire, items_of


def do(store: Any, op: Any) -> Any:
    return finish(store.execute(op))


def entries_in(admin: Any, table: str) -> set[tuple[str, bytes]]:
    """The keys of all index entries: of what is neither a record nor the list of tables."""
    return {
        (item["_p"]["S"], item["_s"]["B"])
        for item in items_of(admin, table)
        if "_v" not in item and item["_p"]["S"].count(",") > 1
    }


def expected(store: Emulated, table: str) -> set[tuple[str, bytes]]:
    """The keys of the entries that a table's records should have."""
    layout = Layout(SERVED_TABLES[table], store.physical_name(table), "")
    records = do(store, Scan(table=table)).records
    return {(at.partition, at.sort) for record in records for at in layout.entries(record)}


def test_every_record_has_its_entries_and_no_others_after_random_writes(
    store: Emulated, admin: Any, table: str
) -> None:
    chance = random.Random(7)
    users = [None, "ann", "bob", "", "a\0b", "\ud800"]
    for _ in range(60):
        key = f"l{chance.randrange(8)}"
        new = learning(
            key, user_id=chance.choice(users), agent_id=chance.choice(users), updated_at=chance.choice([None, 1, 2])
        )
        what = chance.randrange(4)
        if what == 0:
            do(
                store,
                Upsert(table="learnings", records=(new,), rules={c: Replace() for c in ("user_id", "updated_at")}),
            )
        elif what == 1:
            do(store, Commit(writes=(Put(table="learnings", record=new),)))
        elif what == 2:
            do(
                store,
                Update(table="learnings", where=eq("learning_id", key), changes={"agent_id": chance.choice(users)}),
            )
        else:
            do(store, Delete(table="learnings", where=eq("learning_id", key)))
    assert entries_in(admin, table) == expected(store, "learnings") != set()


def test_what_an_entry_repeats_has_the_type_that_the_record_has(store: Emulated) -> None:
    for enabled in (1, True):
        do(store._store, Commit(writes=(Put(table="schedules", record=schedule("a", enabled=enabled)),)))
    assert do(store, Scan(table="schedules", columns=("enabled",))).records[0]["enabled"] is True


def test_a_write_that_changes_no_listing_is_one_plain_put(store: Emulated, wire: Wire) -> None:
    do(store, Insert(table="sessions", records=(session("s1", user_id="ann", agent_id="a"),)))
    assert wire.sent[-1] == "transact_write_items"
    found = do(store, Get(table="sessions", key=("s1",), versioned=True))
    wire.sent.clear()
    do(store, Commit(writes=(Put(table="sessions", record=found.record | {"updated_at": 200}, expect=found.version),)))
    assert wire.sent == ["put_item"]


def test_a_page_of_a_listing_is_two_requests_and_its_total_one_more(store: Emulated, wire: Wire) -> None:
    records = tuple(session(f"s{n:02}", user_id="ann", created_at=n) for n in range(20))
    do(store, Insert(table="sessions", records=records))
    wire.sent.clear()
    order = (Order(Field("created_at"), descending=True),)
    page = do(store, Scan(table="sessions", where=eq("user_id", "ann"), order=order, limit=3, total=True))
    assert [record["session_id"] for record in page.records] == ["s19", "s18", "s17"]
    assert page.total == 20
    assert sorted(wire.sent) == ["batch_get_item", "query", "query"]


def test_keys_and_what_records_are_found_by_are_read_from_entries_alone(store: Emulated, wire: Wire) -> None:
    do(store, Insert(table="sessions", records=tuple(session(f"s{n}", user_id="u") for n in range(5))))
    wire.sent.clear()
    scan = Scan(table="sessions", where=eq("session_type", "agent"), columns=("session_id", "user_id", "created_at"))
    assert len(do(store, scan).records) == 5
    assert wire.sent == ["query"]


def test_a_walk_goes_on_where_it_stopped_in_both_directions(store: Emulated) -> None:
    moments = [3, 1, 2, 2, 2, 9, 4]
    do(store, Insert(table="sessions", records=tuple(session(f"s{n}", created_at=at) for n, at in enumerate(moments))))
    for descending in (False, True):
        seen: list[tuple[int, str]] = []
        walk = Walk(table="sessions", where=EVERYTHING, order=Order(Field("created_at"), descending), limit=2)
        while True:
            walked = do(store._store, walk)
            seen += [(record["created_at"], record["session_id"]) for record in walked.records]
            if walked.after is None:
                break
            walk = Walk(table=walk.table, where=walk.where, order=walk.order, limit=2, after=walked.after)
        assert seen == sorted(((at, f"s{n}") for n, at in enumerate(moments)), reverse=descending)


def test_an_entry_whose_record_has_gone_or_changed_meanwhile_answers_nothing(store: Emulated, wire: Wire) -> None:
    do(store, Insert(table="sessions", records=(session("s1", user_id="ann"), session("s2", user_id="ann"))))
    other = Emulated(DynamoStore(wire._inner, table=store._store._shared.table))

    def meanwhile(name: str, _arguments: dict[str, Any]) -> None:
        if name == "batch_get_item":
            wire.before = lambda _name, _arguments: None
            do(other, Delete(table="sessions", where=eq("session_id", "s1")))
            do(other, Update(table="sessions", where=eq("session_id", "s2"), changes={"user_id": "bob"}))

    wire.before = meanwhile
    assert do(store, Scan(table="sessions", where=eq("user_id", "ann"))).records == []


def test_long_values_are_found_and_sorted_though_entries_do_not_repeat_them(store: Emulated) -> None:
    long = "x" * 3000
    do(store, Insert(table="sessions", records=(session(long, user_id=long), session(long + "y", user_id=long + "y"))))
    for text in (long, long + "y"):
        assert do(store, Get(table="sessions", key=(text,))).record["user_id"] == text
        (only,) = do(store, Scan(table="sessions", where=eq("user_id", text), columns=("session_id",))).records
        assert only == {"session_id": text}


def test_the_list_of_a_table_that_is_found_by_its_leader_is_spread(store: Emulated, admin: Any, table: str) -> None:
    do(store, Insert(table="traces", records=(trace("t1"),)))
    do(store, Insert(table="spans", records=tuple(span(f"s{n}") for n in range(30))))
    spread = {at for at, _ in entries_in(admin, table) if at.startswith('["","agno_spans","/"')}
    assert len(spread) == BUCKETS
    assert len(do(store, Scan(table="spans")).records) == 30


def test_every_path_can_be_scanned_though_few_have_entries(store: Emulated) -> None:
    given = {"agent_id": "a", "team_id": "t", "workflow_id": "w", "user_id": "u", "status": "x"}
    do(store, Insert(table="sessions", records=(session("s1"),)))
    do(store, Insert(table="runs", records=(run("r1", **given), run("r2"))))
    for (column,) in access_paths(SERVED_TABLES["runs"]):
        found = do(
            store,
            Scan(
                table="runs",
                where=eq(
                    column, {"run_id": "r1", "run_type": "agent"}.get(column) or {**given, "session_id": "s1"}[column]
                ),
            ),
        )
        assert "r1" in {record["run_id"] for record in found.records}, column


def test_orders_that_move_with_every_save_have_entries_only_where_saves_are_rare() -> None:
    moved = Order(Field("updated_at"), descending=True, fallback="created_at")
    assert walks(SERVED_TABLES["memories"], ("user_id",), moved)
    assert walks(SERVED_TABLES["learnings"], (), moved)
    assert not walks(SERVED_TABLES["sessions"], ("user_id",), moved)
    assert walks(SERVED_TABLES["sessions"], ("user_id",), Order(Field("created_at")))
    assert walks(SERVED_TABLES["tenants.sessions"], ("dbr_tenant", "user_id"), Order(Field("created_at")))
    assert walks(SERVED_TABLES["runs"], ("session_id",), Order(Field("run_index"), descending=True))


def test_a_commit_of_more_than_a_transaction_takes_is_refused_before_anything_is_written(
    store: Emulated, admin: Any, table: str
) -> None:
    do(store, Insert(table="sessions", records=(session("s0"),)))
    before = items_of(admin, table)
    writes = (
        Check(table="sessions", key=("no",), expect=ABSENT),
        *(Put(table="sessions", record=session(f"s{n}", user_id="u")) for n in range(60)),
    )
    with pytest.raises(TooLarge, match="a commit of 61 records"):
        do(store, Commit(writes=writes))
    assert items_of(admin, table) == before


def test_an_insert_of_many_is_taken_back_when_the_last_of_them_is_refused(store: Emulated, wire: Wire) -> None:
    records = [session(f"s{n:03}", user_id="u") for n in range(100)]
    other = Emulated(DynamoStore(wire._inner, table=store._store._shared.table))
    do(other, Insert(table="sessions", records=(session("there"),)))
    sent = itertools.count()

    def taken(name: str, _arguments: dict[str, Any]) -> None:
        if name == "transact_write_items" and next(sent) == 2:
            do(other, Insert(table="sessions", records=(session("s099", user_id="first"),)))

    wire.before = taken
    with pytest.raises(Duplicate):
        do(store._store, Commit(writes=tuple(Put(table="sessions", record=each, expect=ABSENT) for each in records)))
    wire.before = lambda _name, _arguments: None
    assert {each["session_id"] for each in do(store, Scan(table="sessions")).records} == {"there", "s099"}


def test_a_record_is_checked_and_written_in_one_commit_but_not_written_twice(store: Emulated) -> None:
    (version,) = do(store, Commit(writes=(Put(table="sessions", record=session("s1")),)))
    check = Check(table="sessions", key=("s1",), expect=version)
    do(store._store, Commit(writes=(check, Put(table="sessions", record=session("s1", user_id="u")))))
    with pytest.raises(Conflict):
        do(store._store, Commit(writes=(check, Remove(table="sessions", key=("s1",)))))
    with pytest.raises(Unsupported, match="twice"):
        do(
            store._store,
            Commit(writes=(Put(table="sessions", record=session("s1")), Remove(table="sessions", key=("s1",)))),
        )


def test_namespaces_and_tables_of_a_name_are_kept_apart(store: Emulated, wire: Wire, table: str) -> None:
    one, two = store.in_namespace("tenant_a"), store.in_namespace("tenant_b")
    renamed = Emulated(DynamoStore(wire, table=table, tables={"sessions": "talks"}))
    for at, each in enumerate((store, one, two, renamed)):
        do(each, Insert(table="sessions", records=(session("s", user_id=f"u{at}"),)))
    for at, each in enumerate((store, one, two, renamed)):
        assert [record["user_id"] for record in do(each, Scan(table="sessions")).records] == [f"u{at}"]
        assert do(each, Get(table="sessions", key=("s",))).record["user_id"] == f"u{at}"
    assert "talks" in finish(store.existing_tables())


def test_tenants_share_a_table_and_all_of_it_can_be_read(store: Emulated) -> None:
    tenants = ["a", "a,b", 'a","b', "a\0", "\ud800", ""]
    for tenant in tenants:
        do(
            store,
            Insert(table="tenants.sessions", records=(session("s", dbr_tenant=tenant, user_id="u", created_at=5),)),
        )
    for tenant in tenants:
        for where in (eq("dbr_tenant", tenant), all_of(eq("dbr_tenant", tenant), eq("user_id", "u"))):
            assert [each["dbr_tenant"] for each in do(store, Scan(table="tenants.sessions", where=where)).records] == [
                tenant
            ]
    assert {each["dbr_tenant"] for each in do(store, Scan(table="tenants.sessions")).records} == set(tenants)
    later = all_of(eq("dbr_tenant", "a"), compare("created_at", Comparison.GT, 5))
    assert do(store, Scan(table="tenants.sessions", where=later)).records == []


def test_numbers_keep_64_bits_and_stranger_values_their_kind(store: Emulated) -> None:
    for at, value in enumerate((2**63 - 1, -(2**63), 10**30, 1.5, 1e300, -0.0, True)):
        do(store, Insert(table="sessions", records=(session(f"s{at}", updated_at=value),)))
        found = do(store, Get(table="sessions", key=(f"s{at}",))).record["updated_at"]
        assert (repr(found), type(found)) == (repr(value), type(value))
