"""The ops that everything else is built on, on Postgres in the fewest round trips and over get, scan and conditional put.

docs/decisions/001-kernel.md says why these are the hard ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from benchmarks.wire import RoundTrips
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import Conflict, Unsupported
from dbrouter.backends.kernel.filters import Comparison, Field, all_of, any_of, compare, eq, is_null, not_null
from dbrouter.backends.kernel.merging import Next, Replace
from dbrouter.backends.kernel.ops import (
    Change,
    Children,
    Claim,
    Commit,
    Get,
    Insert,
    Load,
    Order,
    Put,
    Require,
    Scan,
    Upsert,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.backends.postgres.store import PostgresStore
from dbrouter.backends.sqlite.store import SqliteStore
from dbrouter.router.families.traces import TRACE_RULES as MERGE
from dbrouter.testing.minimal import MinimalStore


def ask(store: Store, op: Any) -> Any:
    return finish(store.execute(op))


@pytest.fixture
def wire(postgres: Any, postgres_schema: str) -> Iterator[tuple[PostgresStore, RoundTrips]]:
    counting = RoundTrips(postgres.url)
    store = PostgresStore(counting.url, schema=postgres_schema)
    yield store, counting
    finish(store.close())
    counting.close()


def session(session_id: str = "s", **columns: Any) -> dict[str, Any]:
    return {"session_id": session_id, "session_type": "agent", "created_at": 1, "updated_at": 1, **columns}


def run(run_id: str, **columns: Any) -> dict[str, Any]:
    return {"run_id": run_id, "session_id": "s", "run_type": "agent", "run_data": {"x": 1}, "created_at": 1, **columns}


def trace(**columns: Any) -> dict[str, Any]:
    base = {
        "trace_id": "t",
        "name": "child",
        "status": "OK",
        "start_time": "2026-01-01T00:00:01+00:00",
        "end_time": "2026-01-01T00:00:02+00:00",
        "duration_ms": 1000,
        "created_at": "2026-01-01T00:00:00+00:00",
    }
    return base | columns


def component(component_id: str = "team", **columns: Any) -> dict[str, Any]:
    return {"component_id": component_id, "component_type": "team", "name": component_id, "created_at": 1, **columns}


def config(component_id: str, version: int, stage: str) -> dict[str, Any]:
    return {"component_id": component_id, "version": version, "stage": stage, "config": {}, "created_at": 1}


SAVE_RUN = {"run_data": Replace(), "run_index": Next("session_id")}
DUE = all_of(
    eq("enabled", True),
    compare("next_run_at", Comparison.LE, 100),
    any_of(is_null("locked_by"), compare("locked_at", Comparison.LE, 50)),
)
PUBLISH = Commit(
    writes=(
        Require(table="component_configs", key=("member", 3), where=eq("stage", "published")),
        Require(table="components", key=("member",), where=is_null("deleted_at")),
        Change(table="component_configs", key=("team", 1), where=eq("stage", "draft"), changes={"stage": "published"}),
        Change(table="components", key=("team",), where=is_null("current_version"), changes={"current_version": 1}),
    )
)
CLAIM = Claim(
    table="schedules", where=DUE, order=(Order(Field("next_run_at")),), changes={"locked_by": "w", "locked_at": 100}
)


def schedule(schedule_id: str, **columns: Any) -> dict[str, Any]:
    base = {
        "id": schedule_id,
        "name": schedule_id,
        "method": "POST",
        "endpoint": "/x",
        "cron_expr": "* * * * *",
        "timezone": "UTC",
        "timeout_seconds": 1,
        "max_retries": 0,
        "retry_delay_seconds": 1,
        "enabled": True,
        "created_at": 1,
    }
    return base | columns


def prepare_publishing(store: Store) -> None:
    ask(store, Insert(table="components", records=(component(), component("member", current_version=3))))
    ask(
        store, Insert(table="component_configs", records=(config("team", 1, "draft"), config("member", 3, "published")))
    )


@pytest.mark.backend("postgres", mode="blocking")
def test_each_hard_op_is_one_round_trip_on_postgres(wire: tuple[PostgresStore, RoundTrips]) -> None:
    store, counting = wire
    ask(store, Insert(table="sessions", records=(session(),)))
    ask(store, Insert(table="schedules", records=(schedule("due", next_run_at=90), schedule("later", next_run_at=900))))
    prepare_publishing(store)
    history = Children(table="runs", on=("session_id",), columns=("run_id",), order=(Order(Field("run_index")),))
    newest_first = (Order(Field("created_at"), descending=True),)
    ops = {
        "merge a trace": Upsert(table="traces", records=(trace(status="ERROR"),), rules=MERGE, returning=False),
        "the next run index": Upsert(table="runs", records=(run("r"),), rules=SAVE_RUN, returning=False),
        "a session and its runs": Load(table="sessions", key=("s",), children=history),
        "claim a schedule": CLAIM,
        "publish a component": PUBLISH,
        "a page and its total": Scan(table="sessions", order=newest_first, limit=20, total=True),
    }
    for op in ops.values():
        if op is not PUBLISH and op is not CLAIM:
            ask(store, op)  # creates tables, prepares statements
    spent: dict[str, int] = {}
    for name, op in ops.items():
        with counting:
            ask(store, op)
        spent[name] = counting.round_trips
    assert spent == dict.fromkeys(ops, 1)
    assert ask(store, Get(table="components", key=("team",))).record["current_version"] == 1
    assert ask(store, Get(table="schedules", key=("due",))).record["locked_by"] == "w"


@pytest.mark.parametrize("kind", ["postgres", "sqlite", "memory", "emulated"])
def test_publishing_is_all_or_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    store = _store(kind, request)
    prepare_publishing(store)
    ask(store, Commit(writes=(Change(table="components", key=("member",), changes={"deleted_at": 5}),)))
    with pytest.raises(Conflict):
        ask(store, PUBLISH)
    assert ask(store, Get(table="component_configs", key=("team", 1))).record["stage"] == "draft"
    ask(store, Commit(writes=(Change(table="components", key=("member",), changes={"deleted_at": None}),)))
    ask(store, PUBLISH)
    assert ask(store, Get(table="component_configs", key=("team", 1))).record["stage"] == "published"
    with pytest.raises(Conflict):
        ask(store, PUBLISH)


def _store(kind: str, request: pytest.FixtureRequest) -> Store:
    if kind == "postgres":
        server, schema = request.getfixturevalue("postgres"), request.getfixturevalue("postgres_schema")
        store: Store = PostgresStore(server.url, schema=schema)
    elif kind == "sqlite":
        store = SqliteStore(request.getfixturevalue("tmp_path") / "x.db")
    elif kind == "memory":
        store = MemoryStore()
    else:
        store = MinimalStore(commits=True)
    request.addfinalizer(lambda: finish(store.close()))
    return Emulated(store)


def test_a_store_of_single_records_refuses_to_publish_over_several_before_writing_anything() -> None:
    store = Emulated(MinimalStore())
    prepare = [component(), component("member", current_version=3)]
    for record in prepare:
        ask(store, Insert(table="components", records=(record,)))
    for record in (config("team", 1, "draft"), config("member", 3, "published")):
        ask(store, Insert(table="component_configs", records=(record,)))
    with pytest.raises(Unsupported, match="transactions"):
        ask(store, PUBLISH)
    assert ask(store, Get(table="component_configs", key=("team", 1))).record["stage"] == "draft"


class Aggregates:
    """Publishing on a store that commits one record at a time: a component, its versions and its pins in one record.

    A parent pins its children before it publishes, each pin a conditional put that only a live child takes; a child
    with pins cannot be archived. Whoever is first wins, and a crash leaves at most a pin too many.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def create(self, component_id: str, stage: str) -> None:
        held = {"stage": stage, "pins": []}
        ask(self.store, Insert(table="components", records=(component(component_id, metadata=held),)))

    def _change(self, component_id: str, change: Any) -> bool:
        while True:
            stored = ask(self.store, Get(table="components", key=(component_id,), versioned=True))
            after = change(stored.record)
            if after is None:
                return False
            try:
                ask(self.store, Commit(writes=(Put(table="components", record=after, expect=stored.version),)))
            except Conflict:
                continue
            return True

    def publish(self, parent: str, child: str) -> bool:
        def pin(record: dict[str, Any]) -> dict[str, Any] | None:
            held = record["metadata"]
            if record["deleted_at"] is not None or held["stage"] != "published":
                return None
            return {**record, "metadata": {**held, "pins": sorted({*held["pins"], parent})}}

        def live(record: dict[str, Any]) -> dict[str, Any]:
            return {**record, "metadata": {**record["metadata"], "stage": "published"}}

        return self._change(child, pin) and self._change(parent, live)

    def archive(self, component_id: str) -> bool:
        def gone(record: dict[str, Any]) -> dict[str, Any] | None:
            return None if record["metadata"]["pins"] else {**record, "deleted_at": 9}

        return self._change(component_id, gone)


def test_publishing_in_one_record_never_pins_an_archived_child() -> None:
    for _ in range(100):
        components = Aggregates(Emulated(MinimalStore()))
        components.create("team", "draft")
        components.create("member", "published")
        with ThreadPoolExecutor(2) as threads:
            published = threads.submit(components.publish, "team", "member")
            archived = threads.submit(components.archive, "member")
        assert published.result() is not archived.result()


def test_the_others_run_over_get_scan_and_conditional_put() -> None:
    store = Emulated(MinimalStore())
    ask(store, Insert(table="sessions", records=(session(),)))
    for _ in range(2):
        ask(store, Upsert(table="traces", records=(trace(status="ERROR"),), rules=MERGE, returning=False))
    root = trace(name="a.run", agent_id="a", start_time="2026-01-01T00:00:00+00:00")
    ask(store, Upsert(table="traces", records=(root,), rules=MERGE, returning=False))
    merged = ask(store, Get(table="traces", key=("t",))).record
    assert (merged["name"], merged["status"], merged["duration_ms"]) == ("a.run", "ERROR", 2000)

    for index in range(3):
        ask(store, Upsert(table="runs", records=(run(f"r{index}", run_index=0),), rules=SAVE_RUN, returning=False))
    indexes = [record["run_index"] for record in ask(store, Scan(table="runs", where=not_null("run_index"))).records]
    assert sorted(indexes) == [0, 1, 2]

    for schedule_id in ("later", "due"):
        ask(
            store,
            Insert(
                table="schedules", records=(schedule(schedule_id, next_run_at=90 if schedule_id == "due" else 900),)
            ),
        )
    assert ask(store, CLAIM)["id"] == "due"
    assert ask(store, CLAIM) is None


def test_a_page_of_twenty_out_of_a_hundred_thousand_over_a_scan() -> None:
    minimal = MinimalStore()
    store = Emulated(minimal)
    for each in range(100_000):
        ask(minimal, Commit(writes=(Put(table="sessions", record=session(f"s{each:06}", created_at=each)),)))
    page = ask(
        store,
        Scan(table="sessions", order=(Order(Field("created_at"), descending=True),), limit=20, offset=40, total=True),
    )
    assert [record["created_at"] for record in page.records] == list(range(99_959, 99_939, -1))
    assert page.total == 100_000
