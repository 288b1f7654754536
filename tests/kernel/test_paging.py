"""Pages over a store that walks: the right records, and no more of them read than the page needs."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.filters import EVERYTHING, Contains, Field, all_of, any_of, eq, one_of
from dbrouter.backends.kernel.listings import listings
from dbrouter.backends.kernel.ops import Commit, GetMany, Insert, Op, Order, Put, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.testing.conformance.records import run, session
from dbrouter.testing.walking import SkippingStore, WalkingStore

NEWEST = (Order(Field("created_at"), descending=True),)
FRESHEST = (Order(Field("updated_at"), descending=True, fallback="created_at"),)


def rows() -> list[dict[str, Any]]:
    return [
        session(
            f"s{number:03}",
            user_id=f"u{number % 4}",
            agent_id="a" if number % 2 else None,
            created_at=number // 3,
            updated_at=None if number % 5 else 1000 - number,
            session_data={"n": number},
        )
        for number in range(200)
    ]


@pytest.fixture(scope="module", params=[WalkingStore, SkippingStore])
def stores(request: pytest.FixtureRequest) -> tuple[WalkingStore, Emulated, MemoryStore]:
    walking, memory = request.param(commits=True), MemoryStore()
    emulated = Emulated(walking)
    for start in range(0, 200, 50):
        insert = Insert(table="sessions", records=tuple(rows()[start : start + 50]))
        finish(emulated.execute(insert))
        finish(memory.execute(insert))
    return walking, emulated, memory


PAGES = [
    Scan(table="sessions", where=where, order=order, limit=limit, offset=offset, total=total, columns=columns)
    for where in (
        EVERYTHING,
        eq("user_id", "u1"),
        all_of(eq("user_id", "u1"), eq("agent_id", "a")),
        all_of(eq("session_type", "agent"), Contains(Field("session_id"), "9")),
        one_of("session_id", ["s007", "nobody", "s003"]),
        one_of("user_id", ["u1", "u3", "nobody"]),
        one_of("user_id", []),
        any_of(eq("user_id", "u2"), all_of(eq("user_id", "u0"), eq("agent_id", "a"))),
    )
    for order in (
        NEWEST,
        FRESHEST,
        (Order(Field("created_at")),),
        (*NEWEST, Order(Field("session_id"))),
        (Order(Field("created_at")), Order(Field("user_id"), descending=True)),
        (Order(Field("user_id")),),
        (),
    )
    for limit, offset, total, columns in (
        (7, 0, True, None),
        (3, 5, False, ("session_data",)),
        (4, 38, True, None),
        (5, 300, True, None),
        (0, 0, True, None),
    )
]


@pytest.mark.parametrize("scan", PAGES, ids=str)
def test_a_page_is_the_one_that_the_reference_gives(
    scan: Scan, stores: tuple[WalkingStore, Emulated, MemoryStore]
) -> None:
    _, emulated, memory = stores
    assert finish(emulated.execute(scan)) == finish(memory.execute(scan))


def test_a_page_reads_as_many_records_as_it_shows_or_those_before_it_too(
    stores: tuple[WalkingStore, Emulated, MemoryStore],
) -> None:
    walking, emulated, _ = stores
    before, walking.handed_out = walking.requests.copy(), 0
    finish(
        emulated.execute(
            Scan(table="sessions", where=eq("user_id", "u1"), order=NEWEST, limit=10, offset=10, total=True)
        )
    )
    assert walking.handed_out == (10 if walking.capabilities.skips else 20)
    assert walking.requests - before == {"Walk": 1}


def test_a_page_of_several_values_reads_as_much_of_each_and_not_the_table(
    stores: tuple[WalkingStore, Emulated, MemoryStore],
) -> None:
    walking, emulated, _ = stores
    before, walking.handed_out = walking.requests.copy(), 0
    either = any_of(eq("user_id", "u1"), all_of(eq("user_id", "u3"), eq("session_type", "agent")))
    finish(emulated.execute(Scan(table="sessions", where=either, order=NEWEST, limit=10)))
    assert walking.handed_out == 20
    assert walking.requests - before == {"Walk": 2}


def test_a_page_of_rare_matches_reads_on_in_growing_steps(stores: tuple[WalkingStore, Emulated, MemoryStore]) -> None:
    walking, emulated, _ = stores
    before = walking.requests.copy()
    found = finish(
        emulated.execute(Scan(table="sessions", where=Contains(Field("session_id"), "19"), order=NEWEST, limit=12))
    )
    assert len(found.records) == 12
    assert (walking.requests - before)["Walk"] <= 6


def test_a_total_under_a_filter_reads_the_page_only_in_whole(
    stores: tuple[WalkingStore, Emulated, MemoryStore],
) -> None:
    walking, emulated, _ = stores
    before, walking.handed_out = walking.requests.copy(), 0
    where = all_of(eq("user_id", "u1"), eq("agent_id", "a"))
    page = finish(emulated.execute(Scan(table="sessions", where=where, order=NEWEST, limit=5, total=True)))
    assert (len(page.records), page.total, walking.handed_out) == (5, 50, 5)
    assert walking.requests - before == {"Scan": 1, "GetMany": 1}


def test_a_record_that_is_another_users_by_the_time_it_is_read_is_not_shown() -> None:
    class Meanwhile(WalkingStore):
        async def execute(self, op: Op[Any], /) -> Any:
            if isinstance(op, GetMany):
                theirs = session("s1", user_id="theirs", agent_id="a", session_data={"n": 1})
                await super().execute(Commit(writes=(Put(table="sessions", record=theirs),)))
            return await super().execute(op)

    store = Emulated(Meanwhile(commits=True))
    mine = tuple(session(key, user_id="mine", agent_id="a", session_data={"n": 0}) for key in ("s0", "s1", "s2"))
    finish(store.execute(Insert(table="sessions", records=mine)))
    for columns in (None, ("session_id", "session_data")):
        scan = Scan(
            table="sessions",
            where=all_of(eq("user_id", "mine"), eq("agent_id", "a")),
            order=NEWEST,
            limit=3,
            total=True,
            columns=columns,
            raw=frozenset({"session_data"}),
        )
        shown = finish(store.execute(scan)).records
        assert [(each["session_id"], each["session_data"]) for each in shown] == [("s2", '{"n":0}'), ("s0", '{"n":0}')]
        assert columns is None or set(shown[0]) == set(columns)


def test_several_keys_are_one_request(stores: tuple[WalkingStore, Emulated, MemoryStore]) -> None:
    walking, emulated, _ = stores
    before = walking.requests.copy()
    page = finish(emulated.execute(Scan(table="sessions", where=one_of("session_id", ["s001", "s002", "x"]))))
    assert [record["session_id"] for record in page.records] == ["s001", "s002"]
    assert walking.requests - before == {"GetMany": 1}


def test_runs_are_listed_within_their_session_by_number() -> None:
    runs = {(each.path, each.by) for each in listings(TABLES["runs"])}
    assert (("session_id",), "run_index") in runs
    store = Emulated(WalkingStore())
    finish(store.execute(Insert(table="sessions", records=(session("s"),))))
    for number in (2, 0, 1):
        finish(store.execute(Insert(table="runs", records=(run(f"r{number}", "s", run_index=number),))))
    last = finish(
        store.execute(
            Scan(
                table="runs",
                where=eq("session_id", "s"),
                order=(Order(Field("run_index"), descending=True), Order(Field("created_at"), descending=True)),
                limit=2,
            )
        )
    )
    assert [record["run_id"] for record in last.records] == ["r2", "r1"]
