"""How records of one table depend on records of another: `Related` filters, parents and children."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from dbrouter.backends.kernel.errors import MissingParent
from dbrouter.backends.kernel.filters import And, Field, Filter, In, Not, Or, Related
from dbrouter.backends.kernel.tables import Parent, TableSpec


def related_in(where: Filter) -> Iterator[Related]:
    """The questions to other tables that the filter asks; those inside a question's own filter are not unfolded."""
    match where:
        case Related():
            yield where
        case And(filters=filters) | Or(filters=filters):
            for each in filters:
                yield from related_in(each)
        case Not(filter=inner):
            yield from related_in(inner)
        case _:
            return


def answered(where: Filter, answers: Mapping[Related, In]) -> Filter:
    """The filter with each question that is answered replaced by its answer."""
    match where:
        case Related():
            return answers.get(where, where)
        case And(filters=filters):
            return And(tuple(answered(each, answers) for each in filters))
        case Or(filters=filters):
            return Or(tuple(answered(each, answers) for each in filters))
        case Not(filter=inner):
            return Not(answered(inner, answers))
        case _:
            return where


def answer(question: Related, found: Iterable[Any]) -> In:
    """What a question became, from the values found in the other table. Nulls relate to nothing."""
    return In(Field(question.column), tuple(dict.fromkeys(value for value in found if value is not None)))


Children: TypeAlias = Mapping[str, tuple[tuple[TableSpec, Parent], ...]]
"""Table -> the tables that declare it as a parent, with the declarations."""


def children_by_table(tables: Mapping[str, TableSpec]) -> Children:
    """The children of every table that has some."""
    found: dict[str, list[tuple[TableSpec, Parent]]] = {}
    for spec in tables.values():
        for parent in spec.parents:
            found.setdefault(parent.table, []).append((spec, parent))
    return {table: tuple(children) for table, children in found.items()}


def named_parent(parent: Parent, record: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What the record says its parent's `references` are; `None` if a part is null: then it names no parent."""
    values = tuple(record[column] for column in parent.columns)
    return None if None in values else values


def missing_parent(table: str, parent: Parent, values: tuple[Any, ...]) -> MissingParent:
    """The error for a record whose parent is not stored."""
    named = ", ".join(f"{column}={value!r}" for column, value in zip(parent.references, values, strict=True))
    return MissingParent(f"{table}: there is no {parent.table} record with {named}; write it first")


def still_referenced(table: str, child: str) -> MissingParent:
    """The error for a parent that was to be removed while a record that does not cascade names it."""
    return MissingParent(f"{table}: {child} records still name the record to remove; remove them first")
