"""Where a table's objects are: a record under its key, and an empty entry for each listing that it is in.

    <root>/<table>/r/<tenant>/<key>                                     a record (the tenant only in shared tables)
    <root>/<table>/l/<listing>/<tenant>/<value>/<order><key><token>     its entry in a listing
    <root>/~decisions/<commit>                                          what became of a commit of several records

The token is one that the record names, so a reader tells an entry that a crash has left from one that counts, and no
two writers ever write, or remove, the same entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dbrouter.backends.kernel.emulation.access import MOMENTS
from dbrouter.backends.kernel.listings import Listing, listings
from dbrouter.backends.kernel.ops import Key, Order
from dbrouter.backends.kernel.ordered_names import beginning, packed, part
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import TENANT
from dbrouter.backends.objects.names import folder_name, mirrored

VALUE, ORDER, KEY = 110, 48, 110
"""Characters of a part, a cut one's digest aside: no file's name is over 255 bytes, and no object's over 1,024."""
TOKEN = 16


@dataclass(frozen=True, slots=True)
class Kept:
    """A listing as it is kept. newest_first: whether its names sort from the largest value to the smallest."""

    name: str
    listing: Listing
    newest_first: bool


@dataclass(frozen=True, slots=True)
class Along:
    """A run of names: those in a folder that begin so. descending: whether they sort downwards."""

    folder: str
    begin: str = ""
    descending: bool = False
    listing: str | None = None
    """The listing whose entries they are; `None` if they are records."""


def kept_listings(spec: TableSpec) -> tuple[Kept, ...]:
    """The listings worth an object for each record.

    An entry is a request of its own. So there are none that move with every save, which would double what a turn waits
    for; and tables that follow another, runs and spans, are listed where they are asked for: below it.
    """
    whole = (TENANT,) if spec.key[0] == TENANT else ()
    return tuple(
        Kept(f"{'-'.join((*each.path, 'by', each.by))}", each, each.by in MOMENTS)
        for each in listings(spec)
        if not each.moves and not _by_key(spec, each.path, each.by) and (spec.leader is None or each.path != whole)
    )


def _by_key(spec: TableSpec, path: tuple[str, ...], by: str) -> bool:
    """Whether the names of the records themselves, below a tenant, are in this order."""
    own = spec.key[1:] if spec.key[0] == TENANT else spec.key
    return by == own[0] and (*path, *own) == spec.key


def decisions(root: str) -> str:
    """The folder of the decisions on commits: no table's (`folder_name`)."""
    return f"{root}/~decisions"


class Layout:
    """The names of one table's objects."""

    def __init__(self, spec: TableSpec, physical: str, root: str) -> None:
        self.spec = spec
        self._root = root
        self.folder = f"{root}/{folder_name(physical)}"
        self._shared = spec.key[0] == TENANT

    @cached_property
    def kept(self) -> tuple[Kept, ...]:
        """The listings of the table."""
        return kept_listings(self.spec)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that entries are made of."""
        used = [each.listing for each in self.kept]
        named = [(*each.path, each.by, *([each.fallback] if each.fallback else [])) for each in used]
        return tuple(dict.fromkeys((*self.spec.key, *(column for columns in named for column in columns))))

    def record(self, key: Key) -> str:
        """The name of the record's object."""
        return f"{self.records(key[0]) if self._shared else self.records()}/{self._key(key)}"

    def records(self, tenant: Any = None) -> str:
        """The folder of the records, of one tenant's if it is named."""
        return f"{self.folder}/r" if tenant is None else f"{self.folder}/r/{part(tenant, longest=VALUE)}"

    def record_of(self, entry: str, along: Along, pinned: Mapping[str, Any]) -> str:
        """The name of the record that an entry stands for. entry: its name below the run's folder."""
        text = entry[:-TOKEN]
        _, _, key = (mirrored(text) if along.descending else text).partition("!")
        return f"{self.records(pinned[TENANT]) if self._shared else self.records()}/{key}"

    def decision(self, commit: str) -> str:
        """The name of the decision on a commit."""
        return f"{decisions(self._root)}/{commit}"

    def entries(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Listing -> the name of the record's entry in it, without its token."""
        return {
            each.name: f"{self._place(each, values)}/{self._body(each, values)}"
            for each in self.kept
            if all(values[column] is not None for column in each.listing.path)
        }

    def body(self, name: str, values: Mapping[str, Any]) -> str:
        """The entry's name below its folder in one listing, without its token."""
        return self._body(next(each for each in self.kept if each.name == name), values)

    def walk(self, pinned: Mapping[str, Any], order: Order) -> Along | None:
        """The run of names that leads along these values in this order, in one direction or the other."""
        path = tuple(pinned)
        for each in self.kept:
            if each.listing.serves(path, order):
                return Along(self._place(each, pinned), descending=each.newest_first, listing=each.name)
        if order.field.path or order.fallback or not _by_key(self.spec, path, order.field.column):
            return None
        return Along(self.records(pinned.get(TENANT)))

    def scan(self, pinned: Mapping[str, Any]) -> Along:
        """The shortest run of names with all records that have these values; perhaps with others."""
        path = tuple(pinned)
        tenant = pinned.get(TENANT)
        rest = path[1:] if TENANT in pinned else path
        if not rest:
            return Along(self.records(tenant))
        if rest == self.spec.key[len(path) - len(rest) :][:1]:
            return Along(self.records(tenant), beginning(pinned[rest[0]], longest=KEY))
        for each in self.kept:
            if each.listing.path == path:
                return Along(self._place(each, pinned), descending=each.newest_first, listing=each.name)
        return Along(self.records(tenant))

    def _place(self, kept: Kept, values: Mapping[str, Any]) -> str:
        folders = (part(values[column], longest=VALUE) for column in kept.listing.path)
        return "/".join((f"{self.folder}/l/{kept.name}", *folders))

    def _body(self, kept: Kept, values: Mapping[str, Any]) -> str:
        value = values[kept.listing.by]
        if value is None and kept.listing.fallback is not None:
            value = values[kept.listing.fallback]
        text = part(value, longest=ORDER) + self._key(tuple(values[column] for column in self.spec.key))
        return mirrored(text) if kept.newest_first else text

    def _key(self, key: Key) -> str:
        return packed(key[1:] if self._shared else key, longest=KEY)
