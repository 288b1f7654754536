"""What a store does natively. Claims are opt-in: an unfounded one loses data, a missing one costs speed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from dbrouter.backends.kernel.filters import Everything, Filter, Related
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.ops import Order
from dbrouter.backends.kernel.tables import TableSpec


def only_everything(where: Filter) -> bool:
    """The native filter set of a store that cannot filter."""
    return isinstance(where, Everything)


def all_filters(_: Filter) -> bool:
    """The native filter set of a store that runs every filter."""
    return True


def all_but_related(where: Filter) -> bool:
    """The native filter set of a store that filters one table at a time."""
    return not isinstance(where, Related)


def no_walks(_spec: TableSpec, _path: tuple[str, ...], _order: Order) -> bool:
    """The walks of a store that keeps no order."""
    return False


CHEAPER = frozenset({"walks", "many", "several", "skips", "together"})
"""Capabilities that make emulation cheap, and take nothing over from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """A store's native abilities; everything not claimed is emulated by the kernel, or refused where noted.

    filters: which filters it runs itself. order: sorts and pages. counts: totals beside a page.
    loads: a record and its children in one request. upserts: merge rules and owner guards, atomically.
    positions: the `Next` rule under a lock. updates: conditional change of all that match. claims: first free record.
    deletes: by filter, cascading. aggregates: groups and measures; percentiles: P95 among them.
    batches: several upserts in one request. uniques: enforces declared unique sets.
    parents: enforces declared parents.
    commits: atomic commit of several records. Not emulated: without it, such a commit is refused.
    walks: along which path of a table, in which order, it hands out records piece by piece (`Walk`); no columns are the
    whole table. many: several records by their keys in one request (`GetMany`). several: a scan may name several values
    of a path's last column (`In`), and is one request all the same. skips: a walk passes over records that nobody asked
    for (`Walk.skip`), so that the tenth page costs what the first does. They make pages cheap where filters or orders
    are emulated; a store that filters and orders needs none of them.
    together: a commit of several records is one request, so what need not be one commit is one all the same. Raises
    `ValueError` without commits.
    isolations: how tenants can be kept apart in it, apart from a database for each (see `isolation.py`).
    """

    filters: Callable[[Filter], bool] = only_everything
    order: bool = False
    counts: bool = False
    loads: bool = False
    upserts: bool = False
    positions: bool = False
    updates: bool = False
    claims: bool = False
    deletes: bool = False
    aggregates: bool = False
    percentiles: bool = False
    batches: bool = False
    uniques: bool = False
    parents: bool = False
    commits: bool = False
    walks: Callable[[TableSpec, tuple[str, ...], Order], bool] = no_walks
    many: bool = False
    several: bool = False
    skips: bool = False
    together: bool = False
    isolations: frozenset[Isolation] = frozenset()

    def __post_init__(self) -> None:
        if self.together and not self.commits:
            raise ValueError("together is claimed without commits: claim both, or neither")

    @property
    def complete(self) -> bool:
        """Whether every op runs natively, however tenants are kept apart."""
        aside = {each.name: each.default for each in fields(self) if each.name in (*CHEAPER, "isolations")}
        return replace(self, **aside) == replace(EVERYTHING_NATIVE, **aside)

    def as_dict(self) -> dict[str, Any]:
        """Name -> claimed, for tables and `dbrouter check`; filters as "all", "one table" or "none"."""
        words: dict[object, str] = {all_filters: "all", all_but_related: "one table", only_everything: "none"}
        return {
            each.name: words.get(self.filters, "some") if each.name == "filters" else getattr(self, each.name)
            for each in fields(self)
            if each.name not in (*CHEAPER, "isolations")
        } | {"isolations": ", ".join(sorted(each.value for each in self.isolations)) or "none"}


EVERYTHING_NATIVE = Capabilities(
    filters=all_filters,
    order=True,
    counts=True,
    loads=True,
    upserts=True,
    positions=True,
    updates=True,
    claims=True,
    deletes=True,
    aggregates=True,
    percentiles=True,
    batches=True,
    uniques=True,
    parents=True,
    commits=True,
    together=True,
    isolations=frozenset({Isolation.SCHEMA, Isolation.ROWS}),
)
