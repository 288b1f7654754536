"""Where everything of a table is kept: its keys, its indexes, and what the scripts have to know of it.

All keys of a family in one namespace, and of one tenant where tenants share tables, begin with the same `{...}`, which
is what Redis Cluster reads a slot from: records, their children, indexes and unique sets can change in one script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote_from_bytes

from dbrouter.backends.kernel.completing import json_columns
from dbrouter.backends.kernel.duplicates import uniques_of
from dbrouter.backends.kernel.errors import StoreError
from dbrouter.backends.kernel.filters import And, Everything, Filter, IsNull, Not
from dbrouter.backends.kernel.listings import listings
from dbrouter.backends.kernel.ops import Key
from dbrouter.backends.kernel.ordered_form import canonical, in_a_row
from dbrouter.backends.kernel.tables import TableSpec, Unique, declared
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES, CHILDREN, PREFIX, TENANT, physical_names

VERSION = "@"
"""The field of a record's hash that holds its version."""


@dataclass(frozen=True, slots=True)
class Index:
    """A sorted set whose members are a path's values, the ordering value and the key: `ZRANGE ... BYLEX` walks it.

    path: without the tenant, which the key of the sorted set says already. by: `None` where only the path matters.
    """

    path: tuple[str, ...]
    by: str | None = None
    fallback: str | None = None

    @property
    def name(self) -> str:
        """What its sorted set is called."""
        return "|".join((",".join(self.path), self.by or ""))


class Table:
    """One table as it is kept."""

    def __init__(self, spec: TableSpec, physical: str, seconds: int | None) -> None:
        self.spec = spec
        self.name = _quoted(physical)
        self.shared = spec.key[0] == TENANT
        self.key = local(spec.key)
        self.json = json_columns(spec)
        self.uniques = uniques_of(spec)
        self.seconds = seconds
        self.indexes = _indexes(spec)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Every field of a record's hash, the version first."""
        return (VERSION, *self.spec.column_names)

    def tenant_of(self, key: Key) -> Any:
        """Whose record it is; `None` in a table that is not shared."""
        return key[0] if self.shared else None

    def key_text(self, key: Key) -> bytes:
        """The end of the record's key in Redis."""
        return in_a_row(key[1:] if self.shared else key)

    def place_of(self, path: Sequence[str], by: str | None = None, fallback: str | None = None) -> int | None:
        """The number of the index along this path in this order (`None`: in any), counted from 1 as Lua does."""
        asked = local(path)
        for number, index in enumerate(self.indexes, 1):
            if index.path == asked and (by is None or (index.by, index.fallback) == (by, fallback)):
                return number
        return None

    def described(self, children: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """What the scripts must know."""
        read = [*self.key]
        for index in self.indexes:
            read += [*index.path, *(each for each in (index.by, index.fallback) if each)]
        uniques: list[dict[str, Any]] = []
        for unique in self.uniques:
            where = dict(_nulls(unique, unique.where))
            read += [*local(unique.columns), *where]
            uniques.append({"name": unique.name, "columns": local(unique.columns), "where": where})
        parents: list[dict[str, Any]] = []
        above: list[dict[str, Any]] = []
        for parent in self.spec.parents:
            if parent.references != ALL_TABLES[parent.table].key:
                raise StoreError(f"{self.spec.name}: a parent is known by its key, not by {parent.references}")
            read += local(parent.columns)
            named = {"table": parent.table, "columns": local(parent.columns)}
            if parent.enforced:
                parents.append(named)
            if parent.cascade:
                above.append(named)
        return {
            "table": self.spec.name,
            "name": self.name,
            "read": [VERSION, *dict.fromkeys(read)],
            "key": self.key,
            "x": [{"name": x.name, "path": x.path, "by": x.by, "fallback": x.fallback} for x in self.indexes],
            "u": uniques,
            "parents": parents,
            "above": above,
            "children": children,
            "ttl": None if self.seconds is None else self.seconds * 1000,
        }


class Layout:
    """Every table under a prefix. names: spec name -> physical name. ttl: table or family -> seconds."""

    def __init__(self, prefix: str, names: Mapping[str, str], ttl: Mapping[str, int]) -> None:
        self.prefix = prefix
        self.names = physical_names(names)
        self._ttl = ttl
        self._tables: dict[str, Table] = {}
        self._texts: dict[frozenset[str], str] = {}

    def table(self, name: str) -> Table:
        """The table. Raises `StoreError` for one that nobody declared."""
        table = self._tables.get(name)
        if table is None:
            spec = declared(name, ALL_TABLES)
            seconds = self._ttl.get(name.removeprefix(PREFIX), self._ttl.get(spec.family))
            table = self._tables[name] = Table(spec, self.names[name], seconds)
        return table

    def base(self, namespace: str, table: Table, tenant: Any) -> bytes:
        """The beginning of all keys that can change together with a record of this table."""
        whose = "" if tenant is None else f"/{_quoted(canonical(tenant)[1:-1])}"
        return f"{{{self.prefix}/{namespace}/{table.spec.family}{whose}}}".encode()

    def registry(self, namespace: str) -> bytes:
        """The beginning of the keys of what a namespace knows of itself."""
        return f"{{{self.prefix}/{namespace}}}".encode()

    def for_lua(self, tables: Iterable[str]) -> str:
        """These tables, and all of their families, as a table of Lua: name -> function that makes the description."""
        families = frozenset(_family(self.table(name).spec) for name in tables)
        chosen = frozenset(name for name, spec in ALL_TABLES.items() if _family(spec) in families)
        if chosen not in self._texts:
            # Functions: a script runs from its first line each time, and touches one or two of the tables.
            described = (
                f"[{_lua(name)}]=function() return {_lua(self.table(name).described(self._children(name)))} end"
                for name in sorted(chosen)
            )
            self._texts[chosen] = "{" + ",\n".join(described) + "}"
        return self._texts[chosen]

    def _children(self, name: str) -> list[dict[str, Any]]:
        return [
            {
                "table": child.name,
                "x": self.table(child.name).place_of(parent.columns),
                "cascade": parent.cascade,
                "holds": parent.enforced and not parent.cascade,
            }
            for child, parent in CHILDREN.get(name, ())
        ]


def _indexes(spec: TableSpec) -> tuple[Index, ...]:
    """The kernel's listings, and what finds the children of a parent where none of those does.

    Records that are listed within their leader are not listed by when they changed: nobody asks, and each entry costs.
    """
    kept = [each for each in listings(spec) if not (each.moves and spec.leader is not None)]
    found = [Index(local(each.path), each.by, each.fallback) for each in kept]
    for parent in spec.parents:
        path = local(parent.columns)
        if all(index.path != path for index in found):
            found.append(Index(path))
    return tuple(found)


def _family(spec: TableSpec) -> tuple[str, bool]:
    """What the tables have in common whose keys a cluster keeps together."""
    return spec.family, spec.key[0] == TENANT


def local(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns without the tenant's."""
    return tuple(column for column in columns if column != TENANT)


def _nulls(unique: Unique, where: Filter) -> Iterable[tuple[str, bool]]:
    """Column -> whether it must be null, which is all that a unique set may ask for the scripts to understand it."""
    match where:
        case Everything():
            return
        case And(filters=filters):
            for each in filters:
                yield from _nulls(unique, each)
        case IsNull(field=field) if not field.path:
            yield field.column, True
        case Not(filter=IsNull(field=field)) if not field.path:
            yield field.column, False
        case _:
            raise StoreError(f"{unique.name}: a unique set can depend on nulls, not on {where}")


def _quoted(text: str | bytes) -> str:
    """The text without braces, separators and anything else that a key of Redis gives a meaning to."""
    return quote_from_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"), safe="")


def _lua(value: Any) -> str:
    """The value as Lua writes it: names, numbers, booleans, lists and dicts of them; nulls are left out of dicts."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return '"' + "".join(c if c.isalnum() or c in "_|,.@%-" else f"\\{ord(c):03}" for c in value) + '"'
        case Mapping():
            pairs = (f"[{_lua(str(key))}]={_lua(each)}" for key, each in value.items() if each is not None)  # type: ignore[union-attr]
            return "{" + ",".join(pairs) + "}"
        case _:
            return "{" + ",".join(map(_lua, value)) + "}"
