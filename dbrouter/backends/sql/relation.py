"""A table as one database has it: names quoted once, columns with their kinds, records to parameters and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from dbrouter.backends.kernel.codec import decode, decode_text, encode, encode_text, shown
from dbrouter.backends.kernel.errors import StoreError, TooLarge, Unstorable
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.tables import Kind, TableSpec
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.floats import with_fractions
from dbrouter.backends.sql.statements import Row
from dbrouter.backends.sql.whole_numbers import holds

TEXTUAL: Final = frozenset({Kind.STRING, Kind.NOTE, Kind.TEXT})
NUMERIC: Final = frozenset({Kind.BIGINT, Kind.INTEGER})


class Relation:
    """The physical table of a spec. Built once per store and table."""

    def __init__(self, spec: TableSpec, physical: str, dialect: Dialect) -> None:
        self.spec = spec.without(dialect.name)
        self.physical = physical
        self.dialect = dialect
        self.table = dialect.qualified(physical)
        # Whether the table was made by somebody whose text columns do not compare by code point. The catalog finds out.
        self.loose = False
        self.kinds: dict[str, Kind] = {column.name: column.kind for column in self.spec.columns}
        self.nullable = frozenset(column.name for column in self.spec.columns if column.nullable)
        self._json_null = frozenset(
            name
            for column in self.spec.columns
            if column.json_null
            for name in (column.name, dialect.quoted(column.name))
        )
        self.defaults = {column.name: column.default for column in self.spec.columns if column.default is not None}
        longest = {column.name: dialect.longest(column, self.spec) for column in self.spec.columns}
        self._longest = {name: each for name, each in longest.items() if each is not None}
        self._quoted = {name: dialect.quoted(name) for name in self.kinds}
        self.reader = lru_cache(maxsize=64)(self._reader)
        self.selection = lru_cache(maxsize=64)(self._selection)

    def quoted(self, column: str) -> str:
        """The column's quoted name; `StoreError` if the table has no such column."""
        try:
            return self._quoted[column]
        except KeyError:
            known = ", ".join(self.kinds)
            raise StoreError(f"table {self.spec.name} has no column {column!r}; it has {known}") from None

    def of_table(self, column: str) -> str:
        """The column qualified with the table."""
        return f"{self.table}.{self.quoted(column)}"

    def _selection(self, columns: tuple[str, ...], alias: str | None = None) -> str:
        prefix = self.table if alias is None else alias
        return ", ".join(
            self.dialect.output(f"{prefix}.{self.quoted(column)}", self.kinds[column]) for column in columns
        )

    @property
    def version(self) -> str | None:
        """The expression of a row's version; `None` if the row itself is it."""
        return self.dialect.version(self.table, tuple(self._quoted.values()))

    @property
    def version_is(self) -> str:
        """The condition, with one placeholder, that a row still has this version."""
        return self.dialect.version_is(self.table, tuple(self._quoted.values()))

    @property
    def uniques(self) -> bool:
        """Whether records must differ in more than their key."""
        return self.dialect.keeps_uniques and (
            bool(self.spec.uniques) or any(column.unique for column in self.spec.columns)
        )

    def written(self, column: str, value: Any) -> Any:
        """A value as it is written. Raises `Unstorable` or `TooLarge`, naming the column, if it does not fit there."""
        given = self.param(column, value)
        longest = self._longest.get(column)
        if longest is not None and isinstance(given, str) and not longest.takes(given):
            unit = "bytes" if longest.in_bytes else "characters"
            raise TooLarge(
                f"{self.spec.name}.{column} takes {longest.limit} {unit} on {self.dialect.name}, not a text of"
                f" {len(given)} characters; nothing was written"
            )
        return given

    def param(self, column: str, value: Any) -> Any:
        """A record's value as the driver takes it. Raises `Unstorable`, naming the column, if it does not fit."""
        kind = self.kinds[column] if column in self.kinds else self.kinds[self.quoted(column)]
        if value is None and column not in self._json_null:
            return None
        if kind is Kind.JSON:
            text = encode(value, what=f"{self.spec.name}.{column}")
            text = with_fractions(value, text) if self.dialect.writes_out_floats else text
            return self.dialect.to_database(kind, text)
        return self.dialect.to_database(kind, self._fitting(column, kind, value))

    def _fitting(self, column: str, kind: Kind, value: Any) -> Any:
        if isinstance(value, Enum):
            value = value.value
        if kind in TEXTUAL:
            if isinstance(value, str):
                return encode_text(str(value))
        elif kind in NUMERIC:
            if isinstance(value, int | float) and holds(value):
                return round(value)
        elif kind is Kind.BOOLEAN:
            if isinstance(value, bool) or value in (0, 1):
                return bool(value)
        elif kind is Kind.DATE:
            if isinstance(value, date):
                return value
            if isinstance(value, str):
                return date.fromisoformat(value)
        else:
            return value
        raise Unstorable(
            f"{self.spec.name}.{column} holds {kind.value}, not {type(value).__name__} ({shown(value)}); "
            "nothing was written"
        )

    def completed(self, record: Mapping[str, Any]) -> Record:
        """The record with defaults; `StoreError` names an unknown column or a missing required one."""
        for column in record:
            self.quoted(column)
        full = {**self.defaults, **record}
        for column in self.kinds:
            if column not in self.nullable and full.get(column) is None:
                raise StoreError(f"{self.spec.name}.{column} must not be null; nothing was written")
        return full

    def _reader(self, columns: tuple[str, ...], raw: frozenset[str] = frozenset()) -> Any:
        """A function from a row of these columns to a record."""
        decoders = [self._decoder(column, raw) for column in columns]
        # A row is turned into a record on every read: keep to one comprehension.
        pairs = tuple(zip(columns, decoders, strict=True))

        def record(row: Row) -> Record:
            return {
                name: (value if value is None or decoder is None else decoder(value))
                for (name, decoder), value in zip(pairs, row, strict=False)
            }

        return record

    def _decoder(self, column: str, raw: frozenset[str]) -> Any:
        kind = self.kinds[column]
        if kind is Kind.JSON:
            return None if column in raw else decode
        if kind in TEXTUAL:
            return decode_text
        return self.dialect.from_database(kind)


def in_order(columns: Iterable[str], relation: Relation) -> tuple[str, ...]:
    """These columns in the table's declared order."""
    wanted = set(columns)
    for column in wanted:
        relation.quoted(column)
    return tuple(column for column in relation.kinds if column in wanted)
