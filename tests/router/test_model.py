"""Three databases behind one store answer whatever is asked as one database would."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from dbrouter.backends.kernel.errors import Conflict, Duplicate, MissingParent, StoreError
from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    And,
    Comparison,
    Field,
    Filter,
    Not,
    Or,
    Related,
    compare,
    eq,
    one_of,
)
from dbrouter.backends.kernel.merging import Fill, Greatest, Keep, Least, Next, OwnerGuard, Present, Replace
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Aggregate,
    Batch,
    Children,
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
    Scan,
    Stored,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.router.directory import Directory
from dbrouter.router.routed import RoutedStore
from tests.kernel.rows import run, schedule, session, span, trace
from tests.router.world import CREW, KEYS, OPS_BOT, World

IDS = st.sampled_from(["p1", "p2", "o1", "o2", "c1"])
"""The first letter says whose it is: everybody's, the ops bot's, the crew's. No component ever takes another's id."""
OWNERS: dict[str, dict[str, Any]] = {
    "p": {"agent_id": "helper"},
    "o": {"agent_id": "ops-bot"},
    "c": {"team_id": "crew"},
}
BOUND = {"p": None, "o": OPS_BOT, "c": CREW}
USERS = st.none() | st.sampled_from(["", "u", "v"])
NUMBERS = st.integers(0, 3)
TABLES = ("sessions", "runs", "memories", "traces", "spans", "schedules", "schedule_runs")
ROOTS = ("sessions", "memories", "traces", "schedules")
FOLLOWERS = {"runs": "session_id", "spans": "trace_id", "schedule_runs": "schedule_id"}
NUMERIC = {"traces": "duration_ms", "spans": "duration_ms"}
OWNED = ("sessions", "runs", "memories", "traces", "schedules")


def _kind(id_: str) -> str:
    return "team" if id_[0] == "c" else "agent"


def _memory(memory_id: str, **columns: Any) -> dict[str, Any]:
    return {"memory_id": memory_id, "memory": "x", **columns}


def _schedule_run(schedule_id: str, number: int, created_at: int) -> dict[str, Any]:
    return {
        "id": f"{schedule_id}-{number}",
        "schedule_id": schedule_id,
        "attempt": 1,
        "status": "done",
        "created_at": created_at,
    }


RECORDS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "sessions": st.builds(
        lambda key, user, at: session(key, user_id=user, created_at=at, session_type=_kind(key), **OWNERS[key[0]]),
        IDS,
        USERS,
        NUMBERS,
    ),
    "runs": st.builds(
        lambda key, number, user, status: run(f"{key}-{number}", key, user_id=user, status=status),
        IDS,
        NUMBERS,
        USERS,
        st.none() | st.sampled_from("ab"),
    ),
    "memories": st.builds(
        lambda key, user, at: _memory(key, user_id=user, created_at=at, **OWNERS[key[0]]), IDS, USERS, NUMBERS
    ),
    "traces": st.builds(
        lambda key, user, ms, of: trace(key, user_id=user, duration_ms=ms, session_id=of, **OWNERS[key[0]]),
        IDS,
        USERS,
        NUMBERS,
        st.none() | IDS,
    ),
    "spans": st.builds(lambda key, number, ms: span(f"{key}-{number}", key, duration_ms=ms), IDS, NUMBERS, NUMBERS),
    "schedules": st.builds(lambda key, at: schedule(key, key, created_at=at, next_run_at=at), IDS, NUMBERS),
    "schedule_runs": st.builds(_schedule_run, IDS, NUMBERS, NUMBERS),
}
RULES = st.sampled_from([Keep(), Replace(), Fill(), Present(), Least(), Greatest()])


def key_column(table: str) -> str:
    """The column that names a record."""
    return KEYS.get(table, "id")


@cache
def filters(table: str) -> st.SearchStrategy[Filter]:
    """Filters about keys, owners, components, leaders and records of other tables."""
    keys = IDS if table in ROOTS else st.builds("{}-{}".format, IDS, NUMBERS)
    leaves: list[st.SearchStrategy[Filter]] = [
        st.just(EVERYTHING),
        keys.map(lambda key: eq(key_column(table), key)),
        st.lists(keys, max_size=3).map(lambda some: one_of(key_column(table), some)),
        st.builds(compare, st.just(NUMERIC.get(table, "created_at")), st.sampled_from(list(Comparison)), NUMBERS),
    ]
    if table in OWNED:
        leaves += [USERS.map(lambda user: eq("user_id", user or ""))]
    if table in ("sessions", "memories", "traces"):
        leaves += [st.sampled_from(["helper", "ops-bot"]).map(lambda agent: eq("agent_id", agent))]
        leaves += [st.just(eq("team_id", "crew"))]
    if table in FOLLOWERS:
        leaves += [IDS.map(lambda key: eq(FOLLOWERS[table], key))]
    if table in ("runs", "traces"):
        of_user = USERS.map(lambda user: eq("user_id", user or ""))
        leaves += [st.builds(Related, st.just("session_id"), st.just("sessions"), st.just("session_id"), of_user)]
    each = st.one_of(leaves)
    several = st.lists(each, max_size=3).map(tuple)
    return each | several.map(And) | several.map(Or) | each.map(Not)


@cache
def orders(table: str) -> st.SearchStrategy[tuple[Order, ...]]:
    """Orders with many ties."""
    columns = st.sampled_from([NUMERIC.get(table, "created_at"), key_column(table)])
    return st.lists(st.builds(Order, st.builds(Field, columns), st.booleans()), max_size=2).map(tuple)


class Together(RuleBasedStateMachine):
    """One memory store, and three behind a routed one that remembers what it saw, or has just begun."""

    def __init__(self) -> None:
        super().__init__()
        self.model: Store = MemoryStore()
        self.world = World()

    def routed(self, *, cold: bool) -> RoutedStore:
        """The routed store, or another process's."""
        if not cold:
            return self.world.store
        return RoutedStore(self.world.databases, self.world.routes, directory=Directory())

    def both(self, op: Op[Any], other: Op[Any] | None = None, *, cold: bool = False, of: str = "p") -> None:
        """Ask both. `of`: whose call it is, where the record does not say."""
        store = self.routed(cold=cold)
        component = BOUND[of[0]]
        expected = outcome(self.model, op)
        found = outcome(store.bound(component) if component is not None else store, other or op)
        assert found == expected, (op, found, expected)

    def whose(self, table: str, record: dict[str, Any]) -> str:
        """Schedules name no component: they are made by the calls of one."""
        key: str = record[key_column(table)]
        return key if table in ("schedules", "schedule_runs") else "p"

    def stored(self, table: str, key: str) -> tuple[Any, Any]:
        """The versions that both have of a record."""
        asked = Get(table=table, key=(key,), versioned=True)
        found = [finish(each.execute(asked)) for each in (self.model, self.world.store)]
        return tuple(ABSENT if each is None else each.version for each in found)  # type: ignore[return-value]

    @rule(data=st.data(), table=st.sampled_from(TABLES), cold=st.booleans())
    def insert(self, data: st.DataObject, table: str, cold: bool) -> None:
        """A new record."""
        record = data.draw(RECORDS[table])
        self.both(Insert(table=table, records=(record,)), cold=cold, of=self.whose(table, record))

    @rule(data=st.data(), table=st.sampled_from(TABLES), cold=st.booleans())
    def upsert(self, data: st.DataObject, table: str, cold: bool) -> None:
        """A record inserted or merged."""
        record = data.draw(RECORDS[table])
        fixed = {key_column(table), FOLLOWERS.get(table), "agent_id", "team_id", "session_type", "run_data"}
        rules = data.draw(st.dictionaries(st.sampled_from(sorted(record.keys() - fixed)), RULES, max_size=4))
        if table == "runs" and data.draw(st.booleans()):
            rules["run_index"] = Next("session_id")
        guard = (
            OwnerGuard("user_id", claim=data.draw(st.booleans()))
            if table in OWNED and data.draw(st.booleans())
            else None
        )
        op = Upsert(table=table, records=(record,), rules=rules, guard=guard)
        expected = data.draw(st.sampled_from(["any", "absent", "current"]))
        of = self.whose(table, record)
        if expected == "current":
            mine, theirs = self.stored(table, record[key_column(table)])
            self.both(replace(op, expect=mine), replace(op, expect=theirs), cold=cold, of=of)
        else:
            self.both(op if expected == "any" else replace(op, expect=ABSENT), cold=cold, of=of)

    @rule(data=st.data(), table=st.sampled_from(["sessions", "memories", "traces"]), cold=st.booleans())
    def upsert_several(self, data: st.DataObject, table: str, cold: bool) -> None:
        """Records of several databases at once."""
        records = data.draw(st.lists(RECORDS[table], max_size=4))
        guard = data.draw(st.sampled_from([None, OwnerGuard("user_id", claim=True)]))
        self.both(Upsert(table=table, records=tuple(records), rules={"user_id": Replace()}, guard=guard), cold=cold)

    @rule(data=st.data(), cold=st.booleans())
    def batch(self, data: st.DataObject, cold: bool) -> None:
        """Traces and spans of several databases, as a buffer writes them."""
        traces = data.draw(st.lists(RECORDS["traces"], min_size=1, max_size=3))
        spans = data.draw(st.lists(RECORDS["spans"], max_size=4))
        known = {each["trace_id"] for each in traces}
        upserts = (
            Upsert(table="traces", records=tuple(traces), rules={"duration_ms": Greatest()}, returning=False),
            Upsert(table="spans", records=tuple(each for each in spans if each["trace_id"] in known), returning=False),
        )
        self.both(Batch(upserts=upserts), cold=cold)

    @rule(data=st.data(), table=st.sampled_from(TABLES), cold=st.booleans(), returning=st.booleans())
    def update(self, data: st.DataObject, table: str, cold: bool, returning: bool) -> None:
        """Columns set where a filter matches."""
        changes = {NUMERIC.get(table, "created_at"): data.draw(NUMBERS)}
        if table in ("sessions", "runs", "memories", "traces"):
            changes |= data.draw(st.fixed_dictionaries({}, optional={"user_id": USERS}))
        self.both(Update(table=table, where=data.draw(filters(table)), changes=changes, returning=returning), cold=cold)

    @rule(data=st.data(), table=st.sampled_from(TABLES), cold=st.booleans())
    def delete(self, data: st.DataObject, table: str, cold: bool) -> None:
        """Records gone, and what followed them."""
        if table == "traces":
            # A trace with spans refuses to go, and its database alone: what is in the others goes.
            self.both(Delete(table="spans", where=EVERYTHING), cold=cold)
        self.both(Delete(table=table, where=data.draw(filters(table))), cold=cold)

    @rule(data=st.data(), table=st.sampled_from(["schedules", "memories"]), cold=st.booleans())
    def claim(self, data: st.DataObject, table: str, cold: bool) -> None:
        """Some record that matches, whichever comes first in some database."""
        where, order = data.draw(filters(table)), data.draw(orders(table))
        changes = {"updated_at": data.draw(NUMBERS)}
        waiting = finish(self.model.execute(Scan(table=table, where=where))).records
        claimed = finish(self.routed(cold=cold).execute(Claim(table=table, where=where, order=order, changes=changes)))
        column = key_column(table)
        assert (claimed is None) == (waiting == [])
        if claimed is not None:
            assert claimed[column] in {each[column] for each in waiting}
            (mine,) = finish(
                self.model.execute(Update(table=table, where=eq(column, claimed[column]), changes=changes))
            )
            assert told(claimed) == told(mine)

    @rule(
        data=st.data(),
        table=st.sampled_from(ROOTS),
        cold=st.booleans(),
        expected=st.sampled_from(["any", "absent", "current"]),
    )
    def put(self, data: st.DataObject, table: str, cold: bool, expected: str) -> None:
        """One whole record."""
        record = data.draw(RECORDS[table])
        versions: tuple[Any, Any] = {"any": (None, None), "absent": (ABSENT, ABSENT), "current": ()}[expected]  # type: ignore[assignment]
        if expected == "current":
            versions = self.stored(table, record[key_column(table)])
        mine, theirs = (Commit(writes=(Put(table=table, record=record, expect=each),)) for each in versions)
        self.both(mine, theirs, cold=cold, of=self.whose(table, record))

    @rule(data=st.data(), table=st.sampled_from(TABLES), cold=st.booleans(), total=st.booleans())
    def scan(self, data: st.DataObject, table: str, cold: bool, total: bool) -> None:
        """A page."""
        self.both(
            Scan(
                table=table,
                where=data.draw(filters(table)),
                order=data.draw(orders(table)),
                limit=data.draw(st.none() | st.integers(0, 3)),
                offset=data.draw(st.integers(0, 2)),
                total=total,
                columns=data.draw(st.none() | st.just((key_column(table),))),
            ),
            cold=cold,
        )

    @rule(data=st.data(), table=st.sampled_from(TABLES), cold=st.booleans(), of=st.sampled_from("poc"))
    def get(self, data: st.DataObject, table: str, cold: bool, of: str) -> None:
        """One record, asked by anyone."""
        key = data.draw(IDS) if table in ROOTS else f"{data.draw(IDS)}-{data.draw(NUMBERS)}"
        self.both(Get(table=table, key=(key,), where=data.draw(filters(table))), cold=cold, of=of)

    @rule(data=st.data(), key=IDS, cold=st.booleans(), of=st.sampled_from("poc"), limit=st.none() | st.integers(0, 2))
    def load(self, data: st.DataObject, key: str, cold: bool, of: str, limit: int | None) -> None:
        """A session with its runs, asked by anyone."""
        children = Children(
            table="runs",
            on=("session_id",),
            columns=("run_id", "status"),
            order=data.draw(orders("runs")),
            where=data.draw(st.just(EVERYTHING) | st.just(eq("status", "a"))),
            limit=limit,
        )
        self.both(
            Load(table="sessions", key=(key,), children=children, where=data.draw(filters("sessions"))),
            cold=cold,
            of=of,
        )

    @rule(data=st.data(), table=st.sampled_from(OWNED), cold=st.booleans())
    def aggregate(self, data: st.DataObject, table: str, cold: bool) -> None:
        """Groups."""
        number = Field(NUMERIC.get(table, "created_at"))
        measures = (
            Computed(name="n", measure=Measure.COUNT, where=data.draw(filters(table))),
            Computed(name="top", measure=Measure.MAX, field=number),
            Computed(name="low", measure=Measure.MIN, field=number),
            Computed(name="p95", measure=Measure.P95, field=number),
            Computed(name="mean", measure=Measure.MEAN, field=number),
            Computed(name="some", measure=Measure.DISTINCT, field=number),
        )
        self.both(
            Aggregate(
                table=table,
                by={"owner": Field("user_id")} if data.draw(st.booleans()) else {},
                measures=measures[: data.draw(st.sampled_from([1, 3, 6]))],
                where=data.draw(filters(table)),
                order=(Order(Field("n"), descending=data.draw(st.booleans())),),
                limit=data.draw(st.none() | st.integers(0, 2)),
                total=data.draw(st.booleans()),
            ),
            cold=cold,
        )

    @invariant()
    def hold_the_same(self) -> None:
        """After every step both hold the same, each record once and in the right database."""
        for table in TABLES:
            self.both(Scan(table=table))
        for name, database in self.world.databases.items():
            for table in TABLES:
                assert {key[0] for key in database.keys(table)} <= {name[0]}, (table, name)


def outcome(store: Store, op: Op[Any]) -> Any:
    """The answer without what is a store's own affair, or the kind of error."""
    try:
        answer = finish(store.execute(op))
    except StoreError as error:
        return next((kind for kind in (Duplicate, MissingParent, Conflict) if isinstance(error, kind)), type(error))
    if isinstance(op, Commit):
        return [version is not None for version in answer]
    if isinstance(op, Update):
        # Several databases' records come one database's after the other's.
        return sorted(map(repr, told(answer)))
    return told(answer)


def told(answer: Any) -> Any:
    match answer:
        case Stored(record=record):
            return ("stored", told(record))
        case Loaded(record=record, children=children):
            return ("loaded", told(record), told(children))
        case Page(records=records, total=total):
            return ("page", told(records), total)
        case list():
            return [told(each) for each in answer]
        case dict():
            # Positions may have gaps of their own.
            return dict(
                sorted({**answer, **({"run_index": "some"} if answer.get("run_index") is not None else {})}.items())
            )
        case _:
            return answer


SEARCH = settings(max_examples=60, stateful_step_count=30, phases=(Phase.reuse, Phase.generate))
"""Without shrinking, which takes minutes: the failing step is told as it is."""


def test_three_databases_answer_like_one() -> None:
    run_state_machine_as_test(Together, settings=SEARCH)
