"""All tables of a memory database, changed in transactions that leave nothing behind when they fail."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

from dbrouter.backends.kernel.completing import check_columns, key_in
from dbrouter.backends.kernel.filters import Filter, all_of, columns_of, eq
from dbrouter.backends.kernel.forking import lock, uncut
from dbrouter.backends.kernel.ops import Key
from dbrouter.backends.kernel.relating import (
    answer,
    answered,
    children_by_table,
    missing_parent,
    named_parent,
    related_in,
    still_referenced,
)
from dbrouter.backends.kernel.stored_form import encoded
from dbrouter.backends.kernel.tables import TableSpec, declared
from dbrouter.backends.memory.rows import Row, Rows


class MemoryState:
    """The rows of every table behind one lock. Inside `transaction`, all changes happen or none."""

    def __init__(self, tables: Mapping[str, TableSpec]) -> None:
        self.specs = tables
        self._children = children_by_table(tables)
        self.existing: set[str] = set()
        self._rows: dict[str, Rows] = {}
        self._versions = itertools.count(1)
        self._lock = lock()
        self._undo: list[tuple[str, Key, Row | None]] = []
        self._namespaces: dict[str, MemoryState] = {}

    def namespace(self, name: str) -> MemoryState:
        """The tables of that name's own, which live as long as these."""
        return self._namespaces.setdefault(name, MemoryState(self.specs))

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Exclusive use of all tables; an exception puts back what was changed."""
        with uncut(), self._lock:
            try:
                yield
            except BaseException:
                for table, key, before in reversed(self._undo):
                    self._rows[table].set(key, before)
                raise
            finally:
                self._undo.clear()

    def rows(self, table: str) -> Rows:
        """The rows of one table. Raises `StoreError` for a table nobody declared."""
        if table not in self._rows:
            self._rows[table] = Rows(self.spec(table))
        return self._rows[table]

    def spec(self, table: str) -> TableSpec:
        """The table's spec. Raises `StoreError` for a table nobody declared."""
        return declared(table, self.specs)

    def find(self, table: str, where: Filter) -> list[Row]:
        """The rows that match, `Related` included."""
        check_columns(self.spec(table), columns_of(where))
        return list(self.rows(table).matching(self.resolved(where)))

    def resolved(self, where: Filter) -> Filter:
        """The filter with every `Related` answered."""
        questions = list(related_in(where))
        if not questions:
            return where
        found = {each: [row.values[each.key] for row in self.find(each.table, each.where)] for each in questions}
        return answered(where, {each: answer(each, values) for each, values in found.items()})

    def write(self, table: str, record: Mapping[str, Any]) -> Row:
        """Keep a whole record. Raises `Duplicate` or `MissingParent` where the table declares it."""
        rows = self.rows(table)
        values = encoded(rows.spec, record)
        for parent in rows.spec.parents:
            named = named_parent(parent, values) if parent.enforced else None
            if named is not None and not self._exists(parent.table, parent.references, named):
                raise missing_parent(table, parent, named)
        row = Row(values, next(self._versions))
        self._set(table, key_in(rows.spec, values), row)
        self.existing.add(table)
        return row

    def remove(self, table: str, keys: Iterable[Key]) -> int:
        """Remove records with all that cascades from them; answers how many there were of `table` itself."""
        doomed: dict[tuple[str, Key], Row] = {}
        removed = sum(self._doom(table, key, doomed) for key in keys)
        for name, key in doomed:
            self._set(name, key, None)
        # Checked after all are gone, as SQL does: a record may go together with the one that names it.
        for (name, _), row in doomed.items():
            for child, parent in self._children.get(name, ()):
                values = tuple(row.values[column] for column in parent.references)
                if parent.enforced and not parent.cascade and self._exists(child.name, parent.columns, values):
                    raise still_referenced(name, child.name)
        return removed

    def _doom(self, table: str, key: Key, doomed: dict[tuple[str, Key], Row]) -> bool:
        row = self.rows(table).by_key.get(key)
        if row is None or (table, key) in doomed:
            return False
        doomed[table, key] = row
        for child, parent in self._children.get(table, ()):
            if parent.cascade:
                values = tuple(row.values[column] for column in parent.references)
                for each in self._with(child.name, parent.columns, values):
                    self._doom(child.name, key_in(child, each.values), doomed)
        return True

    def _exists(self, table: str, columns: tuple[str, ...], values: tuple[Any, ...]) -> bool:
        rows = self.rows(table)
        if columns == rows.spec.key:
            return values in rows.by_key
        return bool(self._with(table, columns, values))

    def _with(self, table: str, columns: tuple[str, ...], values: tuple[Any, ...]) -> list[Row]:
        if None in values:
            return []
        where = all_of(*(eq(column, value) for column, value in zip(columns, values, strict=True)))
        return list(self.rows(table).matching(where))

    def _set(self, table: str, key: Key, row: Row | None) -> None:
        before = self.rows(table).set(key, row)
        self._undo.append((table, key, before))
