"""The filter of an access path, taken apart: what drivers get to see that filter nothing themselves."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.filters import And, Compare, Comparison, Everything, Field, Filter, In


@dataclass(frozen=True, slots=True)
class Path:
    """Columns, and the values that they are asked for together: several where those of a column are alternatives."""

    columns: tuple[str, ...]
    ways: tuple[tuple[Any, ...], ...]

    def along(self, columns: Sequence[str]) -> tuple[tuple[Any, ...], ...]:
        """The values of these columns of the path, in this order, each once."""
        at = [self.columns.index(column) for column in columns]
        return tuple(dict.fromkeys(tuple(way[each] for each in at) for way in self.ways))

    def is_of(self, columns: Sequence[str]) -> bool:
        """Whether it names exactly these columns, in whatever order."""
        return len(columns) == len(self.columns) and set(columns) == set(self.columns)


def path_of(where: Filter) -> Path:
    """The path that a filter of equalities names; that of everything has no columns, and one way.

    Raises `Unsupported` for any other filter.
    """
    named: dict[str, tuple[Any, ...]] = {}
    for each in where.filters if isinstance(where, And) else () if isinstance(where, Everything) else (where,):
        match each:
            case Compare(field=Field(column=column, path=()), comparison=Comparison.EQ, value=value):
                named[column] = (value,)
            case In(field=Field(column=column, path=()), values=values):
                named[column] = tuple(dict.fromkeys(values))
            case _:
                raise Unsupported(f"records are found along a path of columns here, not where {where}")
    return Path(tuple(named), tuple(itertools.product(*named.values())))
