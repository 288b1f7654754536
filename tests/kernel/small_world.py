"""So few keys and values that random records, filters and orders meet: what the model test asks about."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    And,
    Comparison,
    Field,
    Filter,
    IsNull,
    Not,
    Or,
    Related,
    compare,
    eq,
    one_of,
)
from dbrouter.backends.kernel.merging import Fill, Greatest, Keep, Least, Present, Replace, Rule
from dbrouter.backends.kernel.ops import Order
from tests.kernel.rows import metric, run, schedule, session, span, trace

TABLES = ("sessions", "runs", "schedules", "schedule_runs", "metrics", "traces", "spans")
KEYS = {"sessions": "session_id", "runs": "run_id", "traces": "trace_id", "spans": "span_id"}
IDS = st.sampled_from("abc")
USERS = st.none() | st.sampled_from(["", "u", "v"])
NUMBERS = st.integers(0, 3)
DATA = st.none() | st.sampled_from([{}, {"n": 1}, {"n": True}, {"n": 1.0}, ["x"], "text", {"nul": "\x00"}])


def _records() -> dict[str, st.SearchStrategy[dict[str, Any]]]:
    """Table -> records that fit it, over so few keys and values that they meet."""
    return {
        "sessions": st.builds(
            session, IDS, user_id=USERS, created_at=NUMBERS, session_data=DATA, updated_at=st.none() | NUMBERS
        ),
        "runs": st.builds(run, IDS, IDS, user_id=USERS, status=st.none() | IDS, run_data=DATA.filter(bool)),
        "schedules": st.builds(
            schedule, IDS, IDS, user_id=USERS, created_at=NUMBERS, locked_by=st.none() | IDS, next_run_at=NUMBERS
        ),
        "schedule_runs": st.fixed_dictionaries(
            {"id": IDS, "schedule_id": IDS, "attempt": NUMBERS, "status": IDS, "created_at": NUMBERS}
        ),
        "metrics": st.builds(metric, IDS, USERS.map(str), users_count=NUMBERS, updated_at=st.none() | NUMBERS),
        "traces": st.builds(trace, IDS, user_id=USERS, duration_ms=NUMBERS, session_id=st.none() | IDS),
        "spans": st.builds(span, IDS, IDS, duration_ms=NUMBERS, attributes=DATA),
    }


RECORDS = _records()
CHANGES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "sessions": st.fixed_dictionaries({}, optional={"user_id": USERS, "session_data": DATA, "created_at": NUMBERS}),
    "runs": st.fixed_dictionaries({"status": IDS}, optional={"session_id": IDS}),
    "schedules": st.fixed_dictionaries({"locked_by": st.none() | IDS}, optional={"created_at": NUMBERS}),
    "schedule_runs": st.fixed_dictionaries({"status": IDS}),
    "metrics": st.fixed_dictionaries({"users_count": NUMBERS}),
    "traces": st.fixed_dictionaries({"duration_ms": NUMBERS}, optional={"user_id": USERS}),
    "spans": st.fixed_dictionaries({"duration_ms": NUMBERS, "attributes": DATA}),
}
NUMERIC = {table: "duration_ms" if table in ("traces", "spans") else "created_at" for table in TABLES}
DOCUMENTS = ("session_data", "run_data", "attributes")
OWNED = ("sessions", "runs", "schedules", "metrics", "traces")
RULES: st.SearchStrategy[Rule] = st.sampled_from([Keep(), Replace(), Fill(), Present(), Least(), Greatest()])


def key_column(table: str) -> str:
    """The column that names a record."""
    return KEYS.get(table, "id")


@cache
def filters(table: str) -> st.SearchStrategy[Filter]:
    """Filters that match some records of the table, all, or none."""
    leaves: list[st.SearchStrategy[Filter]] = [
        st.just(EVERYTHING),
        IDS.map(lambda key: eq(key_column(table), key)),
        st.lists(IDS, max_size=3).map(lambda keys: one_of(key_column(table), keys)),
        st.builds(compare, st.just(NUMERIC[table]), st.sampled_from(list(Comparison)), NUMBERS),
    ]
    if table in OWNED:
        leaves += [USERS.map(lambda user: IsNull(Field("user_id")) if user is None else eq("user_id", user))]
    if table in ("runs", "traces"):
        of_user = USERS.map(lambda user: eq("user_id", user or ""))
        leaves += [st.builds(Related, st.just("session_id"), st.just("sessions"), st.just("session_id"), of_user)]
    each = st.one_of(leaves)
    several = st.lists(each, max_size=3).map(tuple)
    return each | several.map(And) | several.map(Or) | each.map(Not)


@cache
def orders(table: str) -> st.SearchStrategy[tuple[Order, ...]]:
    """Orders with many ties."""
    columns = st.sampled_from([NUMERIC[table], key_column(table), *(["user_id"] if table in OWNED else [])])
    return st.lists(st.builds(Order, st.builds(Field, columns), st.booleans()), max_size=2).map(tuple)
