"""What our SingleStore stores would send, as text: `python -m tests.singlestore.written` writes the files anew."""

from __future__ import annotations

from pathlib import Path

from dbrouter.backends.kernel.emulation import INTERNAL_TABLES
from dbrouter.backends.kernel.filters import Contains, Field, all_of, eq, one_of
from dbrouter.backends.kernel.merging import Elapsed, Fill, Greatest, Least, OwnerGuard, Ranked, Replace, Rule
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Aggregate,
    Check,
    Children,
    Computed,
    Get,
    Load,
    Measure,
    Order,
    Put,
    Remove,
    Scan,
    Upsert,
)
from dbrouter.backends.mysql.flavour import Server
from dbrouter.backends.singlestore.dialect import SingleStoreDialect
from dbrouter.backends.sql import reading, writing
from dbrouter.backends.sql.layout import Layout
from dbrouter.backends.sql.statements import Statement
from dbrouter.testing.conformance.records import session, trace

HERE = Path(__file__).parent
TABLES, STATEMENTS = HERE / "tables.sql", HERE / "statements.sql"

GUARD = OwnerGuard("user_id", claim=True)
TRACE: dict[str, Rule] = {
    "start_time": Least(),
    "end_time": Greatest(),
    "duration_ms": Elapsed("start_time", "end_time"),
    "status": Ranked(((eq("status", "ERROR"), 2), (eq("status", "OK"), 1))),
    "user_id": Fill(),
}
RUNS = Children(
    table="runs", on=("session_id",), columns=("run_id", "run_data"), order=(Order(Field("run_index")),), limit=5
)
NEWEST = (Order(Field("updated_at"), descending=True, fallback="created_at"),)


def layout() -> Layout:
    """The tables of a SingleStore database."""
    return Layout({}, SingleStoreDialect("ai", Server()), "ai", more=INTERNAL_TABLES)


def tables() -> str:
    """The statements that make every table."""
    made = layout()
    texts = [text.strip().replace("\t", "    ") for table in made.tables for text in made.definition(table)]
    return "\n\n".join(f"{text};" for text in texts) + "\n"


def statements() -> str:
    """Statements of every kind that is sent, under the name of the call."""
    relations = layout().relations
    scan = reading.scan(
        Scan(
            table="sessions",
            where=all_of(
                eq("user_id", "u"), one_of("session_type", ["agent", "team"]), Contains(Field("agent_id"), "a")
            ),
            order=NEWEST,
            limit=20,
            offset=40,
            total=True,
        ),
        relations,
    )
    groups, _ = reading.aggregate(
        Aggregate(
            table="traces",
            by={"session": Field("session_id")},
            measures=(
                Computed(name="count", measure=Measure.COUNT),
                Computed(name="mean", measure=Measure.MEAN, field=Field("duration_ms")),
                Computed(name="last", measure=Measure.MAX, field=Field("end_time")),
            ),
        ),
        relations,
    )
    saved = Upsert(table="sessions", records=(session("s"),), rules={"summary": Replace()}, guard=GUARD)
    named: dict[str, list[Statement]] = {
        "a record with its version": [reading.get(Get(table="sessions", key=("s",), versioned=True), relations)],
        "a session with its last runs": [reading.load(Load(table="sessions", key=("s",), children=RUNS), relations)],
        "a page and its total": [scan.page, *([scan.count] if scan.count else [])],
        "groups": [groups],
        "a session saved": writing.upsert(saved, relations),
        "a session that must be new": writing.upsert(
            Upsert(table="sessions", records=(session("s"),), expect=ABSENT, returning=False), relations
        ),
        "traces merged": writing.upsert(
            Upsert(table="traces", records=(trace("t"), trace("u")), rules=TRACE, returning=False), relations
        ),
        "a record put": [writing.put(Put(table="sessions", record=session("s")), relations)],
        "a record put in place of a version": [
            writing.put(Put(table="sessions", record=session("s"), expect="v"), relations)
        ],
        "a record removed": [writing.remove(Remove(table="sessions", key=("s",), expect="v"), relations)],
        "a record that must not have changed": [
            writing.check(Check(table="sessions", key=("s",), expect="v"), relations)
        ],
    }
    lines: list[str] = []
    for name, sent in named.items():
        lines.append(f"-- {name}")
        lines += [f"{part.sql};" for statement in sent for part in statement.parts]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    TABLES.write_text(tables())
    STATEMENTS.write_text(statements())
