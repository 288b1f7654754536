"""Stores of one tenant in a database where others are: in tables that they share, or in a namespace of its own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.isolation import HasNamespaces, HoldsRowsBack
from dbrouter.backends.kernel.ops import Insert, Page, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.testing import Candidate, never
from dbrouter.testing.conformance import creating, records

if TYPE_CHECKING:
    import pytest

    from dbrouter.testing.candidates import OpenStore
    from tests.backends.places import Place

NEIGHBOUR = "a"
_INHABITED: set[str] = set()
"""The databases that last for the run and where the neighbour lives."""
_NUMBERS = itertools.count(1)
GAPS = {
    "test_a_write_creates_its_table": never("the neighbour's write has created the table already"),
}

ROWS: dict[str, tuple[dict[str, Any], ...]] = {
    "sessions": tuple(
        records.session(key, user_id="ann", agent_id="neighbour", session_data={"secret": key})
        for key in ("s1", "s2", "s3", "a", "b", "old", "there", "gone")
    ),
    "runs": tuple(records.run(key, "s1", run_index=n) for n, key in enumerate(("r1", "r2", "a", "b", "first", "same"))),
    "learnings": tuple(
        records.learning(key, user_id="ann", namespace="x", updated_at=n) for n, key in enumerate("abcdx")
    ),
    "auth_tokens": (records.token("a"), records.token("b", "calendar")),
    "metrics": (records.metric("m1", date(2024, 5, 1), users_count=7),),
    "traces": tuple(records.trace(key, user_id="ann") for key in ("t1", "t2")),
    "spans": tuple(records.span(key, "t1") for key in ("p1", "p2", "a")),
    "schedules": tuple(records.schedule(key, enabled=True, next_run_at=1) for key in "abc"),
    "schedule_runs": (records.schedule_run("r1", "a"),),
    "transcripts": tuple(records.transcript(position) for position in range(3)),
}
"""The neighbour's rows, under keys that the suite uses."""


class Undisturbed(Confined):
    """One tenant's rows; closing it fails if a row of the neighbour is not as it was, and closes the store beneath."""

    def __init__(self, store: Store, tenant: str, *, looks: bool) -> None:
        super().__init__(_for_rows_of(store, tenant), tenant)
        self._beneath = store
        self._looks = looks

    async def close(self) -> None:
        if self._looks:
            neighbour = confined(self._beneath, NEIGHBOUR)
            scans = [lambda table=table: neighbour.execute(Scan(table=table)) for table in ROWS]
            pages = await self.runtime.gather(scans)
            for (table, rows), page in zip(ROWS.items(), pages, strict=True):
                assert isinstance(page, Page), page
                assert len(page.records) == len(rows), f"the neighbour's {table} are {page.records}"
                for row in rows:
                    assert any(row.items() <= found.items() for found in page.records), f"{table}: {row} was changed"
        await self._beneath.close()


def with_a_neighbour(
    candidate: Candidate, *, lasting: Callable[[pytest.FixtureRequest], OpenStore] | None = None
) -> Candidate:
    """The candidate's store, with its tables shared by several tenants, as one of them sees it.

    lasting: what opens stores over a database that lasts for the run, for moving the neighbour in takes longer than most
    tests take: the tenants of other tests, and their rows of the same keys, are still there.
    """

    def place(request: pytest.FixtureRequest) -> OpenStore:
        fresh = lasting is None or request.function.__module__ == creating.__name__
        open_one = candidate.place(request) if fresh else cast("Any", lasting)(request)
        if fresh or candidate.backend not in _INHABITED:
            first = _emulated(open_one())
            if first.runtime.blocking:
                finish(_move_in(first))
            else:
                asyncio.run(_move_in(first))
            if not fresh:
                _INHABITED.add(candidate.backend)
        # Begins as the neighbour's does, and holds what no Postgres text can.
        tenant = f"{NEIGHBOUR}\x00{next(_NUMBERS)}"
        # What one store sees of the neighbour when all is over, the others would see too.
        looks = iter((True,))
        return lambda: Undisturbed(_emulated(open_one()), tenant, looks=next(looks, False))

    return replace(candidate, backend=f"{candidate.backend}, shared", place=place, gaps={**candidate.gaps, **GAPS})


def in_a_namespace(candidate: Candidate, fresh: Callable[[pytest.FixtureRequest], Place]) -> Candidate:
    """The candidate's store, as a namespace beside which the parent and a neighbour could be. For blocking ones."""

    def place(request: pytest.FixtureRequest) -> OpenStore:
        there = fresh(request)
        open_one, name = there.opener(candidate.mode), there.namespace("whole")

        def opened() -> Store:
            parent = open_one()
            # The namespace's own close leaves the connections to their owner.
            request.addfinalizer(lambda: finish(parent.close()))
            return cast("HasNamespaces", parent).in_namespace(name)

        return opened

    return replace(candidate, backend=f"{candidate.backend}, in a namespace", place=place)


async def _move_in(store: Store) -> None:
    neighbour = confined(store, NEIGHBOUR)
    for table, rows in ROWS.items():
        for some in [rows] if store.capabilities.commits else [(row,) for row in rows]:
            await neighbour.execute(Insert(table=table, records=some))
    await store.close()


def confined(store: Store, tenant: str) -> Confined:
    """The tenant's rows, behind the database's own lock too where it has one, as routers have them."""
    return Confined(_for_rows_of(store, tenant), tenant)


def _for_rows_of(store: Store, tenant: str) -> Store:
    return store.for_rows_of(tenant) if isinstance(store, HoldsRowsBack) else store


def _emulated(store: Store) -> Store:
    return store if isinstance(store, Emulated) else Emulated(store)
