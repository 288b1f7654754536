"""Whether records are still where they were seen, and which records a deletion is about: what memory has to be told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import product
from typing import Any, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.filters import And, Compare, Comparison, Field, Filter, In, one_of
from dbrouter.backends.kernel.ops import Key, Scan
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.router.directory import Directory
from dbrouter.router.gathering import raise_first

LOOSE: Mapping[str, tuple[TableSpec, ...]] = {
    leader: tuple(
        spec
        for spec in TABLES.values()
        if spec.leader == leader and not any(each.enforced and each.table == leader for each in spec.parents)
    )
    for leader in TABLES
}
"""Table -> those whose records follow its records and may be stored first: no database says that one is missing."""


class Confirming:
    """Asks a database whether what was seen there is still there."""

    # Each tenant's store has some.
    __slots__ = ("_databases", "_directory", "_runtime")

    def __init__(self, databases: Mapping[str, Store], directory: Directory, runtime: Runtime) -> None:
        self._databases = databases
        self._directory = directory
        self._runtime = runtime

    async def lost(self, table: str, name: str, keys: Collection[Key]) -> list[Key]:
        """Which of these records are not in that database, nor anything that follows them. They are forgotten.

        One request; another for each table that may hold what follows, where a record is not there.
        """
        (column,) = TABLES[table].key
        missing = {key[0] for key in keys}
        missing -= await self._found(name, table, column, missing)
        if missing and LOOSE[table]:
            missing -= await self._followed(name, table, missing)
        for value in missing:
            self._directory.forget(table, (value,))
        return [(value,) for value in missing]

    async def _followed(self, name: str, table: str, values: set[Any]) -> set[Any]:
        outcomes = await self._runtime.gather(
            [lambda each=each: self._found(name, each.name, cast("str", each.follows), values) for each in LOOSE[table]]
        )
        # A database that cannot be asked for such records has none.
        raise_first([each for each in outcomes if not isinstance(each, Unsupported)])
        return {value for each in outcomes if not isinstance(each, BaseException) for value in each}

    async def _found(self, name: str, table: str, column: str, values: set[Any]) -> set[Any]:
        """Which of these values records of the table have there."""
        scan = Scan(table=table, where=one_of(column, sorted(values)), columns=(column,))
        return {record[column] for record in (await self._databases[name].execute(scan)).records}


def keys_named(table: str, where: Filter) -> list[Key] | None:
    """The keys of all that the filter can match, if it names them; `None` if it may match others too."""
    values = [_values(where, column) for column in TABLES[table].key]
    named = [each for each in values if each is not None]
    return list(product(*named)) if len(named) == len(values) else None


def _values(where: Filter, column: str) -> tuple[Any, ...] | None:
    match where:
        case Compare(field=Field(column=named, path=()), comparison=Comparison.EQ, value=value) if named == column:
            return (value,)
        case In(field=Field(column=named, path=()), values=values) if named == column:
            return values
        case And(filters=filters):
            return next((values for each in filters if (values := _values(each, column)) is not None), None)
        case _:
            return None
