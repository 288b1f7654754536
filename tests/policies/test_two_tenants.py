"""Whatever two tenants of shared tables ask, each is answered as if the other were not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import CrossedTenant
from dbrouter.backends.kernel.filters import EVERYTHING, And, Compare, Filter, Not, Or, Related, all_of
from dbrouter.backends.kernel.merging import Next
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Batch,
    Change,
    Check,
    Choice,
    Claim,
    Commit,
    Delete,
    Get,
    Insert,
    Key,
    Load,
    Op,
    Put,
    Remove,
    Require,
    Scan,
    Update,
    Upsert,
    Write,
)
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES, TENANT, tenant_table
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.policies.tenancy.rewriting import Rewriting
from dbrouter.testing.minimal import MinimalStore
from scripts.servers import Server
from tests.kernel.small_world import TABLES
from tests.policies.conversation import converse
from tests.policies.two_tenants import TwoTenants, confined

Spoil = Callable[[Any, str], Any]
"""Makes of an op that is kept to a tenant one that is not: the op, and the name of another tenant."""

RUNS = int(os.environ.get("DBROUTER_MODEL_RUNS", "30"))


def machine(
    shared: Callable[[], Store],
    of: Callable[[Store, str, str], Store] = confined,
    stale: Callable[[str], Any] = lambda _: "no such version",
) -> type[TwoTenants]:
    """The two tenants over such a store."""

    class Machine(TwoTenants):
        """Over this test's store."""

        def __init__(self) -> None:
            super().__init__(shared(), of, stale)

    return Machine


def check(tenants: type[TwoTenants], runs: int) -> None:
    """Let them ask whatever hypothesis thinks of."""
    phases = [Phase.explicit, Phase.generate, Phase.shrink]
    run_state_machine_as_test(
        tenants, settings=settings(max_examples=max(1, runs), stateful_step_count=25, phases=phases)
    )


def test_two_tenants_in_memory_are_as_two_stores() -> None:
    check(machine(MemoryStore), RUNS)


@pytest.mark.parametrize("commits", [False, True], ids=["one at a time", "commits"])
def test_two_tenants_of_a_store_that_can_do_little_are_as_two_stores(commits: bool) -> None:
    check(machine(lambda: Emulated(MinimalStore(commits=commits))), RUNS // 3)


def test_two_tenants_in_sqlite_are_as_two_stores() -> None:
    from dbrouter.backends.sqlite.store import SqliteStore

    def no_such_row(table: str) -> tuple[None, ...]:
        return (None,) * len(ALL_TABLES[tenant_table(table)].without("sqlite").columns)

    store = Emulated(SqliteStore())
    finish(store.create_tables(tuple(map(tenant_table, TABLES))))
    check(machine(lambda: store, stale=no_such_row), RUNS // 3)
    finish(store.close())


def test_two_tenants_in_postgres_are_as_two_stores(postgres: Server, postgres_schema: str) -> None:
    from dbrouter.backends.postgres.store import PostgresStore

    store = Emulated(PostgresStore(postgres.url, schema=postgres_schema))
    finish(store.create_tables(tuple(map(tenant_table, TABLES))))
    check(machine(lambda: store, stale=lambda _: "1"), RUNS // 5)
    finish(store.close())


def everyones(where: Filter) -> Filter:
    """The filter without the tenant, wherever it asks for one."""
    match where:
        case Compare(field=field) if field.column == TENANT:
            return EVERYTHING
        case And(filters=filters):
            return all_of(*map(everyones, filters))
        case Or(filters=filters):
            return Or(tuple(map(everyones, filters)))
        case Not(filter=inner):
            return Not(everyones(inner))
        case Related(column=column, table=table, key=key, where=inner):
            return Related(column, table, key, everyones(inner))
        case _:
            return where


def related_to_all(where: Filter) -> Filter:
    """The filter whose questions to other tables are put to everybody."""
    match where:
        case And(filters=filters):
            return And(tuple(map(related_to_all, filters)))
        case Related():
            return everyones(where)
        case _:
            return where


def without_tenant(op: Any, _: str) -> Any:
    """An op for everybody's records."""
    return replace(op, where=everyones(op.where))


def with_questions_to_all(op: Any, _: str) -> Any:
    """An op for the tenant's records, by what anybody's other records say."""
    return replace(op, where=related_to_all(op.where))


def of_another(key: Key, other: str) -> Key:
    """The other tenant's key."""
    return (other, *key[1:])


def of_key(op: Any, other: str) -> Any:
    """An op for the other tenant's record."""
    return replace(op, key=of_another(op.key, other))


def of_records(op: Any, other: str) -> Any:
    """A write that gives the records away."""
    return replace(op, records=tuple(record | {TENANT: other} for record in op.records))


def of_write(kind: type[Any]) -> Spoil:
    """A commit of which one kind of write goes to the other tenant."""

    def spoilt(write: Write, other: str) -> Write:
        if not isinstance(write, kind):
            return write
        if isinstance(write, Put):
            return replace(write, record=write.record | {TENANT: other})
        return replace(write, key=of_another(write.key, other))

    return lambda op, other: replace(op, writes=tuple(spoilt(write, other) for write in op.writes))


def positions_of_all(op: Upsert, _: str) -> Upsert:
    """Positions counted within a session of any tenant's."""
    rules = {name: Next("session_id") if isinstance(rule, Next) else rule for name, rule in op.rules.items()}
    return replace(op, rules=rules)


def choices_by_all(op: Update, _: str) -> Update:
    """Changes that depend on anybody's other records."""
    changes = {
        name: replace(each, where=related_to_all(each.where)) if isinstance(each, Choice) else each
        for name, each in op.changes.items()
    }
    return replace(op, changes=changes)


def measures_by_all(op: Aggregate, _: str) -> Aggregate:
    """Measures of the tenant's records by what anybody's other records say."""
    return replace(op, measures=tuple(replace(each, where=related_to_all(each.where)) for each in op.measures))


def children_by_all(op: Load, _: str) -> Load:
    """Children filtered by what anybody's other records say."""
    return replace(op, children=replace(op.children, where=related_to_all(op.children.where)))


MUTANTS: dict[str, tuple[type[Op[Any]], Spoil]] = {
    "Get.key": (Get, of_key),
    "Get.where Related": (Get, with_questions_to_all),
    "Scan.where": (Scan, without_tenant),
    "Scan.where Related": (Scan, with_questions_to_all),
    "Load.key": (Load, of_key),
    "Load.children Related": (Load, children_by_all),
    "Insert.records": (Insert, of_records),
    "Upsert.records": (Upsert, of_records),
    "Upsert.rules Next": (Upsert, positions_of_all),
    "Update.where": (Update, without_tenant),
    "Update.where Related": (Update, with_questions_to_all),
    "Update.changes Choice": (Update, choices_by_all),
    "Claim.where": (Claim, without_tenant),
    "Delete.where": (Delete, without_tenant),
    "Delete.where Related": (Delete, with_questions_to_all),
    "Aggregate.where": (Aggregate, without_tenant),
    "Aggregate.measures Related": (Aggregate, measures_by_all),
    "Batch.upserts": (
        Batch,
        lambda op, other: replace(op, upserts=tuple(of_records(each, other) for each in op.upserts)),
    ),
    "Put.record": (Commit, of_write(Put)),
    "Remove.key": (Commit, of_write(Remove)),
    "Check.key": (Commit, of_write(Check)),
    "Require.key": (Commit, of_write(Require)),
    "Change.key": (Commit, of_write(Change)),
}
"""One place of the rewriting in which the tenant is forgotten."""


class Forgetful(Rewriting):
    """Forgets the tenant in one place of one kind of op."""

    def __init__(self, tenant: str, other: str, mutant: str) -> None:
        super().__init__(tenant)
        self._other = other
        self._kind, self._spoil = MUTANTS[mutant]

    def rewritten(self, op: Op[Any]) -> Op[Any]:
        """The op, nearly kept to the tenant."""
        kept = super().rewritten(op)
        return self._spoil(kept, self._other) if isinstance(op, self._kind) else kept


class NearlyConfined(Confined):
    """Confined, but for one place."""

    def __init__(self, store: Store, tenant: str, other: str, mutant: str) -> None:
        super().__init__(store, tenant)
        self._rewriting = Forgetful(tenant, other, mutant)


def test_in_a_conversation_that_asks_everything_nobody_notices_the_other() -> None:
    converse(TwoTenants(MemoryStore(), confined))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_rewriting_that_forgets_the_tenant_in_one_place_is_noticed(mutant: str) -> None:
    def forgetful(store: Store, tenant: str, other: str) -> Store:
        return NearlyConfined(store, tenant, other, mutant)

    with pytest.raises((AssertionError, CrossedTenant)):
        converse(TwoTenants(MemoryStore(), forgetful))
