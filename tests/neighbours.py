"""Stores of one tenant in tables where a second one has rows under the same keys, for the conformance suite."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.ops import Insert, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.policies.tenancy.confining import Confined
from dbrouter.testing import Candidate, never
from dbrouter.testing.conformance import creating, records

if TYPE_CHECKING:
    import pytest

    from dbrouter.testing.candidates import OpenStore

NEIGHBOUR = "a"
LASTING = frozenset({"sqlite", "postgres"})
"""Backends whose place is that of the whole run."""
_INHABITED: set[str] = set()
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

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(store, tenant)
        self._beneath = store
        self._neighbour = Confined(store, NEIGHBOUR)

    async def close(self) -> None:
        for table, rows in ROWS.items():
            page = await self._neighbour.execute(Scan(table=table))
            assert len(page.records) == len(rows), f"the neighbour's {table} are {page.records}"
            for row in rows:
                assert any(row.items() <= found.items() for found in page.records), f"{table}: {row} was changed"
        await self._beneath.close()


def with_a_neighbour(candidate: Candidate) -> Candidate:
    """The candidate's store, with its tables shared by several tenants, as one of them sees it.

    Making tables takes longer than any test, so databases last for the run: the tenants of other tests, and their rows
    of the same keys, are still there.
    """

    def place(request: pytest.FixtureRequest) -> OpenStore:
        fresh = request.function.__module__ == creating.__name__
        open_one = candidate.place(request if fresh else cast("pytest.FixtureRequest", _Lasting(request)))
        if fresh or candidate.backend not in _INHABITED:
            first = _emulated(open_one())
            if first.runtime.blocking:
                finish(_move_in(first))
            else:
                asyncio.run(_move_in(first))
            _INHABITED.update({candidate.backend} & LASTING if not fresh else ())
        # Begins as the neighbour's does, and holds what no Postgres text can.
        tenant = f"{NEIGHBOUR}\x00{next(_NUMBERS)}"
        return lambda: Undisturbed(_emulated(open_one()), tenant)

    return replace(candidate, backend=f"{candidate.backend}, shared", place=place, gaps={**candidate.gaps, **GAPS})


class _Lasting:
    """A test's request whose places are those of the whole run."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def getfixturevalue(self, name: str) -> Any:
        return self._request.getfixturevalue(
            {"tmp_path": "run_folder", "postgres_schema": "run_schema"}.get(name, name)
        )


async def _move_in(store: Store) -> None:
    neighbour = Confined(store, NEIGHBOUR)
    for table, rows in ROWS.items():
        for some in [rows] if store.capabilities.commits else [(row,) for row in rows]:
            await neighbour.execute(Insert(table=table, records=some))
    await store.close()


def _emulated(store: Store) -> Store:
    return store if isinstance(store, Emulated) else Emulated(store)
