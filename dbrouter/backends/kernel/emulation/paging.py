"""Pages on a store that hands out records in order: as much is read as a page shows, and not the table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from dbrouter.backends.kernel.completing import projected, with_text
from dbrouter.backends.kernel.emulation.access import walks_along
from dbrouter.backends.kernel.emulation.at_once import at_once, each_once, many
from dbrouter.backends.kernel.filters import EVERYTHING, Field, Filter, columns_of
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Order, Page, Scan, Walk
from dbrouter.backends.kernel.ordering import page_of, rank_of, sort_records
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import TENANT

MOST = 1000
"""Records asked for at once."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a page is come by: along the values of a path in the order of a term, and what is still asked of records."""

    along: tuple[Filter, ...]
    rest: Filter
    term: Order


class Paging:
    """Answers scans with a limit by walks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def way(self, spec: TableSpec, op: Scan, where: Filter) -> Way | None:
        """The way to the op's page, if the store walks one."""
        walks = self._store.capabilities.walks
        first = op.order[0] if op.order else Order(Field(next(each for each in spec.key if each != TENANT)))
        found = walks_along(spec, where, lambda path: walks(spec, path, first))
        return None if found is None else Way(*found, first)

    async def page(self, spec: TableSpec, op: Scan, way: Way) -> Page:
        """The page, and the total if it is asked for."""
        if op.total and way.rest != EVERYTHING:
            return await self._counted(spec, op, way)
        limit = op.limit or 0
        plain = way.rest == EVERYTHING and len(op.order) < 2 and len(way.along) == 1
        skip = op.offset if plain and self._store.capabilities.skips else 0
        offset = op.offset - skip
        read = _columns_read(op.order, way.rest)
        columns = None if op.columns is None else tuple(dict.fromkeys((*op.columns, *spec.key, *sorted(read))))
        walks = [
            Walk(
                table=spec.name,
                where=along,
                order=way.term,
                limit=min(offset + limit, MOST),
                skip=skip,
                total=op.total,
                columns=columns,
                raw=op.raw - read,
            )
            for along in way.along
        ]
        walked = await at_once(
            self._store.runtime, [partial(self._walked, walk, way.rest, offset + limit, op.order) for walk in walks]
        )
        found = each_once(spec, [records for records, _ in walked])
        if len(op.order) > 1 or len(walks) > 1:
            found = sort_records(found, op.order or (way.term,), spec.key)
        late = op.raw & read
        records = [projected(with_text(record, late), op.columns) for record in page_of(found, offset, limit)]
        return Page(records, total=sum(total or 0 for _, total in walked) if op.total else None)

    async def _walked(
        self, walk: Walk, rest: Filter, wanted: int, order: tuple[Order, ...]
    ) -> tuple[list[Record], int | None]:
        """The first matching records of a walk, as many as are wanted, and the total if asked for."""
        found: list[Record] = []
        total: int | None = None
        while True:
            walked = await self._store.execute(walk)
            total = walked.total if total is None else total
            found += [record for record in walked.records if matches(rest, record)]
            if walked.after is None or _enough(found, wanted, order):
                return found, total
            walk = replace(walk, after=walked.after, limit=min(max(2 * walk.limit, 1), MOST), skip=0, total=False)

    async def _counted(self, spec: TableSpec, op: Scan, way: Way) -> Page:
        """A page whose total only the filter can tell: it reads what that asks for, and the page's records whole."""
        read = _columns_read(op.order, way.rest)
        narrow = tuple(dict.fromkeys((*spec.key, *sorted(read))))
        scans = [Scan(table=spec.name, where=along, columns=narrow) for along in way.along]
        pages = await at_once(self._store.runtime, [partial(self._store.execute, scan) for scan in scans])
        every = each_once(spec, [page.records for page in pages])
        matching = [record for record in every if matches(way.rest, record)]
        chosen = page_of(sort_records(matching, op.order, spec.key), op.offset, op.limit)
        if op.columns is not None and set(op.columns) <= set(narrow):
            records = [projected(with_text(record, op.raw), op.columns) for record in chosen]
        else:
            keys = [tuple(record[column] for column in spec.key) for record in chosen]
            filtered = set(columns_of(op.where))
            columns = None if op.columns is None else tuple(dict.fromkeys((*op.columns, *sorted(filtered))))
            found = await many(self._store, spec.name, keys, columns, op.raw - filtered)
            # Looked at again: one may have become another user's since.
            still = [with_text(record, op.raw & filtered) for record in found if matches(op.where, record)]
            records = [projected(record, op.columns) for record in still]
        return Page(records, total=len(matching))


def _enough(found: list[Record], wanted: int, order: tuple[Order, ...]) -> bool:
    """Whether the page is among those found. A second term orders among equals of the first: all of them are needed."""
    if len(found) < wanted:
        return False
    if len(order) < 2 or not wanted:
        return True
    return rank_of(order[0], found[-1]) != rank_of(order[0], found[wanted - 1])


def _columns_read(order: tuple[Order, ...], rest: Filter) -> set[str]:
    ordering = {column for term in order for column in (term.field.column, term.fallback) if column is not None}
    return ordering | set(columns_of(rest))
