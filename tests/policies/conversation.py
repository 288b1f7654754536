"""Everything that can be asked of a store, by two tenants with records of the same ids that say different things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dbrouter.backends.kernel.filters import EVERYTHING, Field, Filter, Related, compare, eq
from dbrouter.backends.kernel.filters import Comparison as Is
from dbrouter.backends.kernel.merging import Next, Replace
from dbrouter.backends.kernel.ops import (
    KEEP_VALUE,
    Aggregate,
    Batch,
    Change,
    Check,
    Children,
    Choice,
    Claim,
    Commit,
    Computed,
    Delete,
    Get,
    Insert,
    Load,
    Measure,
    Op,
    Order,
    Put,
    Remove,
    Require,
    Scan,
    Update,
    Upsert,
)
from tests.kernel.rows import run, schedule, session, trace
from tests.policies.two_tenants import TwoTenants

COUNT = Computed(name="n", measure=Measure.COUNT)


def converse(tenants: TwoTenants) -> None:
    """Both ask everything by turns, and after every question each must hold what its own store holds."""
    tenants.meet()
    for questions in (reads, arrivals, writes, removals):
        for user in ("u", "v"):
            for op in questions(user):
                tenants.both(op)
                tenants.hold_the_same()
            tenants.both(*(_unchanged(version) for version in tenants.stored("sessions", "a")))
            tenants.pass_on()


def of_session(user: str) -> Filter:
    """The records of this user's sessions."""
    return Related("session_id", "sessions", "session_id", eq("user_id", user))


def reads(user: str) -> Iterator[Op[Any]]:
    """Every way to read, by filters that match what the other tenant has too."""
    for where in (EVERYTHING, of_session("u"), of_session("v"), eq("user_id", user)):
        yield Get(table="traces", key=("a",), where=where)
        yield Scan(table="traces", where=where, order=(Order(Field("user_id")),), limit=3, total=True)
        yield Scan(table="traces", where=where, columns=("trace_id",))
        count = Computed(name="of", measure=Measure.COUNT, where=where)
        yield Aggregate(table="traces", by={}, measures=(COUNT, count))
        yield Aggregate(table="traces", by={"user": Field("user_id")}, measures=(COUNT, count), total=True)
        yield Aggregate(table="traces", by={}, measures=(COUNT,), where=where)
        runs = Children(table="runs", on=("session_id",), columns=("user_id",), order=(), where=where)
        for key in "ab":
            yield Load(table="sessions", key=(key,), children=runs)
            yield Load(table="sessions", key=(key,), children=runs, where=eq("user_id", user))


def arrivals(user: str) -> Iterator[Op[Any]]:
    """Schedules that are due."""
    due = (schedule(key, key, user_id=user, next_run_at=number) for number, key in enumerate("ab"))
    yield Insert(table="schedules", records=tuple(due))


def writes(user: str) -> Iterator[Op[Any]]:
    """Every way to write."""
    yield Upsert(table="sessions", records=(session("a", agent_id=user),), rules={"agent_id": Replace()})
    for number in range(2):
        record = run(f"{user}{number}", "a", run_index=0)
        yield Upsert(table="runs", records=(record,), rules={"run_index": Next("session_id")})
    # Each has two runs with positions in the session: none is beyond 1.
    yield Scan(table="runs", where=compare("run_index", Is.GT, 1), columns=("run_id",))
    yield Batch(upserts=(Upsert(table="traces", records=(trace(f"only {user}'s"),), rules={}),))
    for number, where in enumerate((EVERYTHING, of_session("u"), of_session("v"))):
        yield Update(table="traces", where=where, changes={"name": f"{user}{number}"})
        choice = Choice(where=where, then=f"{user}{number}", otherwise=KEEP_VALUE)
        yield Update(table="traces", where=eq("trace_id", "b"), changes={"status": choice})
    claim = {"locked_by": user, "next_run_at": 9}
    for _ in range(3):
        free = compare("next_run_at", Is.LT, 9)
        yield Claim(table="schedules", where=free, order=(Order(Field("next_run_at")),), changes=claim)
    yield Commit(writes=(Put(table="sessions", record=session("new", user_id=user)),))
    key = (f"{user}0",)
    yield Commit(writes=(Change(table="runs", key=key, changes={"status": user}),))
    yield Commit(writes=(Require(table="sessions", key=("a",), where=eq("user_id", user)),))
    yield Commit(writes=(Require(table="sessions", key=("a",), where=eq("agent_id", user)),))


def removals(user: str) -> Iterator[Op[Any]]:
    """Every way to remove; what is removed takes its own children along, and nobody else's."""
    yield Commit(writes=(Remove(table="runs", key=(f"{user}1",)),))
    for where in (of_session("u"), of_session("v")):
        yield Delete(table="traces", where=where)
    yield Delete(table="sessions", where=eq("session_id", "a"))
    yield Delete(table="runs", where=EVERYTHING)
    yield Delete(table="schedules", where=EVERYTHING)


def _unchanged(version: Any) -> Commit:
    return Commit(writes=(Check(table="sessions", key=("a",), expect=version),))
