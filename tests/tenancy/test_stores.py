"""Each tenant's store: made when it is asked for, its own databases opened when used, its places marked as its own."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from agno.db.base import SessionType
from agno.db.schemas import UserMemory

from dbrouter.backends.kernel.errors import CrossedTenant, RoutingError, Throttled
from dbrouter.backends.kernel.isolation import Isolation, namespace_of
from dbrouter.backends.kernel.ops import Get, Insert, Op, Scan
from dbrouter.backends.kernel.running import BlockingRuntime, finish
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.policies.limits.limits import Limits
from dbrouter.policies.limits.meter import Meters
from dbrouter.router.routes import Component, Routes
from dbrouter.router.tenancy.open_databases import OpenDatabases
from dbrouter.router.tenancy.owning import MARK, WHOSE, Owned
from dbrouter.router.tenancy.stores import Shares, TenantStores
from dbrouter.router.tenancy.tenants import Tenant
from tests.router.world import OPS_BOT, Switched, rule
from tests.tenancy.deployments import Databases, Deployment
from tests.tenancy.test_switch import session, state
from tests.waiting import PATIENCE

Deploy = Callable[..., Deployment]
MEMORY = {"memory_id": "m", "memory": "x", "created_at": 1}


def one(name: str, isolation: Isolation = Isolation.ROWS, **said: Any) -> Tenant:
    """A tenant."""
    return Tenant(name=name, isolation=isolation, **said)


class World:
    """Tenants' stores over databases in memory that count what they are asked."""

    def __init__(self, *rules: Any, most: int = 4) -> None:
        self.databases = {name: Switched(name, MemoryStore()) for name in ("primary", "ops")}
        self.own: dict[str, list[Switched]] = {}
        self.runtime = BlockingRuntime()
        self.open = OpenDatabases(self._open, runtime=self.runtime, most=most)
        self.stores = TenantStores(
            self.databases,
            Routes(rules or (rule("primary"),)),
            own=self.open,
            open_shared=lambda name: Switched(name, MemoryStore()),
            runtime=self.runtime,
            shares=Shares(meters=Meters(blocking=True), gates=lambda _: None),
        )

    def _open(self, name: str) -> Switched:
        opened = Switched(name, MemoryStore())
        self.own.setdefault(name, []).append(opened)
        return opened

    def ask(self, tenant: Tenant, op: Op[Any], component: Component | None = None) -> Any:
        return finish(self.stores.of(tenant, component).execute(op))


def test_a_store_is_made_once_and_again_when_its_tenant_changes() -> None:
    world = World()
    first = world.stores.of(one("acme"))
    assert world.stores.of(one("acme")) is first
    changed = world.stores.of(one("acme", limits=Limits(concurrent=3)))
    assert changed is not first
    assert world.stores.of(one("acme", limits=Limits(concurrent=3))) is changed
    world.stores.forget(["acme"])
    assert world.stores.of(one("acme", limits=Limits(concurrent=3))) is not changed


def test_threads_that_ask_at_once_get_stores_that_answer_alike() -> None:
    world = World()
    world.ask(one("acme"), Insert(table="memories", records=(MEMORY,)))
    world.stores.forget(["acme"])
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: world.ask(one("acme"), Scan(table="memories")), range(64)))
    assert [len(page.records) for page in found] == [1] * 64


def test_a_store_costs_little_memory() -> None:
    world = World(rule("primary"), rule("ops", component=OPS_BOT))
    tenants = [one(f"tenant-{number}") for number in range(500)]
    world.stores.of(one("first"))
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for each in tenants:
        world.stores.of(each)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / len(tenants) < 2 * 1024


def test_nothing_is_asked_of_a_database_to_make_a_store() -> None:
    world = World()
    for isolation in (Isolation.ROWS, Isolation.DATABASE):
        world.stores.of(one(isolation, isolation, db="silo" if isolation is Isolation.DATABASE else None))
    assert [each.ops for each in world.databases.values()] == [[], []]
    assert world.own == {}


def test_what_is_known_of_one_tenants_records_is_no_hint_for_anothers() -> None:
    world = World(rule("primary"), rule("ops", component=OPS_BOT))
    there = {"session_id": "s", "session_type": "agent", "agent_id": "ops-bot", "created_at": 1}
    here = {"session_id": "s", "session_type": "agent", "agent_id": "other", "created_at": 1}
    world.ask(one("acme"), Insert(table="sessions", records=(there,)))
    world.ask(one("globex"), Insert(table="sessions", records=(here,)))
    for each in world.databases.values():
        each.ops.clear()
    assert world.ask(one("globex"), Get(table="sessions", key=("s",))).record["agent_id"] == "other"
    assert {name: len(each.ops) for name, each in world.databases.items()} == {"primary": 1, "ops": 0}
    assert world.ask(one("acme"), Get(table="sessions", key=("s",))).record["agent_id"] == "ops-bot"


def test_hints_do_not_outlive_the_tenants_routes() -> None:
    world = World(rule("primary"), rule("ops", component=OPS_BOT))
    there = {"session_id": "s", "session_type": "agent", "agent_id": "ops-bot", "created_at": 1}
    world.ask(one("acme"), Insert(table="sessions", records=(there,)))
    moved = one("acme", db="primary", families={"evals": "ops"})
    assert world.ask(moved, Get(table="sessions", key=("s",))) is None
    assert world.ask(one("acme"), Get(table="sessions", key=("s",))) is not None


def test_components_rules_hold_for_tenants_without_a_db_and_for_no_others() -> None:
    world = World(rule("primary"), rule("ops", component=OPS_BOT))
    world.ask(one("acme"), Insert(table="memories", records=(MEMORY,)), OPS_BOT)
    assert (len(world.databases["ops"].ops), len(world.databases["primary"].ops)) == (1, 0)
    world.ask(one("silo", Isolation.DATABASE, db="own"), Insert(table="memories", records=(MEMORY,)), OPS_BOT)
    assert len(world.databases["ops"].ops) == 1
    # Any number of components that no rule speaks of costs nothing.
    plain = world.stores.of(one("acme"))
    assert all(world.stores.of(one("acme"), Component("agent", f"a{number}")) is plain for number in range(100))


def test_a_tenants_families_can_have_databases_of_their_own() -> None:
    world = World()
    mine = one("acme", Isolation.DATABASE, db="own", families={"evals": "own-evals"})
    world.ask(mine, Insert(table="memories", records=(MEMORY,)))
    assert "own-evals" not in world.own
    world.ask(mine, Scan(table="evals"))
    assert len(world.own["own-evals"]) == 1


def test_what_everybody_uses_cannot_be_one_tenants_own() -> None:
    world = World()
    with pytest.raises(RoutingError, match="primary is everybody's"):
        world.ask(one("acme", Isolation.DATABASE, db="primary"), Scan(table="memories"))
    assert world.databases["primary"].ops == []


# Tenants' own databases.


def test_the_least_used_database_is_closed_for_another() -> None:
    world = World(most=2)
    silos = {name: one(name, Isolation.DATABASE, db=name) for name in ("a", "b", "c")}
    closed: list[str] = []
    for name in ("a", "b", "a"):
        world.ask(silos[name], Scan(table="memories"))
    for store in (*world.own["a"], *world.own["b"]):
        _note_close(store, closed)
    world.ask(silos["c"], Scan(table="memories"))
    assert (closed, world.open.names) == (["b"], ("a", "c"))
    world.ask(silos["b"], Scan(table="memories"))
    assert (closed, len(world.own["b"])) == (["b", "a"], 2)


def test_a_database_with_a_call_under_way_is_never_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbrouter.router.tenancy.open_databases.PATIENCE", 0.1)
    world = World(most=1)
    closed: list[str] = []
    with _busy(world, "a"):
        _note_close(world.own["a"][0], closed)
        with pytest.raises(Throttled, match=r"raise tenancy\.open_databases"):
            world.ask(one("b", Isolation.DATABASE, db="b"), Scan(table="memories"))
        assert closed == []
    world.ask(one("b", Isolation.DATABASE, db="b"), Scan(table="memories"))
    assert closed == ["a"]


def test_a_call_waits_until_another_database_can_be_closed() -> None:
    world = World(most=1)
    with _busy(world, "a") as release:
        threading.Timer(0.05, release.set).start()
        began = time.monotonic()
        world.ask(one("b", Isolation.DATABASE, db="b"), Scan(table="memories"))
        assert time.monotonic() - began >= 0.04


def test_more_tenants_than_may_be_open_are_all_served(deploy: Deploy, files: Databases) -> None:
    names = [f"t{number}" for number in range(7)]
    made = deploy(
        files,
        databases={name: dict(files(name)) for name in ("primary", *names)},
        tenants={name: {"db": name} for name in names},
        tenancy={"open_databases": 2},
    )
    for _ in range(2):
        for name in names:
            made.of(name).upsert_user_memory(UserMemory(memory=name, memory_id="m", user_id="u"))
    assert [made.of(name).get_user_memories()[0].memory for name in names] == names
    everyone = made.router._wiring.tenants.parts.everyone
    assert len(made.ask(everyone, Scan(table="memories")).records) == 7


def _note_close(store: Switched, closed: list[str]) -> None:
    inner = store.close

    async def close() -> None:
        closed.append(store.name)
        await inner()

    store.close = close  # type: ignore[method-assign]


@contextmanager
def _busy(world: World, name: str) -> Iterator[threading.Event]:
    """A call of that tenant's database is under way."""
    entered, release = threading.Event(), threading.Event()
    world.ask(one(name, Isolation.DATABASE, db=name), Scan(table="memories"))
    store = world.own[name][0]
    inner = store.execute

    async def execute(op: Op[Any], /) -> Any:
        entered.set()
        assert release.wait(PATIENCE)
        return await inner(op)

    store.execute = execute  # type: ignore[method-assign]
    thread = threading.Thread(target=lambda: world.ask(one(name, Isolation.DATABASE, db=name), Scan(table="memories")))
    thread.start()
    assert entered.wait(PATIENCE)
    try:
        yield release
    finally:
        release.set()
        thread.join()


# Whose a place is.


def test_a_database_or_schema_of_another_tenant_is_refused(deployment: Deployment) -> None:
    if deployment.database("x")["kind"] == "memory":
        # Its mark would have to be another deployment's; memory dies with the one that it belongs to.
        pytest.skip("no other process can be given a database in memory")
    deployment.of("initech").upsert_session(session("s", secret=1))
    deployment.of("globex").upsert_session(session("s", secret=2))
    said = {
        "thief": {"db": "silo"},
        "heir": {"isolation": "schema", "namespace": deployment.namespace},
        "acme": {"isolation": "rows"},
    }
    other = deployment.view(deployment.another(tenants=said))
    for name in ("thief", "heir"):
        view = other.over(other.db.for_tenant(name))
        for call in (
            lambda view=view: view.get_session("s", SessionType.AGENT),
            lambda view=view: view.get_sessions(SessionType.AGENT),
            lambda view=view: view.upsert_session(session("mine")),
            lambda view=view: view.delete_session("s"),
            lambda view=view: view.delete_sessions(["s"]),
        ):
            with pytest.raises(CrossedTenant, match="is another tenant's"):
                call()
    again = deployment.view(deployment.another())
    for name, secret in (("initech", 1), ("globex", 2)):
        view = again.over(again.db.for_tenant(name))
        assert state(view.get_session("s", SessionType.AGENT)) == {"secret": secret}
        assert len(view.get_sessions(SessionType.AGENT)) == 1


def test_reads_leave_no_mark_and_the_first_write_does(deployment: Deployment) -> None:
    view = deployment.of("initech")
    assert view.get_session("s", SessionType.AGENT) is None
    assert view.get_user_memories() == []
    assert deployment.tables("silo") == frozenset()
    view.upsert_session(session("s"))
    mark = deployment.ask(deployment.router.database("silo"), Get(table="versions", key=(MARK,)))
    assert mark.record[WHOSE] == namespace_of("initech")


def test_the_mark_costs_one_request_in_a_process() -> None:
    inner = Switched("silo", MemoryStore())
    finish(Owned(inner, "acme", where="silo").execute(Insert(table="memories", records=(MEMORY,))))
    inner.ops.clear()
    owned = Owned(inner, "acme", where="silo")
    for _ in range(5):
        assert finish(owned.execute(Get(table="memories", key=("m",)))) is not None
    assert len(inner.ops) == 6


def test_of_two_who_write_first_only_one_stays() -> None:
    inner = Switched("silo", MemoryStore())
    first, second = Owned(inner, "acme", where="silo"), Owned(inner, "globex", where="silo")
    # Both have seen that nobody has written yet.
    for each in (first, second):
        assert finish(each.execute(Scan(table="memories"))).records == []
    finish(first.execute(Insert(table="memories", records=(MEMORY,))))
    for op in (Scan(table="memories"), Insert(table="memories", records=({**MEMORY, "memory_id": "n"},))):
        with pytest.raises(CrossedTenant):
            finish(second.execute(op))
    assert inner.keys("memories") == {"m"}


def test_no_name_of_a_tenant_is_mistaken_for_anothers() -> None:
    names = ["a/b", "a\0b", "a", "A", "а", "a" * 300, "\ud800", "tenant_a", "'; drop table x; --"]
    for owner in names:
        inner = Switched("silo", MemoryStore())
        finish(Owned(inner, owner, where="silo").execute(Insert(table="memories", records=(MEMORY,))))
        for other in names:
            owned = Owned(inner, other, where="silo")
            if other == owner:
                assert finish(owned.execute(Get(table="memories", key=("m",)))) is not None
            else:
                with pytest.raises(CrossedTenant):
                    finish(owned.execute(Get(table="memories", key=("m",))))
