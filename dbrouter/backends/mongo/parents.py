"""Records that others name, and records that name them: MongoDB has no foreign keys, so they are looked for.

A child that is written in the very moment in which its parent is removed can stay behind, as on any store without them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

from dbrouter.backends.kernel.relating import missing_parent, named_parent, still_referenced
from dbrouter.backends.kernel.tables import Parent, TableSpec
from dbrouter.backends.kernel.tenant_tables import CHILDREN
from dbrouter.backends.mongo.conditions import Query
from dbrouter.backends.mongo.documents import Document
from dbrouter.backends.mongo.layout import counter
from dbrouter.backends.mongo.wire import Wire

Named: TypeAlias = tuple[Any, ...]


async def check(
    wire: Wire, spec: TableSpec, documents: Iterable[Document], beside: Collection[Document] = (), session: Any = None
) -> None:
    """Raise `MissingParent` if a document names a parent that is neither stored nor among those written `beside` it."""
    some = list(documents)
    await wire.all([lambda parent=parent: _check(wire, spec, parent, some, beside, session) for parent in _kept(spec)])


def _kept(spec: TableSpec) -> list[Parent]:
    return [parent for parent in spec.parents if parent.enforced]


async def _check(
    wire: Wire,
    spec: TableSpec,
    parent: Parent,
    documents: Sequence[Document],
    beside: Collection[Document],
    session: Any,
) -> None:
    named = {values for each in documents if (values := named_parent(parent, each)) is not None}
    named -= {_columns_of(each, parent.references) for each in beside}
    if not named:
        return
    found = await _found(wire, parent.table, parent.references, named, parent.references, session)
    missing = named - {_columns_of(each, parent.references) for each in found}
    if missing:
        raise missing_parent(spec.name, parent, next(iter(missing)))


def naming(columns: Sequence[str], values: Collection[Named]) -> Query:
    """The query for documents whose columns are one of these."""
    if len(columns) == 1:
        return {columns[0]: {"$in": [value for (value,) in values]}}
    same = [dict(zip(columns, each, strict=True)) for each in values]
    fixed = {column: same[0][column] for column in columns if all(each[column] == same[0][column] for each in same)}
    varying = [column for column in columns if column not in fixed]
    if len(varying) <= 1:
        return fixed | {column: {"$in": [each[column] for each in same]} for column in varying}
    return {"$or": same}


async def _found(
    wire: Wire, table: str, columns: Sequence[str], values: Collection[Named], wanted: Sequence[str], session: Any
) -> list[Document]:
    projection = {"_id": 0} | dict.fromkeys(wanted, 1)
    return await wire.values(wire.at(table).find(naming(columns, values), projection, session=session))


class Doomed:
    """What goes with some documents: queries for the children of each table, parents before children, and counters."""

    def __init__(self) -> None:
        self.queries: list[tuple[str, Query]] = []
        self.counters: list[str] = []
        self.known: list[tuple[TableSpec, list[Document]]] = []

    def keys(self, spec: TableSpec) -> set[Named]:
        """The keys of the table's documents that go, as far as anybody has to know them."""
        return {_columns_of(each, spec.key) for known, some in self.known if known.name == spec.name for each in some}


def needed_columns(spec: TableSpec) -> tuple[str, ...]:
    """The columns that must be known of a document to remove it with its children."""
    references = (column for _, parent in CHILDREN.get(spec.name, ()) for column in parent.references)
    return tuple(dict.fromkeys((*spec.key, *references)))


async def doomed_with(
    wire: Wire, spec: TableSpec, documents: list[Document], present: Collection[str], session: Any = None
) -> Doomed:
    """All that goes with these documents of a table. Raises `MissingParent` if one that stays names one that goes.

    present: the collections that exist.
    """
    doomed = Doomed()
    await _doom(wire, spec, documents, present, doomed, session)
    for each, some in doomed.known:
        await _check_unreferenced(wire, each, some, present, doomed, session)
    return doomed


async def _doom(
    wire: Wire, spec: TableSpec, documents: list[Document], present: Collection[str], doomed: Doomed, session: Any
) -> None:
    doomed.known.append((spec, documents))
    for child, parent in CHILDREN.get(spec.name, ()):
        values = _referenced(parent, documents)
        if not parent.cascade or not values:
            continue
        doomed.counters += [counter(child.name, parent.columns, each) for each in values]
        if wire.layout.name(child.name) not in present:
            continue
        doomed.queries.append((child.name, naming(parent.columns, values)))
        if CHILDREN.get(child.name) or _held_by(child):
            wanted = needed_columns(child)
            found = await _found(wire, child.name, parent.columns, values, wanted, session)
            await _doom(wire, child, found, present, doomed, session)


def _held_by(spec: TableSpec) -> bool:
    """Whether documents of the table hold others back: then it must be known which of them go."""
    return any(parent.enforced and not parent.cascade for parent in spec.parents)


async def _check_unreferenced(
    wire: Wire, spec: TableSpec, documents: list[Document], present: Collection[str], doomed: Doomed, session: Any
) -> None:
    for child, parent in CHILDREN.get(spec.name, ()):
        if parent.cascade or not parent.enforced or wire.layout.name(child.name) not in present:
            continue
        values = _referenced(parent, documents)
        if not values:
            continue
        going = doomed.keys(child)
        found = await _found(wire, child.name, parent.columns, values, child.key, session)
        if any(_columns_of(each, child.key) not in going for each in found):
            raise still_referenced(spec.name, child.name)


def _referenced(parent: Parent, documents: Iterable[Document]) -> list[Named]:
    named = (_columns_of(each, parent.references) for each in documents)
    return list(dict.fromkeys(values for values in named if None not in values))


def _columns_of(document: Document, columns: Sequence[str]) -> Named:
    return tuple(document.get(column) for column in columns)
