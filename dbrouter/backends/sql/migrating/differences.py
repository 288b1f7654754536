"""What a table of an older agno lacks of today's, as steps. Pure: it compares what is with what should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.identifiers import fitting
from dbrouter.backends.kernel.migrating import SUPERSEDED, TODAY, Step, Work, agnos, is_older
from dbrouter.backends.kernel.tables import Kind, TableSpec
from dbrouter.backends.sql.migrating.changes import Changes
from dbrouter.backends.sql.migrating.shape import TableShape

if TYPE_CHECKING:
    from sqlalchemy import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A table as its spec has it (`wanted`, of SQLAlchemy), and as it was found. stamp: the version it carries."""

    spec: TableSpec
    physical: str
    wanted: Table
    found: TableShape
    stamp: str

    def step(self, work: Work, name: str = "") -> Step:
        """A step on this table."""
        return Step(work=work, table=self.spec.name, physical=self.physical, name=name)


def shape_steps(table: Compared, changes: Changes) -> Iterator[Step]:
    """What changes the table's shape, in the order in which it can be done."""
    for column in table.spec.columns:
        if column.name not in table.found.columns:
            yield table.step(Work.COLUMN, column.name)
        elif column.kind is Kind.JSON and table.found.columns[column.name] in changes.outdated_types:
            yield table.step(Work.TYPE, column.name)
    if changes.constraints and not table.found.has_key:
        yield table.step(Work.KEY, ", ".join(table.spec.key))
    yield from _unique_steps(table)
    for name, columns, partial in indexes_of(table):
        if not table.found.finds(name, columns, partial=partial):
            yield table.step(Work.INDEX, name)


def stamp_steps(table: Compared) -> Iterator[Step]:
    """What is written once everything else is done, so that an interrupted migration is not taken for a whole one."""
    if agnos(table.spec.name) and table.spec.name != "versions" and is_older(table.stamp):
        if table.spec.name == "learnings":
            yield table.step(Work.LEARNINGS)
        yield table.step(Work.STAMP, TODAY)


def superseded(table: Compared) -> list[str]:
    """The names of unique sets that would refuse what is written today.

    Found by their columns: a table that was renamed has them under its old name.
    """
    columns = SUPERSEDED.get(table.spec.name)
    if columns is None:
        return []
    wanted = sorted(columns)
    return [name for name, each in table.found.indexes.items() if each.unique and sorted(each.columns) == wanted]


def uniques_of(table: Compared) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name and columns of each unique set that counts every row."""
    from sqlalchemy import UniqueConstraint

    for constraint in table.wanted.constraints:
        if isinstance(constraint, UniqueConstraint):
            columns = tuple(column.name for column in constraint.columns)
            # A stand-in is a column of our own tables on MySQL; agno's have no such set there.
            if all(table.spec.has(each) for each in columns):
                yield str(constraint.name or fitting(f"{table.physical}_{'_'.join(columns)}_key")), columns


def indexes_of(table: Compared) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """Name and columns of each index, and whether it leaves rows out."""
    for index in sorted(table.wanted.indexes, key=lambda each: str(each.name)):
        yield str(index.name), tuple(str(column.name) for column in index.columns), _is_partial(index)


def _unique_steps(table: Compared) -> Iterator[Step]:
    old = superseded(table)
    if old:
        yield table.step(Work.OWNERS, ", ".join(old))
    for name, columns in uniques_of(table):
        covered = table.found.keeps_apart(columns) or (bool(old) and table.spec.name in SUPERSEDED)
        if not covered and len(columns) > 1:
            yield table.step(Work.UNIQUE, name)


def _is_partial(index: Any) -> bool:
    return any(options.get("where") is not None for options in index.dialect_options.values())
