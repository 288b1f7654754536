"""What a store does natively. Claims are opt-in: an unfounded one loses data, a missing one costs speed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from dbrouter.backends.kernel.filters import Everything, Filter, Related
from dbrouter.backends.kernel.isolation import Isolation


def only_everything(where: Filter) -> bool:
    """The native filter set of a store that cannot filter."""
    return isinstance(where, Everything)


def all_filters(_: Filter) -> bool:
    """The native filter set of a store that runs every filter."""
    return True


def all_but_related(where: Filter) -> bool:
    """The native filter set of a store that filters one table at a time."""
    return not isinstance(where, Related)


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
    isolations: frozenset[Isolation] = frozenset()

    @property
    def complete(self) -> bool:
        """Whether every op runs natively, however tenants are kept apart."""
        return replace(self, isolations=EVERYTHING_NATIVE.isolations) == EVERYTHING_NATIVE

    def as_dict(self) -> dict[str, Any]:
        """Name -> claimed, for tables and `dbrouter check`; filters as "all", "one table" or "none"."""
        words: dict[object, str] = {all_filters: "all", all_but_related: "one table", only_everything: "none"}
        return {
            each.name: words.get(self.filters, "some") if each.name == "filters" else getattr(self, each.name)
            for each in fields(self)
            if each.name != "isolations"
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
    isolations=frozenset({Isolation.SCHEMA, Isolation.ROWS}),
)
