"""Whatever is asked of it, an emulated store answers as the memory store does."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dbrouter.backends.kernel.capabilities import Capabilities, all_but_related, all_filters, only_everything
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Conflict, Duplicate, MissingParent, StoreError
from dbrouter.backends.kernel.filters import (
    And,
    Field,
    IsNull,
    Not,
    eq,
)
from dbrouter.backends.kernel.merging import Greatest, Least, Next, OwnerGuard, Present
from dbrouter.backends.kernel.ops import (
    ABSENT,
    KEEP_VALUE,
    Aggregate,
    Batch,
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
    Scan,
    Stored,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.testing.minimal import MinimalStore
from dbrouter.testing.walking import WalkingStore
from tests.kernel.limited import LimitedStore
from tests.kernel.small_world import (
    CHANGES,
    DOCUMENTS,
    IDS,
    NUMBERS,
    NUMERIC,
    OWNED,
    RECORDS,
    RULES,
    TABLES,
    USERS,
    filters,
    key_column,
    orders,
)

RAW = ("session_data", "run_data")
"""JSON columns that are asked for as text."""
REFUSALS = (Duplicate, MissingParent, Conflict)


class Twins(RuleBasedStateMachine):
    """The memory store, and one that emulates, asked the same things."""

    def __init__(self) -> None:
        super().__init__()
        self.model: Store = MemoryStore()
        self.store: Store = Emulated(MinimalStore())

    def both(self, op: Op[Any], other: Op[Any] | None = None) -> None:
        """Ask both, and compare the answers or the kinds of error."""
        expected, found = _outcome(self.model, op), _outcome(self.store, other or op)
        assert _exact(found) == _exact(expected), op

    def stored(self, table: str, key: str) -> tuple[Any, Any]:
        """The versions that both stores have of a record."""
        versions = []
        for each in (self.model, self.store):
            found = finish(each.execute(Get(table=table, key=(key,), versioned=True)))
            versions.append(ABSENT if found is None else found.version)
        return versions[0], versions[1]

    def stale(self, table: str) -> tuple[Any, Any]:
        """Versions that no record of the table has in either store."""
        del table
        return "no such version", "no such version"

    @property
    def atomic(self) -> bool:
        """Whether several records can be written at once."""
        return self.store.capabilities.commits

    @rule(data=st.data(), table=st.sampled_from(TABLES))
    def insert(self, data: st.DataObject, table: str) -> None:
        """New records."""
        records = data.draw(st.lists(RECORDS[table], min_size=1, max_size=2 if self.atomic else 1))
        self.both(Insert(table=table, records=tuple(records)))

    @rule(data=st.data(), table=st.sampled_from(TABLES))
    def upsert(self, data: st.DataObject, table: str) -> None:
        """Records inserted or merged, with rules, a guard and an expectation."""
        record = data.draw(RECORDS[table])
        key = key_column(table)
        rules = data.draw(st.dictionaries(st.sampled_from(sorted(record.keys() - {key})), RULES, max_size=4))
        # Documents have no order.
        rules |= {each: Present() for each in DOCUMENTS if isinstance(rules.get(each), Least | Greatest)}
        on = ("user_id", "date", "aggregation_period") if table == "metrics" and data.draw(st.booleans()) else ()
        if table == "runs" and data.draw(st.booleans()):
            rules["run_index"] = Next("session_id")
            rules.pop("session_id", None)
        guard = None
        if table in OWNED and data.draw(st.booleans()):
            guard = OwnerGuard("user_id", claim=data.draw(st.booleans()), unscoped=data.draw(st.booleans()))
        op = Upsert(table=table, records=(record,), rules=rules, on=on, guard=guard)
        kind = "any" if on else data.draw(st.sampled_from(["any", "absent", "current", "stale"]))
        if kind == "absent":
            self.both(replace(op, expect=ABSENT))
        elif kind == "current":
            ours, theirs = self.stored(table, record[key])
            self.both(replace(op, expect=ours), replace(op, expect=theirs))
        elif kind == "stale":
            ours, theirs = self.stale(table)
            self.both(replace(op, expect=ours), replace(op, expect=theirs))
        else:
            self.both(op)

    @rule(data=st.data(), table=st.sampled_from(["sessions", "traces"]))
    def batch(self, data: st.DataObject, table: str) -> None:
        """Several upserts that nobody waits for."""
        records = data.draw(st.lists(RECORDS[table], max_size=3))
        self.both(Batch(upserts=tuple(Upsert(table=table, records=(record,), rules={}) for record in records)))

    @rule(data=st.data(), table=st.sampled_from(TABLES), returning=st.booleans())
    def update(self, data: st.DataObject, table: str, returning: bool) -> None:
        """Columns set where a filter matches."""
        changes: dict[str, Any] = data.draw(CHANGES[table])
        where = data.draw(filters(table))
        if table == "runs" and "session_id" in changes:
            # Refused half-way, it changes nothing in memory and some records elsewhere.
            where = And((where, eq("run_id", data.draw(IDS))))
        if data.draw(st.booleans()):
            choice = Choice(where=data.draw(filters(table)), then=data.draw(NUMBERS), otherwise=KEEP_VALUE)
            changes = {**changes, NUMERIC[table]: choice}
        self.both(Update(table=table, where=where, changes=changes, returning=returning))

    @rule(data=st.data(), name=IDS, owner=USERS)
    def rename(self, data: st.DataObject, name: str, owner: str | None) -> None:
        """A record takes other unique values, if they are free."""
        where = eq("id", data.draw(IDS))
        self.both(Update(table="schedules", where=where, changes={"name": name, "user_id": owner}))

    @rule(data=st.data(), table=st.sampled_from(["sessions", "schedules"]))
    def claim(self, data: st.DataObject, table: str) -> None:
        """The first record that is free."""
        where, order = data.draw(filters(table)), data.draw(orders(table))
        self.both(Claim(table=table, where=where, order=order, changes={"updated_at": data.draw(NUMBERS)}))

    @rule(data=st.data(), table=st.sampled_from(TABLES))
    def delete(self, data: st.DataObject, table: str) -> None:
        """Records gone, and their children."""
        self.both(Delete(table=table, where=data.draw(filters(table))))

    @rule(
        data=st.data(), table=st.sampled_from(TABLES), expected=st.sampled_from(["any", "absent", "current", "stale"])
    )
    def put(self, data: st.DataObject, table: str, expected: str) -> None:
        """One whole record."""
        record = data.draw(RECORDS[table])
        versions: tuple[Any, Any] = (None, None)
        if expected == "absent":
            versions = (ABSENT, ABSENT)
        elif expected == "current":
            versions = self.stored(table, record[key_column(table)])
        elif expected == "stale":
            versions = self.stale(table)
        ours, theirs = (Commit(writes=(Put(table=table, record=record, expect=version),)) for version in versions)
        self.both(ours, theirs)

    @rule(table=st.sampled_from(TABLES), key=IDS, expected=st.sampled_from(["any", "current", "stale"]))
    def remove(self, table: str, key: str, expected: str) -> None:
        """One record gone."""
        versions: tuple[Any, Any] = self.stale(table) if expected == "stale" else (None, None)
        if expected == "current":
            versions = self.stored(table, key)
            if ABSENT in versions:
                return
        ours, theirs = (Commit(writes=(Remove(table=table, key=(key,), expect=each),)) for each in versions)
        self.both(ours, theirs)

    @precondition(lambda self: self.atomic)
    @rule(data=st.data())
    def commit_several(self, data: st.DataObject) -> None:
        """A record, its child and another's end, all or nothing."""
        parent, child = data.draw(RECORDS["traces"]), data.draw(RECORDS["spans"])
        gone = data.draw(IDS)
        writes = (
            Put(table="traces", record=parent),
            Put(table="spans", record=child, expect=data.draw(st.none() | st.just(ABSENT))),
            *((Remove(table="schedules", key=(gone,)),) if data.draw(st.booleans()) else ()),
            Put(table="schedules", record=data.draw(RECORDS["schedules"].filter(lambda each: each["id"] != gone))),
        )
        self.both(Commit(writes=writes))

    @rule(data=st.data(), table=st.sampled_from(TABLES), total=st.booleans())
    def scan(self, data: st.DataObject, table: str, total: bool) -> None:
        """A page."""
        columns = data.draw(st.none() | st.just((key_column(table), NUMERIC[table])))
        self.both(
            Scan(
                table=table,
                where=data.draw(filters(table)),
                order=data.draw(orders(table)),
                limit=data.draw(st.none() | st.integers(0, 3)),
                offset=data.draw(st.integers(0, 2)),
                total=total,
                columns=columns,
                raw=frozenset({RAW[0]}) if table == "sessions" and columns is None else frozenset(),
            )
        )

    @rule(data=st.data(), key=IDS, limit=st.none() | st.integers(0, 2))
    def load(self, data: st.DataObject, key: str, limit: int | None) -> None:
        """A session and its runs."""
        children = Children(
            table="runs",
            on=("session_id",),
            columns=("run_id", "status", "run_data"),
            order=data.draw(orders("runs")),
            where=data.draw(filters("runs")),
            limit=limit,
            raw=frozenset({RAW[1]}),
        )
        self.both(Load(table="sessions", key=(key,), children=children, where=data.draw(filters("sessions"))))

    @rule(data=st.data(), table=st.sampled_from(TABLES), key=IDS)
    def get(self, data: st.DataObject, table: str, key: str) -> None:
        """One record."""
        self.both(Get(table=table, key=(key,), where=data.draw(filters(table))))

    @rule(data=st.data(), table=st.sampled_from(OWNED))
    def aggregate(self, data: st.DataObject, table: str) -> None:
        """Groups."""
        number = Field(NUMERIC[table])
        self.both(
            Aggregate(
                table=table,
                by={"owner": Field("user_id")} if data.draw(st.booleans()) else {},
                measures=(
                    Computed(name="n", measure=Measure.COUNT, where=data.draw(filters(table))),
                    Computed(name="p95", measure=Measure.P95, field=number),
                    Computed(name="top", measure=Measure.MAX, field=number),
                ),
                where=data.draw(filters(table)),
                order=(Order(Field("n"), descending=data.draw(st.booleans())),),
                limit=data.draw(st.none() | st.integers(0, 2)),
                total=data.draw(st.booleans()),
            )
        )

    @invariant()
    def hold_the_same(self) -> None:
        """After every step both hold the same records; positions may have gaps where records were deleted."""
        for table in TABLES:
            self.both(Scan(table=table))
        positions = [
            (row["session_id"], row["run_index"])
            for row in finish(self.store.execute(Scan(table="runs", where=Not(IsNull(Field("run_index")))))).records
        ]
        assert len(positions) == len(set(positions))


def _outcome(store: Store, op: Op[Any]) -> Any:
    """The answer without what is a store's own affair: versions, and how large the gaps between positions are."""
    try:
        answer = finish(store.execute(op))
    except (Duplicate, MissingParent, Conflict) as error:
        # Of several records, some may be refused for one reason and some for another: either may be told.
        several = isinstance(op, Insert | Commit) and len(op.records if isinstance(op, Insert) else op.writes) > 1
        return "refused" if several else _kind(error)
    except StoreError as error:
        return type(error)
    if isinstance(op, Commit):
        return [version is not None for version in answer]
    if isinstance(op, Update):
        # The changed records, in no order.
        return sorted(_told(answer), key=repr)
    return _told(answer)


def _exact(answer: Any) -> Any:
    """The answer with the types of its values: to Python 1, 1.0 and `True` are equal."""
    match answer:
        case dict():
            return {name: _exact(each) for name, each in answer.items()}
        case list() | tuple():
            return [_exact(each) for each in answer]
        case _:
            return type(answer), answer


def _kind(error: StoreError) -> type[StoreError]:
    """The kernel's own class: a duplicate is also an error of SQLAlchemy."""
    return next(kind for kind in REFUSALS if isinstance(error, kind))


def _told(answer: Any) -> Any:
    match answer:
        case Stored(record=record):
            return ("stored", _told(record))
        case Loaded(record=record, children=children):
            return ("loaded", _told(record), _told(children))
        case Page(records=records, total=total):
            return ("page", _told(records), total)
        case list():
            return [_told(each) for each in answer]
        case dict():
            # Where a database keeps JSON as such, its text has the database's blanks.
            parsed = {name: _parsed(answer[name]) for name in RAW if isinstance(answer.get(name), str)}
            position = {"run_index": "a position"} if answer.get("run_index") is not None else {}
            return {**answer, **parsed, **position}
        case _:
            return answer


def _parsed(text: str) -> Any:
    try:
        return ("json", json.loads(text))
    except ValueError:
        return text


class OneAtATime(Twins):
    """Over a store that commits one record at a time."""


class AtomicCommits(Twins):
    """Over a store that commits several."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Emulated(MinimalStore(commits=True))


class Walking(Twins):
    """Over a store that keeps listings."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Emulated(WalkingStore())


class SomeCapabilities(Twins):
    """Over a store that does any part of it itself."""

    @initialize(data=st.data())
    def declare(self, data: st.DataObject) -> None:
        """Draw what the store declares."""
        names = [
            each.name for each in fields(Capabilities) if each.type == "bool" and each.name not in ("many", "several")
        ]
        declared = {name: data.draw(st.booleans(), label=name) for name in names}
        declared["together"] &= declared["commits"]
        native = data.draw(st.sampled_from([only_everything, all_but_related, all_filters]), label="filters")
        self.store = Emulated(LimitedStore(Capabilities(filters=native, **declared)))


STEPS = settings(
    max_examples=int(os.environ.get("DBROUTER_MODEL_RUNS", "30")),
    stateful_step_count=30,
    # Explaining a failure traces every line of the kernel, which takes longer than finding it.
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


@pytest.mark.parametrize("machine", [OneAtATime, AtomicCommits, Walking, SomeCapabilities])
def test_an_emulated_store_answers_as_the_memory_store(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=STEPS)
