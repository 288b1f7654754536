"""Which filters SingleStore evaluates. Those that look into JSON are the kernel's: its functions are not MySQL's."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import Compare, Contains, Filter, HasItem, In, IsNull, Like, StartsWith
from dbrouter.backends.mysql import native_filters
from dbrouter.backends.mysql.native_filters import JSON_COLUMNS


def runs_natively(where: Filter) -> bool:
    """Whether SingleStore evaluates this filter, its parts aside, exactly as the reference does."""
    match where:
        case HasItem() | Like():
            return False
        case Contains(field=field) | StartsWith(field=field):
            return not field.path and field.column not in JSON_COLUMNS and native_filters.runs_natively(where)
        case Compare(field=field) | In(field=field) | IsNull(field=field):
            return not field.path
        case _:
            return True
