"""Which columns no two records share, and the error when they would.

agno's REST routes answer 409 on SQLAlchemy's `IntegrityError` and 500 on anything else, so where SQLAlchemy is
installed a `Duplicate` is both.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.matching import matches
from dbrouter.backends.kernel.tables import TableSpec, Unique


def duplicate(table: str, columns: Sequence[str], cause: BaseException | None = None) -> Duplicate:
    """The error to raise when another record of `table` has the same values in `columns`. Raise it `from` the cause."""
    named = ", ".join(columns) or "a unique set"
    message = f"{table}: another record has the same {named}; change the value or update that record"
    error: Duplicate = _duplicate_class()(message, cause)
    error.columns = tuple(columns)
    return error


def uniques_of(spec: TableSpec) -> tuple[Unique, ...]:
    """Every unique set of a table beside its key: declared for the table or on a column."""
    on_columns = (
        Unique(name=f"uq_{spec.name}_{column.name}", columns=(column.name,)) for column in spec.columns if column.unique
    )
    return (*on_columns, *spec.uniques)


def unique_values(unique: Unique, record: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What the record takes in the unique set, or `None` if it takes nothing (a null part, or outside `where`)."""
    values = tuple(record.get(column) for column in unique.columns)
    return None if None in values or not matches(unique.where, record) else values


@lru_cache(maxsize=1)
def _duplicate_class() -> Any:
    try:
        integrity_error = importlib.import_module("sqlalchemy.exc").IntegrityError
    except ModuleNotFoundError:
        return _PlainDuplicate

    class IntegrityDuplicate(Duplicate, integrity_error):  # type: ignore[misc, valid-type]  # known only at run time
        """A `Duplicate` that SQLAlchemy's callers recognise too."""

        def __init__(self, message: str, cause: BaseException | None) -> None:
            integrity_error.__init__(self, None, None, cause if cause is not None else Duplicate(message))
            self.args = (message,)

        def __str__(self) -> str:
            return str(self.args[0])

        def __reduce__(self) -> tuple[Any, ...]:
            return (_again, (self.args[0], self.columns))

    return IntegrityDuplicate


class _PlainDuplicate(Duplicate):
    def __init__(self, message: str, _cause: BaseException | None = None) -> None:
        super().__init__(message)


def _again(message: str, columns: tuple[str, ...]) -> Duplicate:
    """An unpickled duplicate: the class is built at run time and has no name to import."""
    error: Duplicate = _duplicate_class()(message, None)
    error.columns = columns
    return error
