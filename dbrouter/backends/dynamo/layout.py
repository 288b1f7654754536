"""Where a table's records and their index entries are kept: item keys, worked out from the table's spec alone.

A record is one item in a partition of its own. Beside it stand entries, small items that each list the record in one
order along one path; they are written in the transaction that writes the record, and so never miss one. Which of the
kernel's listings get entries is decided by their price: an entry costs a write with the record, and one whose order
moves with every save costs two more with each.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.dynamo.keys import as_key_part, partition, sorting
from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.emulation.access import access_paths
from dbrouter.backends.kernel.listings import Listing, listings
from dbrouter.backends.kernel.ops import Key, Order
from dbrouter.backends.kernel.paths import Path
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES, TENANT

BUCKETS = 4
"""Partitions that share the list of a table whose records are found by their leader: nobody pages through all of it."""
LONGEST_CARRIED = 256
"""Characters of a value that an entry repeats; an entry with a longer one only names its record."""
HEAD = b"\x00"
"""The sort key of a record's own item, before those of its parts."""

_LEADERS = frozenset(spec.leader for spec in ALL_TABLES.values() if spec.leader is not None)


@dataclass(frozen=True, slots=True)
class Place:
    """An item's key."""

    partition: str
    sort: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A listing that has entries. carried: the columns that its entries repeat. bucketed: without an order."""

    listing: Listing
    carried: tuple[str, ...]
    bucketed: bool = False

    @property
    def name(self) -> str:
        """What its partitions are called."""
        return f"{','.join(self.listing.path)}/{'' if self.bucketed else self.listing.by}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An index entry: where it is, and the columns it repeats (`None`: a value is too long for that)."""

    place: Place
    carried: Mapping[str, Any] | None


class Layout:
    """The places of one table's items in one namespace."""

    def __init__(self, spec: TableSpec, physical: str, namespace: str) -> None:
        self.spec = spec
        self._physical = physical
        self._namespace = namespace
        self._own_key = tuple(column for column in spec.key if column != TENANT)
        self.kept = tuple(_kept(spec))
        self._whole = (TENANT,) if spec.key[0] == TENANT else ()
        self.prefix = encode([namespace, physical, "="])[:-1] + ","
        """How the partition keys of all records begin, unless a key is too long."""
        self.listed = tuple(
            dict.fromkeys(column for kept in self.kept for column in (*kept.carried, *kept.listing.path))
        )
        """Every column that entries depend on."""

    def head(self, key: Key) -> Place:
        """The place of a record."""
        return Place(partition(self._namespace, self._physical, "=", *key), HEAD)

    def entries(self, record: Mapping[str, Any]) -> dict[Place, Entry]:
        """The entries of a record, of which only `listed` is read."""
        found: dict[Place, Entry] = {}
        for kept in self.kept:
            values = tuple(record[column] for column in kept.listing.path)
            if None in values:
                continue
            at = self._entry_at(kept, values, record)
            carried = {column: record[column] for column in kept.carried}
            long = any(isinstance(each, str) and len(each) > LONGEST_CARRIED for each in carried.values())
            found[at] = Entry(at, None if long else carried)
        return found

    def partitions(self, kept: Kept, values: tuple[Any, ...]) -> tuple[str, ...]:
        """The partitions that hold a listing's entries for these values of its path."""
        buckets: tuple[Any, ...] = tuple((bucket,) for bucket in range(BUCKETS)) if kept.bucketed else ((),)
        return tuple(partition(self._namespace, self._physical, kept.name, *values, *bucket) for bucket in buckets)

    def partitions_along(self, kept: Kept, path: Path) -> tuple[str, ...]:
        """The partitions that hold a listing's entries for all ways of a path."""
        return tuple(
            dict.fromkeys(each for values in path.along(kept.listing.path) for each in self.partitions(kept, values))
        )

    def along(self, path: tuple[str, ...]) -> Kept | None:
        """A listing that holds every record of this path, if only among others; `None`: there is none."""
        for wanted in (path, path[: len(self._whole)]):
            for kept in self.kept:
                if kept.listing.path == wanted:
                    return kept
        return None

    def walked(self, path: tuple[str, ...], order: Order) -> Kept | None:
        """The listing that goes along this path in this order."""
        return next((kept for kept in self.kept if not kept.bucketed and kept.listing.serves(path, order)), None)

    def _entry_at(self, kept: Kept, values: tuple[Any, ...], record: Mapping[str, Any]) -> Place:
        key = tuple(record[column] for column in self._own_key)
        if kept.bucketed:
            bucket = zlib.crc32(encode([as_key_part(each) for each in key]).encode()) % BUCKETS
            return Place(self.partitions(kept, values)[bucket], sorting(key))
        by = record[kept.listing.by]
        if by is None and kept.listing.fallback is not None:
            by = record[kept.listing.fallback]
        return Place(self.partitions(kept, values)[0], sorting((by, *key)))


def walks(spec: TableSpec, path: tuple[str, ...], order: Order) -> bool:
    """Whether this store lists the path in this order: what `Capabilities.walks` says."""
    return Layout(spec, "", "").walked(path, order) is not None


def _kept(spec: TableSpec) -> Iterator[Kept]:
    whole = (TENANT,) if spec.key[0] == TENANT else ()
    fathers = {parent.columns[: len(whole) + 1] for parent in spec.parents}
    steady = _steady(spec)
    if spec.leader is not None:
        yield Kept(Listing(whole, spec.key[-1]), steady, bucketed=True)
    for listing in listings(spec):
        if listing.path == whole:
            wanted = spec.leader is None and not (listing.moves and spec.name in _LEADERS)
        elif spec.leader is not None or listing.path in fathers:
            wanted = listing.path in fathers and not listing.moves
        elif listing.moves:
            wanted = listing.path[-1] == spec.owner and spec.name not in _LEADERS
        else:
            # A column that names something picks few records; of a status or a type there are many.
            wanted = listing.path[-1].endswith("_id") or spec.column(listing.path[-1]).unique
        if wanted:
            fallback = () if listing.fallback is None else (listing.fallback,)
            yield Kept(listing, tuple(dict.fromkeys((*steady, listing.by, *fallback))))


def _steady(spec: TableSpec) -> tuple[str, ...]:
    """The columns that every entry repeats: the key, and what records are found by, unless they have a leader."""
    found = [] if spec.leader is not None else [column for path in access_paths(spec) for column in path]
    return tuple(dict.fromkeys((*spec.key, *found)))
