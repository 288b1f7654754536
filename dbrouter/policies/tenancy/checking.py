"""Answers, row by row, before they leave a shared table: whose each row is, and the row without saying so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dbrouter.backends.kernel.errors import CrossedTenant
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Claim,
    Get,
    Load,
    Loaded,
    Op,
    Page,
    Scan,
    Stored,
    Update,
    Upsert,
)
from dbrouter.backends.kernel.tenant_tables import TENANT

_CHECKS: Mapping[type[Op[Any]], str] = {
    Get: "_stored",
    Scan: "_page",
    Load: "_loaded",
    Upsert: "_each_stored",
    Update: "_records",
    Claim: "_claimed",
    Aggregate: "_groups",
}
"""Op -> the method that checks its answer. By name, in one table: one for each tenant takes 1 KB."""


class Checking:
    """Lets one tenant's rows through and raises `CrossedTenant` at the first that is not.

    Of commits, inserts, deletes and batches come no rows: only versions, counts and nothing.
    """

    __slots__ = ("_tenant",)

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def checked(self, op: Op[Any], answer: Any) -> Any:
        """The answer to an op as it was sent to the store, without the tenant's column."""
        check = _CHECKS.get(type(op))
        return answer if check is None else getattr(self, check)(op, answer)

    def _stored(self, op: Get | Upsert, answer: Stored | None) -> Stored | None:
        return None if answer is None else replace(answer, record=self._own(op.table, answer.record))

    def _page(self, op: Scan, answer: Page) -> Page:
        return replace(answer, records=[self._own(op.table, record) for record in answer.records])

    def _loaded(self, op: Load, answer: Loaded | None) -> Loaded | None:
        if answer is None:
            return None
        return replace(
            answer,
            record=self._own(op.table, answer.record),
            children=[self._own(op.children.table, record) for record in answer.children],
        )

    def _each_stored(self, op: Upsert, answer: list[Stored | None]) -> list[Stored | None]:
        return [self._stored(op, each) for each in answer]

    def _records(self, op: Update, answer: list[Record]) -> list[Record]:
        return [self._own(op.table, record) for record in answer]

    def _claimed(self, op: Claim, answer: Record | None) -> Record | None:
        return None if answer is None else self._own(op.table, answer)

    def _groups(self, op: Aggregate, answer: Page) -> Page:
        """Every record of a group is the tenant's if the least and the greatest tenant in it are."""
        witnesses = [each.name for each in op.measures[-2:]]
        records: list[Record] = []
        for record in answer.records:
            rest = dict(record)
            for name in witnesses:
                found = rest.pop(name, None)
                # Over no records there is one group all the same, if none was asked for by name. It is nobody's.
                if found != self._tenant and (op.by or found is not None):
                    raise self._crossed(op.table, found)
            records.append(rest)
        return replace(answer, records=records)

    def _own(self, table: str, record: Record) -> Record:
        found = record.get(TENANT)
        if found != self._tenant:
            raise self._crossed(table, found)
        # A copy: a store may answer twice with the same record.
        rest = dict(record)
        del rest[TENANT]
        return rest

    def _crossed(self, table: str, found: Any) -> CrossedTenant:
        whose = "nobody" if found is None else f"tenant {found!r}"
        return CrossedTenant(
            f"{table}: a row of {whose} came back to a call of tenant {self._tenant!r}, and went no further; look at"
            " what else writes to this table, and at the views, rules and proxies in front of it"
        )
