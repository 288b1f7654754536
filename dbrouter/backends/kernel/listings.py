"""The orders worth keeping: along which path of a table its records are listed, and by what.

For stores that keep index entries of their own making, so that all of them keep the same ones. A listing that is not
among these is read whole and sorted by the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

from dbrouter.backends.kernel.emulation.access import access_paths
from dbrouter.backends.kernel.ops import Order
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import TENANT


@dataclass(frozen=True, slots=True)
class Listing:
    """Records with one value in each column of a path, by a column of theirs and then by key.

    path: no columns for a whole table (in one that tenants share: the tenant, for its part). by: the column that
    orders; fallback: what stands in where that is null. moves: whether a record changes its place when it is saved
    again: a store whose entries are dear may leave these out.
    """

    path: tuple[str, ...]
    by: str
    fallback: str | None = None
    moves: bool = False

    def serves(self, path: tuple[str, ...], order: Order) -> bool:
        """Whether a walk along this path in this order, in either direction, is one along this listing."""
        return (path, order.field.column, order.field.path, order.fallback) == (self.path, self.by, (), self.fallback)


def listings(spec: TableSpec) -> tuple[Listing, ...]:
    """The table's listings: each access path, and the whole table, by each column that says when.

    Paths that an index of the spec continues with a number of its own (`session_id, run_index`) are listed by that.
    Worked out anew each time: a store asks once per table.
    """
    shared = spec.key[0] == TENANT
    paths = [path for path in access_paths(spec) if path != spec.key]
    if not shared:
        # The leading column of a longer key names a group; of a simple key, one record.
        paths.append(())
    elif (TENANT,) not in paths:
        paths.append((TENANT,))
    found: list[Listing] = []
    for path in dict.fromkeys(paths):
        numbered = _numbered(spec, path)
        found += [Listing(path, numbered)] if numbered else [Listing(path, *when) for when in _when(spec)]
    return tuple(found)


def _when(spec: TableSpec) -> list[tuple[str, str | None, bool]]:
    """What lists by time go by: (column, fallback, whether it moves)."""
    if spec.has("start_time"):
        return [("start_time", None, False)]
    ways: list[tuple[str, str | None, bool]] = []
    if spec.has("created_at"):
        ways.append(("created_at", None, False))
    if spec.has("updated_at"):
        ways.append(("updated_at", "created_at" if spec.has("created_at") else None, True))
    # A table without times is listed by its key.
    return ways or [(next(column for column in spec.key if column != TENANT), None, False)]


def _numbered(spec: TableSpec, path: tuple[str, ...]) -> str | None:
    for index in spec.indexes:
        rest = index.columns[len(path) :]
        if path and index.columns[: len(path)] == path and len(rest) == 1 and rest[0].endswith("_index"):
            return rest[0]
    return None
