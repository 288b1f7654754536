"""One answer out of several databases' answers: pages merged in order, totals added, groups combined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from dbrouter.backends.kernel.aggregating import aggregate
from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.filters import EVERYTHING, columns_of
from dbrouter.backends.kernel.ops import Aggregate, Measure, Op, Page, Scan, wanted_columns
from dbrouter.backends.kernel.ordering import page_of, sort_records
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store

R = TypeVar("R")

COMBINABLE = frozenset({Measure.COUNT, Measure.MIN, Measure.MAX, Measure.BYTES})
"""Measures of a whole that follow from the measures of its parts."""


async def all_of_them(runtime: Runtime, asked: Sequence[tuple[Store, Op[R]]]) -> list[R]:
    """Every store's answer, asked at once. Raises the first error: a database that is away is not an empty one."""
    outcomes = await runtime.gather([lambda store=store, op=op: store.execute(op) for store, op in asked])
    raise_first(outcomes)
    return [each for each in outcomes if not isinstance(each, BaseException)]


def raise_first(outcomes: Sequence[object]) -> None:
    """Raise the first error among the outcomes, if there is one; it notes the others."""
    errors = [each for each in outcomes if isinstance(each, BaseException)]
    for other in errors[1:]:
        errors[0].add_note(f"and {type(other).__name__}: {other}")
    if errors:
        raise errors[0]


async def scanned(runtime: Runtime, stores: Sequence[Store], op: Scan) -> Page:
    """The page of all databases together, in the op's order."""
    key = TABLES[op.table].key
    wanted = wanted_columns(op)
    columns = None if wanted is None else tuple(sorted(wanted | set(key)))
    # The page may lie wholly in any one database, so each is asked for everything up to its end.
    reach = None if op.limit is None else op.offset + op.limit
    part = replace(op, limit=reach, offset=0, columns=columns)
    pages = await all_of_them(runtime, [(store, part) for store in stores])
    records = sort_records([record for page in pages for record in page.records], op.order, key)
    chosen = page_of(records, op.offset, op.limit)
    if op.columns is not None:
        chosen = [{column: record[column] for column in op.columns} for record in chosen]
    return Page(chosen, sum(page.total or 0 for page in pages) if op.total else None)


async def grouped(runtime: Runtime, stores: Sequence[Store], op: Aggregate) -> Page:
    """The groups of all databases together.

    Counts and extremes are combined; means, percentiles and distinct counts do not follow from their parts, so for
    them the few columns they read are fetched.
    """
    if all(measure.measure in COMBINABLE for measure in op.measures):
        part = replace(op, order=(), limit=None, offset=0, total=False)
        pages = await all_of_them(runtime, [(store, part) for store in stores])
        records = _combined(op, [record for page in pages for record in page.records])
        return _ordered(op, records)
    columns = {field.column for field in op.by.values()} | set(columns_of(op.where))
    columns |= {measure.field.column for measure in op.measures if measure.field is not None}
    columns |= {column for measure in op.measures for column in columns_of(measure.where)}
    scan = Scan(table=op.table, where=op.where, columns=tuple(sorted(columns | set(TABLES[op.table].key))))
    pages = await all_of_them(runtime, [(store, scan) for store in stores])
    # What was fetched matches already; the reference need not, and for other tables' filters cannot, check again.
    everything = replace(op, where=EVERYTHING)
    return aggregate([record for page in pages for record in page.records], everything)


def _combined(op: Aggregate, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in records:
        group = tuple(record[name] for name in op.by)
        known = groups.get(group)
        if known is None:
            groups[group] = dict(record)
            continue
        for measure in op.measures:
            known[measure.name] = _combination(measure.measure, known[measure.name], record[measure.name])
    return list(groups.values())


def _combination(measure: Measure, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return right if left is None else left
    if measure in (Measure.COUNT, Measure.BYTES):
        return left + right
    return min(left, right) if measure is Measure.MIN else max(left, right)


def _ordered(op: Aggregate, records: list[dict[str, Any]]) -> Page:
    ordered = sort_records(records, op.order, tuple(op.by))
    return Page(page_of(ordered, op.offset, op.limit), len(records) if op.total else None)
