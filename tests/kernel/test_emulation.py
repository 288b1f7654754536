"""What an emulated store asks of the store beneath, and what it refuses."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from dbrouter.backends.kernel import racing
from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.emulation.at_once import A_FEW, SOME
from dbrouter.backends.kernel.errors import Conflict, Duplicate, MissingParent, Unavailable, Unsupported
from dbrouter.backends.kernel.filters import EVERYTHING, Field, Filter, all_of, any_of, eq, is_null, one_of
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Next, Replace
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Batch,
    Commit,
    Delete,
    Get,
    Insert,
    Op,
    Order,
    Put,
    Scan,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.testing.conformance.records import span, trace
from dbrouter.testing.minimal import AsyncMinimalStore, MinimalStore
from tests.kernel.limited import LimitedStore
from tests.kernel.rows import run, schedule, session


class Asked:
    """A minimal store, emulated, and what is asked of it from now on."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.ops: list[Op[Any]] = []
        self.minimal = MinimalStore()
        self.store: Store = Emulated(self.minimal)
        for record in records:
            finish(self.store.execute(Insert(table="sessions", records=(record,))))
        self.minimal.watch = self.ops.append

    def scans(self) -> list[Filter]:
        """By what the store was scanned."""
        return [op.where for op in self.ops if isinstance(op, Scan)]


@pytest.mark.parametrize(
    ("where", "lookups"),
    [
        (eq("user_id", "u"), [eq("user_id", "u")]),
        (all_of(eq("created_at", 1), eq("user_id", "u")), [eq("user_id", "u")]),
        (one_of("user_id", ["u", "v", "u"]), [eq("user_id", "u"), eq("user_id", "v")]),
        (one_of("session_id", ["a", "b"]), []),
        (is_null("user_id"), [EVERYTHING]),
        (one_of("user_id", [str(each) for each in range(100)]), [eq("user_id", str(each)) for each in range(100)]),
        (one_of("user_id", [str(each) for each in range(300)]), [EVERYTHING]),
        (one_of("user_id", []), []),
        (all_of(one_of("agent_id", ["a", "b"]), eq("user_id", "u")), [eq("user_id", "u")]),
        (all_of(one_of("user_id", ["u", "v", "w"]), one_of("agent_id", ["a"])), [eq("agent_id", "a")]),
        (
            any_of(eq("user_id", "u"), all_of(eq("user_id", "v"), is_null("agent_id"))),
            [eq("user_id", "u"), eq("user_id", "v")],
        ),
        (any_of(eq("user_id", "u"), is_null("user_id")), [EVERYTHING]),
        (eq("session_id", "a"), []),
    ],
    ids=str,
)
def test_records_are_found_by_the_cheapest_lookup(where: Filter, lookups: list[Filter]) -> None:
    asked = Asked(session("a", user_id="u"), session("b", user_id="v"), session("c"))
    expected = finish(asked.store.execute(Scan(table="sessions"))).records
    asked.ops.clear()
    found = finish(asked.store.execute(Scan(table="sessions", where=where, total=True)))
    assert sorted(asked.scans(), key=repr) == sorted(lookups, key=repr)
    assert found.records == [row for row in expected if matches(where, row)]
    assert found.total == len(found.records)


def test_a_page_is_cut_after_the_kernel_has_filtered() -> None:
    asked = Asked(*(session(f"{each:02}", user_id="u", created_at=each % 2) for each in range(20)))
    scan = Scan(
        table="sessions",
        where=all_of(eq("user_id", "u"), eq("created_at", 1)),
        order=(Order(Field("session_id"), descending=True),),
        limit=3,
        offset=2,
        total=True,
    )
    page = finish(asked.store.execute(scan))
    assert [row["session_id"] for row in page.records] == ["15", "13", "11"]
    assert page.total == 10


def test_a_store_that_does_everything_is_given_every_op_as_it_is() -> None:
    given: list[Op[Any]] = []

    class Listening(MemoryStore):
        async def execute(self, op: Op[Any], /) -> Any:
            given.append(op)
            return await super().execute(op)

    store = Emulated(Listening())
    ops: list[Op[Any]] = [
        Insert(table="schedules", records=(schedule("a", "a"), schedule("b", "b"))),
        Scan(table="schedules", where=eq("id", "a"), total=True),
        Update(table="schedules", where=EVERYTHING, changes={"locked_by": "w"}),
    ]
    for op in ops:
        finish(store.execute(op))
    assert all(ours is theirs for ours, theirs in zip(given, ops, strict=True))


@pytest.mark.parametrize(
    "op",
    [
        Insert(table="sessions", records=(session("x"), session("y"))),
        Commit(writes=(Put(table="sessions", record=session("x")), Put(table="runs", record=run("r", "x")))),
    ],
    ids=["insert", "commit"],
)
def test_several_records_at_once_are_refused_before_anything_is_asked(op: Op[Any]) -> None:
    asked = Asked()
    with pytest.raises(Unsupported, match=r"2 records .* nothing was written.* send sessions to a database with trans"):
        finish(asked.store.execute(op))
    assert asked.ops == []


def test_a_writer_that_always_loses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(racing, "PATIENCE", 0.0)
    monkeypatch.setattr(racing, "LONGEST_PAUSE", 0.0)
    asked = Asked(session("s"))

    def another_writer(op: Op[Any]) -> None:
        if isinstance(op, Commit):
            raise Conflict("someone was faster")

    asked.minimal.watch = another_writer
    upsert = Upsert(table="sessions", records=(session("s", user_id="u"),), rules={"user_id": Replace()})
    with pytest.raises(Conflict, match="64 tries all lost"):
        finish(asked.store.execute(upsert))


def test_a_value_that_the_store_finds_taken_is_told_at_once() -> None:
    """It keeps unique values itself, and the kernel the rest: that a value is taken is no race that was lost."""
    asked: list[Op[Any]] = []

    class Watched(LimitedStore):
        async def execute(self, op: Op[Any], /) -> Any:
            asked.append(op)
            return await super().execute(op)

    store = Emulated(Watched(Capabilities(commits=True, uniques=True)))
    finish(store.execute(Insert(table="schedules", records=(schedule("first", name="taken"),))))
    asked.clear()
    writes = (
        Put(table="traces", record=trace("t")),
        Put(table="schedules", record=schedule("second", name="taken")),
    )
    with pytest.raises(Duplicate, match="the same name"):
        finish(store.execute(Commit(writes=writes)))
    assert sum(isinstance(op, Commit) for op in asked) == 1
    assert finish(store.execute(Get(table="traces", key=("t",)))) is None


def test_a_place_that_another_writer_has_just_got_is_not_looked_for_among_all_records() -> None:
    asked = Asked(session("s"))

    def place_of(number: int, wanted: int) -> int:
        record = {**run(f"r{number}", "s"), "run_index": wanted}
        upsert = Upsert(table="runs", records=(record,), rules={"run_index": Next("session_id")})
        (stored,) = finish(asked.store.execute(upsert))
        assert stored is not None
        return stored.record["run_index"]

    # As many writers at once ask: each for the place behind the runs that it has seen.
    assert [place_of(number, max(0, number - 8)) for number in range(200)] == list(range(200))
    assert len(asked.scans()) == 1  # the first one asks what there is
    finish(asked.store.execute(Delete(table="runs", where=eq("run_id", "r3"))))
    assert place_of(200, 3) == 3
    assert place_of(201, 3) == 200


@pytest.mark.parametrize(
    "op",
    [Delete(table="sessions", where=EVERYTHING), Update(table="sessions", where=EVERYTHING, changes={"user_id": "u"})],
    ids=lambda op: type(op).__name__,
)
def test_many_records_are_written_a_few_at_a_time(op: Op[Any]) -> None:
    asked = Asked(*(session(f"s{number}") for number in range(2 * A_FEW)))
    together = threading.Barrier(A_FEW)

    def meet(op: Op[Any]) -> None:
        if isinstance(op, Commit):
            together.wait(10)

    asked.minimal.watch = meet
    answer = finish(asked.store.execute(op))
    assert (answer if isinstance(answer, int) else len(answer)) == 2 * A_FEW


@pytest.mark.parametrize("rules", [{}, {"name": Replace()}], ids=["new", "looked for first"])
def test_a_long_trace_is_a_few_requests_at_a_time(rules: dict[str, Any]) -> None:
    class Counting(AsyncMinimalStore):
        under_way = most = 0

        async def execute(self, op: Op[Any], /) -> Any:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await asyncio.sleep(0)
            try:
                return await super().execute(op)
            finally:
                self.under_way -= 1

    async def written() -> tuple[int, int]:
        minimal = Counting()
        store = Emulated(minimal)
        await store.execute(Upsert(table="traces", records=(trace("t1"),), rules={}))
        spans = tuple(span(f"s{number}") for number in range(200))
        await store.execute(Upsert(table="spans", records=spans, rules=rules))
        return len((await store.execute(Scan(table="spans"))).records), minimal.most

    stored, most = asyncio.run(written())
    assert stored == 200
    assert most <= SOME


def test_children_are_removed_a_few_at_a_time_and_before_their_parent() -> None:
    asked = Asked(session("s"))
    runs = tuple(run(f"r{number}", "s") for number in range(2 * A_FEW))
    finish(asked.store.execute(Upsert(table="runs", records=runs, rules={})))
    together = threading.Barrier(A_FEW)
    removed: list[str] = []

    def meet(op: Op[Any]) -> None:
        if isinstance(op, Commit):
            removed.append(op.writes[0].table)
            if op.writes[0].table == "runs":
                together.wait(10)

    asked.minimal.watch = meet
    assert finish(asked.store.execute(Delete(table="sessions", where=EVERYTHING))) == 1
    assert removed[: 2 * A_FEW + 1] == ["runs"] * 2 * A_FEW + ["sessions"]


def test_what_names_one_of_many_that_go_is_asked_for_once() -> None:
    asked = Asked(session("s"), session("other"))
    runs = tuple(run(f"r{number}", "s") for number in range(30))
    finish(asked.store.execute(Upsert(table="runs", records=runs, rules={})))
    held = {"namespace": "n", "session_id": "other", "agent_id": "a", "epoch": 1, "record": {}, "run_id": "r7"}
    finish(asked.store.execute(Insert(table="sandbox_bindings", records=(held,))))
    with pytest.raises(MissingParent):
        finish(asked.store.execute(Delete(table="sessions", where=eq("session_id", "s"))))
    finish(asked.store.execute(Delete(table="sandbox_bindings", where=EVERYTHING)))
    asked.ops.clear()
    assert finish(asked.store.execute(Delete(table="sessions", where=eq("session_id", "s")))) == 1
    scanned = [op.table for op in asked.ops if isinstance(op, Scan)]
    assert scanned.count("sandbox_bindings") == 2  # what names the session, and what names one of its runs


def test_after_an_error_no_more_records_are_written() -> None:
    asked = Asked(*(session(f"s{number}") for number in range(2 * A_FEW)))

    def fail(op: Op[Any]) -> None:
        asked.ops.append(op)
        if isinstance(op, Commit):
            raise Unavailable("away")

    asked.minimal.watch = fail
    with pytest.raises(Unavailable, match="away"):
        finish(asked.store.execute(Delete(table="sessions", where=EVERYTHING)))
    assert sum(isinstance(op, Commit) for op in asked.ops) == A_FEW


def test_an_upsert_that_changes_nothing_writes_nothing() -> None:
    asked = Asked(session("s", user_id="u"))
    upsert = Upsert(table="sessions", records=(session("s", user_id="u"),), rules={"user_id": Replace()})
    finish(asked.store.execute(upsert))
    assert [type(op) for op in asked.ops] == [Get]


@pytest.mark.parametrize(
    ("old", "new"),
    [({"n": 1}, {"n": True}), ({"n": False}, {"n": 0}), ({"n": 1}, {"n": 1.0}), ({"a": 1, "b": 2}, {"b": 2, "a": 1})],
    ids=str,
)
def test_what_only_python_takes_for_the_same_is_written(old: dict[str, Any], new: dict[str, Any]) -> None:
    asked = Asked(session("u", session_data={"deep": [old]}), session("v", session_data={"deep": [old]}))
    changes = {"session_data": {"deep": [new]}}
    finish(
        asked.store.execute(
            Upsert(table="sessions", records=(session("u", **changes),), rules={"session_data": Replace()})
        )
    )
    finish(asked.store.execute(Update(table="sessions", where=eq("session_id", "v"), changes=changes)))
    for record in finish(asked.store.execute(Scan(table="sessions"))).records:
        assert repr(record["session_data"]) == repr(changes["session_data"])


def traced(*spans: dict[str, Any]) -> Batch:
    return Batch(
        upserts=(
            Upsert(table="traces", records=(trace("t1"),), returning=False),
            Upsert(table="spans", records=spans, returning=False),
        )
    )


def test_of_a_batch_neither_what_it_brings_nor_its_parents_are_looked_for() -> None:
    asked = Asked()
    finish(asked.store.execute(traced(span("a"), span("b"))))
    assert [op.table for op in asked.ops if isinstance(op, Get)] == ["traces"]
    assert [op for op in asked.ops if isinstance(op, Scan)] == []
    assert len(finish(asked.store.execute(Scan(table="spans"))).records) == 2


def test_of_a_batch_what_is_there_stays_and_what_is_new_is_stored() -> None:
    asked = Asked()
    finish(asked.store.execute(traced(span("a", name="first"))))
    finish(asked.store.execute(traced(span("a", name="second"), span("b"), span("c"), span("c"))))
    stored = finish(asked.store.execute(Scan(table="spans"))).records
    assert sorted((each["span_id"], each["name"]) for each in stored) == [("a", "first"), ("b", "step"), ("c", "step")]


def test_a_duplicate_is_an_integrity_error_of_sqlalchemy() -> None:
    store = MemoryStore()
    finish(store.execute(Insert(table="schedules", records=(schedule("a", "same"),))))
    for record in (schedule("a", "other"), schedule("b", "same")):
        with pytest.raises(IntegrityError) as caught:
            finish(store.execute(Insert(table="schedules", records=(record,))))
        assert isinstance(caught.value, Duplicate)
    assert str(caught.value).startswith("schedules: another record has the same name")
    assert caught.value.columns == ("name",)


def test_a_duplicate_can_cross_processes() -> None:
    error = pickle.loads(pickle.dumps(duplicate("schedules", ("name",))))  # our own bytes
    assert isinstance(error, Duplicate)
    assert isinstance(error, IntegrityError)
    assert error.columns == ("name",)
    assert "schedules" in str(error)


@pytest.mark.parametrize("make", [MemoryStore, lambda: Emulated(MinimalStore())], ids=["memory", "emulated"])
def test_nothing_is_shared_with_the_caller(make: Any) -> None:
    store: Store = make()
    data: dict[str, Any] = {"list": [1]}
    finish(
        store.execute(Commit(writes=(Put(table="sessions", record=session("s", session_data=data), expect=ABSENT),)))
    )
    data["list"].append(2)
    found = finish(store.execute(Get(table="sessions", key=("s",))))
    assert found is not None
    assert found.record["session_data"] == {"list": [1]}
    found.record["session_data"]["list"].append(3)
    assert finish(store.execute(Scan(table="sessions"))).records[0]["session_data"] == {"list": [1]}
