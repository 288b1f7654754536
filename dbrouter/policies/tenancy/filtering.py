"""Filters, rules and changes as one tenant may use them: what they ask of other tables stays with the tenant too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import StoreError, Unsupported
from dbrouter.backends.kernel.filters import (
    And,
    Compare,
    Contains,
    Everything,
    Filter,
    HasItem,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Related,
    StartsWith,
    all_of,
    eq,
)
from dbrouter.backends.kernel.merging import (
    Elapsed,
    Fill,
    Greatest,
    Keep,
    Least,
    Next,
    Present,
    Ranked,
    Replace,
    Rule,
    SetTo,
)
from dbrouter.backends.kernel.ops import Choice
from dbrouter.backends.kernel.tenant_tables import TENANT, tenant_table

_OF_A_FIELD = frozenset({Compare, In, IsNull, Contains, StartsWith})
_OF_A_COLUMN = frozenset({Like, HasItem})
_OF_ITS_RECORD = frozenset({Keep, Replace, SetTo, Fill, Present, Least, Greatest})


class Filtering:
    """Rewrites the parts of an op that say which records and what becomes of them, for one tenant.

    Types are compared exactly: a kind of filter or rule that is not known here may look anywhere, and is refused.
    """

    __slots__ = ("own",)

    def __init__(self, tenant: str) -> None:
        self.own: Filter = eq(TENANT, tenant)
        """The filter that only the tenant's records match."""

    def where(self, where: Filter) -> Filter:
        """The filter for records of a shared table: the tenant's, and of these the ones that match."""
        return all_of(self.own, self.inside(where))

    def inside(self, where: Filter) -> Filter:
        """The filter where only the tenant's records are looked at: questions to other tables stay with the tenant."""
        kind = type(where)
        if kind in _OF_A_FIELD:
            unmentioned((where.field.column,))  # type: ignore[union-attr]  # each of these has a field
            return where
        if kind in _OF_A_COLUMN:
            unmentioned((where.column,))  # type: ignore[union-attr]  # each of these has a column
            return where
        if kind is Everything:
            return where
        if kind is And or kind is Or:
            return kind(tuple(map(self.inside, where.filters)))  # type: ignore[union-attr]
        if isinstance(where, Not) and kind is Not:
            return Not(self.inside(where.filter))
        if isinstance(where, Related) and kind is Related:
            unmentioned((where.column, where.key))
            return Related(where.column, shared(where.table), where.key, self.where(where.where))
        raise Unsupported(f"tenancy does not know the filter {kind.__name__}, so it cannot keep it to one tenant")

    def rules(self, rules: Mapping[str, Rule]) -> dict[str, Rule]:
        """The merge rules of an upsert."""
        unmentioned(rules)
        return {column: self._rule(rule) for column, rule in rules.items()}

    def changes(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The changes of an update. Raises if they would give a record to somebody."""
        unmentioned(changes)
        return {column: self._change(change) for column, change in changes.items()}

    def _rule(self, rule: Rule) -> Rule:
        kind = type(rule)
        if kind in _OF_ITS_RECORD:
            return rule
        if isinstance(rule, Elapsed) and kind is Elapsed:
            unmentioned((rule.start, rule.end))
            return rule
        if isinstance(rule, Ranked) and kind is Ranked:
            return Ranked(tuple((self.inside(where), value) for where, value in rule.cases))
        if isinstance(rule, Next) and kind is Next:
            unmentioned(rule.within)
            return Next(TENANT, *rule.within)
        raise Unsupported(f"tenancy does not know the rule {kind.__name__}, so it cannot keep it to one tenant")

    def _change(self, change: Any) -> Any:
        if not isinstance(change, Choice):
            return change
        if type(change) is not Choice:
            raise Unsupported(f"tenancy does not know the change {type(change).__name__}; nothing was written")
        then, otherwise = self._change(change.then), self._change(change.otherwise)
        return replace(change, where=self.inside(change.where), then=then, otherwise=otherwise)


def shared(table: str) -> str:
    """The shared form of one of agno's tables. Raises `StoreError` for any other table."""
    if table not in TABLES:
        raise StoreError(f"there is no table {table!r} that tenants share")
    return tenant_table(table)


def unmentioned(columns: Iterable[str]) -> None:
    """Raise `Unsupported` if the tenant's column is among these: only tenancy reads and writes it."""
    if TENANT in columns:
        raise Unsupported(f"{TENANT} is kept by tenancy, and no call may read, write or ask for it")
