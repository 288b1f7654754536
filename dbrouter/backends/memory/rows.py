"""One table's rows: encoded, versioned, with the lookups that uniqueness and equality need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.kernel.completing import json_columns, key_in
from dbrouter.backends.kernel.duplicates import duplicate, unique_values, uniques_of
from dbrouter.backends.kernel.filters import Filter, columns_of, pinned
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Key
from dbrouter.backends.kernel.stored_form import decoded
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.kernel.tenant_tables import TENANT


@dataclass(frozen=True, slots=True)
class Row:
    """A record as it is kept: JSON columns as the codec's text, so that no caller shares a value with the store."""

    values: Record
    version: int


class Rows:
    """The rows of one table by key. Not thread-safe: the store's lock guards it."""

    def __init__(self, spec: TableSpec) -> None:
        self.spec = spec
        self.by_key: dict[Key, Row] = {}
        self._json = json_columns(spec)
        self._uniques = uniques_of(spec)
        self._takers: dict[str, dict[tuple[Any, ...], Key]] = {unique.name: {} for unique in self._uniques}
        # Column -> value -> keys, in order of arrival.
        self._lookups: dict[str, dict[Any, dict[Key, None]]] = {column: {} for column in _looked_up(spec)}

    def set(self, key: Key, row: Row | None) -> Row | None:
        """Put or remove one row and answer the one before. Raises `Duplicate`, changing nothing."""
        before = self.by_key.get(key)
        taken = {} if row is None else self._taken(key, row)
        if before is not None:
            for name, values in self._taken(None, before).items():
                self._takers[name].pop(values, None)
            for column, lookup in self._lookups.items():
                _forget(lookup, before.values[column], key)
        if row is None:
            self.by_key.pop(key, None)
            return before
        self.by_key[key] = row
        for name, values in taken.items():
            self._takers[name][values] = key
        for column, lookup in self._lookups.items():
            lookup.setdefault(row.values[column], {})[key] = None
        return before

    def matching(self, where: Filter) -> Iterator[Row]:
        """The rows that match. `Related` must have been resolved before."""
        read = frozenset(columns_of(where)) & self._json
        for row in self._candidates(where):
            visible = row.values | decoded(self.spec, row.values, read) if read else row.values
            if matches(where, visible):
                yield row

    def key_where(self, columns: tuple[str, ...], record: Mapping[str, Any]) -> Key | None:
        """The key of the row with the same values in a unique set; nulls equal nothing."""
        if columns == self.spec.key:
            key = key_in(self.spec, record)
            return key if key in self.by_key else None
        for unique in self._uniques:
            if unique.columns == columns and (values := unique_values(unique, record)) is not None:
                return self._takers[unique.name].get(values)
        return None

    def _candidates(self, where: Filter) -> Iterable[Row]:
        fixed = pinned(where)
        for column, lookup in self._lookups.items():
            if column in fixed:
                return [self.by_key[key] for key in lookup.get(fixed[column], ())]
        return list(self.by_key.values())

    def _taken(self, key: Key | None, row: Row) -> dict[str, tuple[Any, ...]]:
        """Unique set -> values of the row in it; with a key, raises if another row has them."""
        taken: dict[str, tuple[Any, ...]] = {}
        for unique in self._uniques:
            values = unique_values(unique, row.values)
            if values is None:
                continue
            if key is not None and self._takers[unique.name].get(values, key) != key:
                raise duplicate(self.spec.name, unique.columns)
            taken[unique.name] = values
        return taken


def _looked_up(spec: TableSpec) -> tuple[str, ...]:
    """The columns by which rows are found: leading columns of the key and the indexes, and those of parents."""
    indexed = [column.name for column in spec.columns if column.index]
    led = [spec.key, *(index.columns for index in spec.indexes), *(parent.columns for parent in spec.parents)]
    # Of a table that tenants share, the column after the tenant finds fewer rows than the tenant.
    leading = [columns[1 if columns[0] == TENANT else 0] for columns in led]
    return tuple(dict.fromkeys((*leading, *indexed, spec.key[0])))


def _forget(lookup: dict[Any, dict[Key, None]], value: Any, key: Key) -> None:
    keys = lookup[value]
    del keys[key]
    if not keys:
        del lookup[value]
