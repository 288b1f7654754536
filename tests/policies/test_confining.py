"""A store of one tenant's rows: what it refuses, what it lets out, what it is beside executing ops."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import pytest

from dbrouter.backends.kernel import ops as kernel_ops
from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import (
    CrossedTenant,
    Duplicate,
    MissingTenant,
    StoreError,
    TenantConflict,
    Unsupported,
)
from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Compare,
    Comparison,
    Field,
    HasItem,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Related,
    eq,
)
from dbrouter.backends.kernel.merging import Elapsed, Keep, Next, OwnerGuard, Ranked, Replace
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Batch,
    Change,
    Children,
    Choice,
    Claim,
    Commit,
    Computed,
    Delete,
    Get,
    Insert,
    Load,
    Loaded,
    Measure,
    Op,
    Order,
    Page,
    Put,
    Remove,
    Require,
    Scan,
    Stored,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tenant_tables import TENANT, tenant_table
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.testing import Candidate
from dbrouter.testing.conformance.records import learning, run, session
from dbrouter.testing.opening import Opener
from dbrouter.testing.opening import run as run_body
from tests.candidates import STORES
from tests.neighbours import confined
from tests.policies.two_tenants import NAMES

R = TypeVar("R")

COUNT = Computed(name="n", measure=Measure.COUNT)
HISTORY = Children(table="runs", on=("session_id",), columns=("run_id",), order=())
OF_TENANT = eq(TENANT, "b")
S1 = session("s1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek(Op[Page]):
    """An op that the kernel may have one day."""

    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WiderScan(Scan):
    """A scan that may do more than one."""


@dataclass(frozen=True, slots=True)
class Elsewhere(Compare):
    """A filter that may look anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Remove):
    """A write that may go anywhere."""


@dataclass(frozen=True, slots=True)
class Borrow(Replace):
    """A rule that may take from anywhere."""


ELSEWHERE = Elsewhere(Field("user_id"), Comparison.EQ, "u")


def scan(**more: Any) -> Scan:
    """Sessions."""
    return Scan(table="sessions", **more)


def upsert(**more: Any) -> Upsert:
    """A session inserted or merged."""
    return Upsert(table="sessions", records=(S1,), **more)


REFUSED: dict[str, Op[Any]] = {
    "an op nobody knows": Peek(table="sessions"),
    "a kind of scan nobody knows": WiderScan(table="sessions"),
    "a filter nobody knows": scan(where=ELSEWHERE),
    "such a filter within others": scan(where=Not(Or((EVERYTHING, ELSEWHERE)))),
    "such a filter on another table": Delete(
        table="runs", where=Related("session_id", "sessions", "session_id", ELSEWHERE)
    ),
    "such a filter of a measure": Aggregate(table="sessions", by={}, measures=(replace(COUNT, where=ELSEWHERE),)),
    "such a filter of a choice": Update(
        table="sessions", where=EVERYTHING, changes={"user_id": Choice(where=ELSEWHERE, then=None, otherwise=None)}
    ),
    "such a filter of children": Load(table="sessions", key=("s1",), children=replace(HISTORY, where=ELSEWHERE)),
    "such a filter of a rank": upsert(rules={"user_id": Ranked(((ELSEWHERE, 1),))}),
    "such a filter of a commit": Commit(writes=(Require(table="sessions", key=("s1",), where=ELSEWHERE),)),
    "a write nobody knows": Commit(writes=(Move(table="sessions", key=("s1",)),)),
    "a rule nobody knows": upsert(rules={"user_id": Borrow()}),
    "a rule nobody knows in a batch": Batch(upserts=(upsert(rules={"user_id": Borrow()}),)),
    "the column in a filter": scan(where=OF_TENANT),
    "the column in a filter's list": scan(where=Not(In(Field(TENANT), ("a",)))),
    "the column in a test for null": scan(where=IsNull(Field(TENANT))),
    "the column as JSON": scan(where=Like(TENANT, "%")),
    "the column as an array": scan(where=HasItem(TENANT, "b")),
    "the column to relate by": scan(where=Related(TENANT, "runs", "run_id", EVERYTHING)),
    "the column to relate to": scan(where=Related("session_id", "runs", TENANT, EVERYTHING)),
    "the column in an order": scan(order=(Order(Field(TENANT)),)),
    "the column as a fallback": scan(order=(Order(Field("user_id"), fallback=TENANT),)),
    "the column in an answer": scan(columns=("session_id", TENANT)),
    "the column as text": scan(raw=frozenset({TENANT})),
    "the column as a group": Aggregate(table="sessions", by={"x": Field(TENANT)}, measures=(COUNT,)),
    "the column as a measure": Aggregate(
        table="sessions", by={}, measures=(Computed(name="x", measure=Measure.MAX, field=Field(TENANT)),)
    ),
    "the column of children": Load(table="sessions", key=("s1",), children=replace(HISTORY, columns=(TENANT,))),
    "the column set": Update(table="sessions", where=EVERYTHING, changes={TENANT: "b"}),
    "the column set in a claim": Claim(table="sessions", where=EVERYTHING, order=(), changes={TENANT: "b"}),
    "the column set in a commit": Commit(writes=(Change(table="sessions", key=("s1",), changes={TENANT: "b"}),)),
    "the column merged": upsert(rules={TENANT: Keep()}),
    "the column in a rule": upsert(rules={"updated_at": Elapsed(TENANT, "created_at")}),
    "the column of a parent": Upsert(table="runs", records=(run("r1"),), rules={"run_index": Next(TENANT)}),
    "the column to find by": upsert(on=(TENANT, "session_id")),
    "the column as owner": upsert(guard=OwnerGuard(TENANT, claim=True)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_tenancy_does_not_understand_is_refused_and_never_sent(what: str) -> None:
    store = Watching(MemoryStore())
    with pytest.raises(Unsupported):
        finish(Confined(store, "a").execute(REFUSED[what]))
    assert store.ops == []


@pytest.mark.parametrize(
    "op",
    [
        Insert(table="sessions", records=(S1 | {TENANT: "b"},)),
        Upsert(table="sessions", records=(S1 | {TENANT: "b"},)),
        Batch(upserts=(Upsert(table="sessions", records=(S1 | {TENANT: None},)),)),
        Commit(writes=(Put(table="sessions", record=S1 | {TENANT: "a "}),)),
    ],
)
def test_a_record_of_somebody_else_is_refused_and_never_sent(op: Op[Any]) -> None:
    store = Watching(MemoryStore())
    with pytest.raises(TenantConflict):
        finish(Confined(store, "a").execute(op))
    assert store.ops == []


def test_only_agnos_tables_have_a_shared_form() -> None:
    store = Watching(MemoryStore())
    for table in ("kernel_positions", tenant_table("sessions"), "nothing"):
        for op in (Scan(table=table), Get(table=table, key=("x",)), Delete(table=table, where=EVERYTHING)):
            with pytest.raises(StoreError):
                finish(Confined(store, "a").execute(op))
    assert store.ops == []


def test_a_tenant_has_a_name() -> None:
    with pytest.raises(MissingTenant):
        Confined(MemoryStore(), "")


DECIDED = {
    "Get": {"table", "key", "where", "versioned"},
    "Scan": {"table", "where", "order", "limit", "offset", "total", "columns", "raw"},
    "Children": {"table", "on", "columns", "order", "where", "limit", "raw"},
    "Load": {"table", "key", "children", "where", "raw"},
    "Put": {"table", "record", "expect"},
    "Remove": {"table", "key", "expect"},
    "Check": {"table", "key", "expect"},
    "Change": {"table", "key", "changes", "where"},
    "Require": {"table", "key", "where"},
    "Commit": {"writes"},
    "Insert": {"table", "records"},
    "Upsert": {"table", "records", "rules", "on", "guard", "expect", "returning"},
    "Choice": {"where", "then", "otherwise"},
    "Update": {"table", "where", "changes", "returning"},
    "Claim": {"table", "where", "order", "changes"},
    "Delete": {"table", "where"},
    "Computed": {"name", "measure", "field", "where"},
    "Aggregate": {"table", "by", "measures", "where", "order", "limit", "offset", "total"},
    "Batch": {"upserts"},
}
"""What the rewriting knows of each part of an op. Before you add to it: can the new field look at another table?"""


@pytest.mark.parametrize("part", DECIDED)
def test_the_rewriting_knows_every_field_of_an_op(part: str) -> None:
    assert {each.name for each in fields(getattr(kernel_ops, part))} == DECIDED[part]


class Watching:
    """An inner store that keeps the ops it is sent, and may answer with rows of another tenant."""

    def __init__(self, inner: Store, liar: bool = False) -> None:
        self._inner = inner
        self._liar = liar
        self.runtime = inner.runtime
        self.ops: list[Op[Any]] = []

    @property
    def capabilities(self) -> Any:
        return self._inner.capabilities

    async def execute(self, op: Op[R], /) -> R:
        self.ops.append(op)
        answer = await self._inner.execute(op)
        return _given_away(answer) if self._liar else answer

    async def existing_tables(self) -> frozenset[str]:
        return await self._inner.existing_tables()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        await self._inner.create_tables(tables)

    def physical_name(self, table: str) -> str:
        return self._inner.physical_name(table)

    async def ping(self) -> None:
        await self._inner.ping()

    async def close(self) -> None:
        raise AssertionError("a shared store is closed by whoever opened it")


def _given_away(answer: Any) -> Any:
    """The last row of the answer as another tenant's."""
    match answer:
        case Stored(record=record):
            return replace(answer, record=_given_away(record))
        case Loaded(children=[]):
            return replace(answer, record=_given_away(answer.record))
        case Loaded(children=children):
            return replace(answer, children=_given_away(children))
        case Page(records=records):
            return replace(answer, records=_given_away(records))
        case [*others, last]:
            return [*others, _given_away(last)]
        case dict():
            return answer | {column: "b" for column in answer if column.startswith(TENANT)}
        case _:
            return answer


ASKED: dict[str, Op[Any]] = {
    "get": Get(table="sessions", key=("s1",)),
    "scan": scan(),
    "scan of some columns": scan(columns=("user_id",)),
    "load": Load(table="sessions", key=("s2",), children=HISTORY),
    "children": Load(table="sessions", key=("s1",), children=HISTORY),
    "update": Update(table="sessions", where=EVERYTHING, changes={"user_id": "x"}),
    "update of keys": Update(table="sessions", where=EVERYTHING, changes={"user_id": "x"}, returning=False),
    "claim": Claim(table="sessions", where=EVERYTHING, order=(), changes={"user_id": "x"}),
    "upsert": upsert(rules={"user_id": Replace()}),
    "group": Aggregate(table="sessions", by={"user": Field("user_id")}, measures=(COUNT,)),
    "all as one group": Aggregate(table="sessions", by={}, measures=(COUNT,)),
}


@pytest.mark.parametrize("what", ASKED)
def test_a_row_of_another_tenant_goes_no_further(what: str) -> None:
    store = MemoryStore()
    honest = Confined(store, "a")
    finish(honest.execute(Insert(table="sessions", records=(S1, session("s2", user_id="secret")))))
    finish(honest.execute(Insert(table="runs", records=(run("r1"), run("r2")))))
    with pytest.raises(CrossedTenant) as caught:
        finish(Confined(Watching(store, liar=True), "a").execute(ASKED[what]))
    assert "'a'" in str(caught.value)
    assert "'b'" in str(caught.value)
    assert "secret" not in str(caught.value)
    finish(honest.execute(ASKED[what]))


def test_a_row_that_does_not_say_whose_it_is_goes_no_further() -> None:
    class Forgetful(Watching):
        async def execute(self, op: Op[R], /) -> R:
            answer: Any = await self._inner.execute(op)
            return replace(answer, records=[{"session_id": "s1"}])  # type: ignore[no-any-return]

    with pytest.raises(CrossedTenant, match="nobody"):
        finish(Confined(Forgetful(MemoryStore()), "a").execute(scan()))


def test_witnesses_of_a_group_stay_out_of_the_way() -> None:
    store = MemoryStore()
    confined = Confined(store, "a")
    finish(confined.execute(Insert(table="learnings", records=(learning("1", user_id="u"),))))
    named = Computed(name=f"{TENANT}_least", measure=Measure.COUNT)
    by = {f"{TENANT}_greatest": Field("user_id")}
    page = finish(confined.execute(Aggregate(table="learnings", by=by, measures=(named,), total=True)))
    assert page == Page([{f"{TENANT}_greatest": "u", f"{TENANT}_least": 1}], 1)
    nothing = Aggregate(table="learnings", by={}, measures=(named,), where=eq("user_id", "nobody"))
    assert finish(confined.execute(nothing)).records == [{f"{TENANT}_least": 0}]


def test_a_duplicate_names_the_callers_columns() -> None:
    confined = Confined(MemoryStore(), "a")
    finish(confined.execute(Insert(table="sessions", records=(S1,))))
    with pytest.raises(Duplicate) as caught:
        finish(confined.execute(Insert(table="sessions", records=(S1,))))
    assert caught.value.columns == ("session_id",)
    finish(Confined(MemoryStore(), "b").execute(Insert(table="sessions", records=(S1,))))


def test_tables_are_the_shared_ones_and_the_store_beneath_stays_open() -> None:
    store = Watching(MemoryStore())
    confined = Confined(store, "a")
    assert confined.physical_name("sessions") == "tenants_agno_sessions"
    finish(store.create_tables(("sessions",)))
    assert finish(confined.existing_tables()) == frozenset()
    finish(confined.create_tables(tuple(TABLES)))
    assert finish(confined.existing_tables()) == {confined.physical_name(table) for table in TABLES}
    finish(confined.ping())
    finish(confined.close())


@pytest.mark.parametrize(
    "candidate",
    [pytest.param(each, id=each.id, marks=[pytest.mark.backend(each.backend, mode=each.mode)]) for each in STORES],
)
def test_names_that_a_database_could_take_for_one_are_several(
    candidate: Candidate, request: pytest.FixtureRequest
) -> None:
    names = {*(name for pair in NAMES for name in pair), "\ud83d\ude00", "\U0001f600", "a\x00b", "\t"}
    opener = Opener(candidate.place(request))
    store = opener()

    async def body() -> None:
        for name in names:
            await confined(store, name).execute(Insert(table="sessions", records=(session("s1", user_id=name),)))
        for name in names:
            page = await confined(store, name).execute(Scan(table="sessions", total=True))
            assert ([record["user_id"] for record in page.records], page.total) == ([name], 1)
        assert await confined(store, "a").execute(Delete(table="sessions", where=EVERYTHING)) == 1
        for name in names - {"a"}:
            assert await confined(store, name).execute(Get(table="sessions", key=("s1",))) is not None

    run_body(body, {}, opener.opened)
