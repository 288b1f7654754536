"""Records by key, by a value, and in order: names are listed, and the records that they stand for are read at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dbrouter.backends.kernel.completing import check_columns, key_in, projected, with_text
from dbrouter.backends.kernel.filters import columns_of, pinned
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Key, Order, Scan, Walk, Walked
from dbrouter.backends.kernel.ordered_names import exact
from dbrouter.backends.kernel.ordering import rank_of, sort_records
from dbrouter.backends.objects.asking import Asking
from dbrouter.backends.objects.body import MARKER, Body, read
from dbrouter.backends.objects.bucket import Found, Listed
from dbrouter.backends.objects.drafts import present
from dbrouter.backends.objects.layout import TOKEN, Along, Layout
from dbrouter.backends.objects.names import mirrored

GRACE = timedelta(hours=1)
"""How old an entry must be that no record names before it is removed: its writer may be about to write the record."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a record was read at: its object's tag. Beside it, what its entries are made of: it spares a reading.

    pending: whether a commit was about to change it. When that is decided the tag is the same, and the record is not.
    """

    tag: str
    tokens: Mapping[str, str] = field(compare=False, repr=False)
    values: Mapping[str, Any] = field(compare=False, repr=False)
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a walk goes on: after this name, and after the record with this rank and key."""

    after: str
    rank: tuple[bool, Any]
    key: Key
    sorted: bool
    """Whether the walk met names that do not tell the order, and goes by the records' values."""


def current(layout: Layout, key: Key, found: Found | None) -> tuple[Record, Version] | None:
    """The record in an object, if it is one and has that key (a name may be a digest)."""
    body = None if found is None else read(layout.spec, found.body, layout.record(key))
    if found is None or body is None or key_in(layout.spec, body.record) != key:
        return None
    values = {column: body.record[column] for column in layout.columns}
    return body.record, Version(found.tag, body.entries, values, found.pending)


async def scan(asking: Asking, layout: Layout, op: Scan) -> list[Record]:
    """The records with the values that the op asks for, in no order."""
    check_columns(layout.spec, (*(op.columns or ()), *columns_of(op.where)))
    equal = pinned(op.where)
    if set(equal) == set(layout.spec.key):
        key = tuple(equal[column] for column in layout.spec.key)
        one = current(layout, key, await present(asking, layout, layout.record(key)))
        found = [] if one is None else [one[0]]
    else:
        along = layout.scan(equal)
        names = await asking.list(along.folder, begin=along.begin)
        found = [record for _, record in await _records(asking, layout, along, equal, names)]
    return [_shown(record, op) for record in found if matches(op.where, record)]


async def walk(asking: Asking, layout: Layout, op: Walk, along: Along) -> Walked:
    """The next records along a run of names, in either direction. Against it, all of its names are listed."""
    check_columns(layout.spec, op.columns or ())
    equal = pinned(op.where)
    cursor: Cursor | None = op.after
    every: list[Listed] | None = None
    if op.total or op.order.descending is not along.descending:
        every = await asking.list(along.folder, begin=along.begin)
    total = _count(every, along) if op.total and every is not None else None
    if not op.limit:
        return Walked([], op.after, total)
    found: list[tuple[str, Record]] = []
    after = "" if cursor is None else cursor.after
    ahead = cursor is None or not cursor.sorted
    while ahead and len(found) < op.limit:
        wanted = op.limit - len(found)
        if every is None:
            names = await asking.list(along.folder, begin=along.begin, after=after, limit=wanted)
        else:
            names = _onward(every, after, op.order.descending is not along.descending)[:wanted]
        if not all(_exact(each.name, along) for each in names):
            ahead = False
            break
        some = await _records(asking, layout, along, equal, names)
        found += [(name, record) for name, record in some if matches(op.where, record)]
        if len(names) < wanted:
            return Walked([_shown(record, op) for _, record in found], None, total)
        after = names[-1].name
        if some and some[-1][0] == after:
            after = _passed(after, along, op.order.descending is not along.descending)
    if not ahead:
        return await _sorted(asking, layout, op, along, total)
    last = found[-1][1]
    place = Cursor(after, rank_of(op.order, last), key_in(layout.spec, last), sorted=False)
    return Walked([_shown(record, op) for _, record in found], place, total)


async def _sorted(asking: Asking, layout: Layout, op: Walk, along: Along, total: int | None) -> Walked:
    """The next records where names are cut and do not tell their order: all of the run, sorted by their values."""
    equal = pinned(op.where)
    names = await asking.list(along.folder, begin=along.begin)
    read_ = [record for _, record in await _records(asking, layout, along, equal, names) if matches(op.where, record)]
    ordered = sort_records(read_, (op.order,), layout.spec.key)
    if isinstance(op.after, Cursor):
        passed = (op.after.rank, op.after.key)
        ordered = [each for each in ordered if _is_after(_position(layout, op.order, each), passed, op.order)]
    shown = ordered[: op.limit]
    if len(shown) == len(ordered):
        return Walked([_shown(record, op) for record in shown], None, total)
    rank, key = _position(layout, op.order, shown[-1])
    return Walked([_shown(record, op) for record in shown], Cursor("", rank, key, sorted=True), total)


async def _records(
    asking: Asking, layout: Layout, along: Along, equal: Mapping[str, Any], names: Sequence[Listed]
) -> list[tuple[str, Record]]:
    """The names with their records, without names that stand for none. Entries that nobody will need are removed."""
    if along.listing is None:
        names = [each for each in names if each.size != MARKER]
        places = [f"{along.folder}/{each.name}" for each in names]
    else:
        places = [layout.record_of(each.name, along, equal) for each in names]

    async def one(place: str) -> Body | None:
        found = await present(asking, layout, place)
        return None if found is None else read(layout.spec, found.body, place)

    bodies = await asking.each([lambda place=place: one(place) for place in places])
    found: list[tuple[str, Record]] = []
    stale: list[str] = []
    for name, body in zip(names, bodies, strict=True):
        if along.listing is None or (body is not None and body.entries.get(along.listing) == name.name[-TOKEN:]):
            if body is not None:
                found.append((name.name, body.record))
        elif datetime.now(UTC) - name.modified > GRACE:
            stale.append(f"{along.folder}/{name.name}")
    await asking.discard(stale)
    return found


def _count(names: Sequence[Listed], along: Along) -> int:
    """How many records a run of names stands for: a record whose old entry is still there counts once."""
    if along.listing is None:
        return sum(each.size != MARKER for each in names)
    bodies = (each.name[:-TOKEN] for each in names)
    return len({(mirrored(body) if along.descending else body).partition("!")[2] for body in bodies})


def _onward(names: list[Listed], after: str, against: bool) -> list[Listed]:  # a direction, not an option
    """The names after one, in the direction of the walk."""
    if not against:
        return [each for each in names if each.name > after]
    return [each for each in reversed(names) if not after or each.name < after]


def _passed(name: str, along: Along, against: bool) -> str:  # a direction, not an option
    """What sorts after the name of a record, and after its leftovers; against the run, what sorts before them.

    Only for the name that counts: behind a leftover there may be that one.
    """
    if along.listing is None:
        return name
    return name[:-TOKEN] if against else name[:-TOKEN] + "g"


def _exact(name: str, along: Along) -> bool:
    if along.listing is None:
        return exact(name)
    return exact(mirrored(name[:-TOKEN]) if along.descending else name[:-TOKEN])


def _position(layout: Layout, order: Order, record: Record) -> tuple[tuple[bool, Any], Key]:
    return rank_of(order, record), key_in(layout.spec, record)


def _is_after(position: Any, passed: Any, order: Order) -> bool:
    return bool(position < passed if order.descending else position > passed)


def _shown(record: Record, op: Scan | Walk) -> Record:
    return projected(with_text(record, op.raw), op.columns)
