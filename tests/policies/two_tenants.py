"""Two tenants who share tables, each beside a memory store that is theirs alone: asked the same, they answer the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from dbrouter.backends.kernel.filters import EVERYTHING, Field, Related, eq
from dbrouter.backends.kernel.ops import (
    KEEP_VALUE,
    Aggregate,
    Change,
    Check,
    Choice,
    Commit,
    Computed,
    Insert,
    Measure,
    Op,
    Require,
    Scan,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.memory.store import MemoryStore
from dbrouter.policies.tenancy.confining import Confined
from tests.kernel.rows import run, session, trace
from tests.kernel.small_world import CHANGES, IDS, RECORDS, USERS, filters
from tests.kernel.test_model import Twins

NAMES = (
    ("a", "a\x00"),
    ("a", "A"),
    ("caf\u00e9", "cafe\u0301"),
    ("a/b", "a"),
    ("\ud800", "\ufdd0d800"),
    ("x' OR '1'='1", "x"),
    ("tenants", "%"),
    ("a ", "a"),
    ("s", "\u017f"),
)
"""Pairs that a database could take for one, or read as something else than names."""
OF_A_SESSION = ("runs", "traces")
NUMBERS = itertools.count(1)


class TwoTenants(Twins):
    """Takes turns between two tenants. After every step each of them still holds what its own store holds.

    stale: a version that no record of a table has. Their names are new in every run of the machine, so a database and its tables serve all of them.
    """

    def __init__(
        self,
        shared: Store,
        confined: Callable[[Store, str, str], Store],
        stale: Callable[[str], Any] = lambda _: "no such version",
    ) -> None:
        super().__init__()
        self._stale = stale
        number = next(NUMBERS)
        one, other = (f"{name}{number}" for name in NAMES[number % len(NAMES)])
        self.worlds: list[tuple[Store, Store]] = [
            (MemoryStore(), confined(shared, one, other)),
            (MemoryStore(), confined(shared, other, one)),
        ]
        self.model, self.store = self.worlds[0]

    def pass_on(self) -> None:
        """It is the other tenant's turn."""
        self.worlds.reverse()
        self.model, self.store = self.worlds[0]

    @initialize()
    def meet(self) -> None:
        """Both have records of the same ids, which say different things."""
        for users in ("uv", "vu"):
            for number, key in enumerate("ab"):
                user = users[number]
                self.both(Insert(table="sessions", records=(session(key, user_id=user),)))
                self.both(Insert(table="runs", records=(run(key, key, user_id=user),)))
                self.both(Insert(table="traces", records=(trace(key, session_id=key, user_id=user),)))
            self.pass_on()

    def both(self, op: Op[Any], other: Op[Any] | None = None) -> None:
        """Ask both, and compare; an update that sets nothing is no question, and no SQL."""
        if not (isinstance(op, Update) and not op.changes):
            super().both(op, other)

    def stale(self, table: str) -> tuple[Any, Any]:
        """Versions of the kinds that the stores use."""
        return "no such version", self._stale(table)

    @rule()
    def once_more(self) -> None:
        """The same tenant has the next turn too."""
        self.pass_on()

    @rule(data=st.data(), table=st.sampled_from(OF_A_SESSION))
    def scan_by_session(self, data: st.DataObject, table: str) -> None:
        """Records of the sessions that match: another tenant's session of the same id counts for nothing."""
        self.both(Scan(table=table, where=self._of_session(data)))

    @rule(data=st.data(), table=st.sampled_from(OF_A_SESSION))
    def count_by_session(self, data: st.DataObject, table: str) -> None:
        """A measure and a change that look at sessions too."""
        count = Computed(name="n", measure=Measure.COUNT, where=self._of_session(data))
        self.both(Aggregate(table=table, by={"owner": Field("user_id")}, measures=(count,)))
        choice = Choice(where=self._of_session(data), then=data.draw(USERS), otherwise=KEEP_VALUE)
        self.both(Update(table=table, where=EVERYTHING, changes={"user_id": choice}))

    @rule(data=st.data(), key=IDS, table=st.sampled_from(["sessions", "schedules"]))
    def change(self, data: st.DataObject, key: str, table: str) -> None:
        """One record changed if it matches at that moment."""
        changes = data.draw(CHANGES[table].filter(bool))
        change = Change(table=table, key=(key,), changes=changes, where=data.draw(filters(table)))
        self.both(Commit(writes=(change,)))

    @rule(data=st.data(), key=IDS)
    def require(self, data: st.DataObject, key: str) -> None:
        """A record that must be there and match."""
        self.both(Commit(writes=(Require(table="sessions", key=(key,), where=data.draw(filters("sessions"))),)))

    @rule(key=IDS)
    def check(self, key: str) -> None:
        """A record that must be as it was read."""
        self.both(
            *(
                Commit(writes=(Check(table="sessions", key=(key,), expect=each),))
                for each in self.stored("sessions", key)
            )
        )

    @precondition(lambda self: self.atomic)
    @rule(data=st.data())
    def upsert_several(self, data: st.DataObject) -> None:
        """Sessions of which each is inserted or merged."""
        records = data.draw(st.lists(RECORDS["sessions"], max_size=3, unique_by=lambda each: each["session_id"]))
        self.both(Upsert(table="sessions", records=tuple(records), rules={}))

    @invariant()
    def hold_the_same(self) -> None:
        """Both tenants hold what their own stores hold."""
        for _ in self.worlds:
            Twins.hold_the_same(self)
            self.pass_on()
        self.pass_on()

    def _of_session(self, data: st.DataObject) -> Any:
        return Related("session_id", "sessions", "session_id", eq("user_id", data.draw(USERS) or ""))


def confined(shared: Store, tenant: str, _: str) -> Store:
    """The tenant's rows, as they are kept in earnest."""
    return Confined(shared, tenant)
