"""One answer out of the answers of several databases, some of which can only be asked by agno's methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from dbrouter.router.any_agno.call import Call, value_of

Order = tuple[str, bool]
"""By what, and whether the largest comes first."""

MERGED: Mapping[str, Order | None] = {
    "get_sessions": ("created_at", False),
    "get_runs": ("created_at", False),
    "get_user_memories": ("created_at", False),
    "get_eval_runs": ("created_at", True),
    "get_all_memory_topics": None,
    "get_user_memory_stats": ("last_memory_updated_at", True),
}
"""Method that lists -> its order if none is asked for."""


def reaching(call: Call) -> Call:
    """The call for everything up to the end of its page: the page may lie wholly in any one database."""
    limit, page = call.arguments.get("limit"), call.arguments.get("page")
    if limit is None or (page is not None and page < 1):
        # A page without a limit, or one that cannot be, is refused by whoever is asked, in agno's own words.
        return call
    if call.method == "get_user_memory_stats":
        # What is counted of one user may be in several databases.
        return _with(call, limit=None, page=None)
    whole = _with(call, limit=limit * (page or 1), page=1)
    default = MERGED[call.method]
    if default is None or call.arguments.get("sort_by"):
        return whole
    # Asked for no order, a class answers the first of any; they must be the first of the order that all are put in.
    column, descending = default
    return _with(whole, sort_by=column, sort_order="desc" if descending else "asc")


def _with(call: Call, **arguments: Any) -> Call:
    return Call(table=call.table, method=call.method, arguments={**call.arguments, **arguments})


def merged(call: Call, answers: Sequence[Any]) -> Any:
    """The answer of all of them together."""
    if call.method == "get_all_memory_topics":
        return sorted({topic for answer in answers for topic in answer})
    if call.method == "get_user_memory_stats":
        return _page(call, _of_users(answers))
    if call.arguments.get("deserialize", True):
        return _page(call, [each for answer in answers for each in answer])[0]
    rows = [row for records, _ in answers for row in records]
    return _page(call, rows)[0], sum(total for _, total in answers)


def _of_users(answers: Sequence[Any]) -> list[dict[str, Any]]:
    users: dict[Any, dict[str, Any]] = {}
    for records, _ in answers:
        for row in cast("list[dict[str, Any]]", records):
            known = users.setdefault(row["user_id"], {**row, "total_memories": 0})
            known["total_memories"] += row["total_memories"]
            latest = "last_memory_updated_at"
            known[latest] = max(
                known[latest], row[latest], key=lambda each: (each is not None, *_comparable(latest, each))
            )
    return list(users.values())


def _page(call: Call, rows: list[Any]) -> tuple[list[Any], int]:
    limit, page = call.arguments.get("limit"), call.arguments.get("page") or 1
    ordered = _sorted(call, rows)
    return (ordered if limit is None else ordered[(page - 1) * limit : page * limit]), len(rows)


def _sorted(call: Call, rows: list[Any]) -> list[Any]:
    asked, way = call.arguments.get("sort_by"), call.arguments.get("sort_order")
    default = MERGED[call.method]
    column, descending = (asked, getattr(way, "value", way) != "asc") if asked else cast("Order", default)
    if asked and not any(value_of(row, asked) is not None for row in rows):
        return rows
    return sorted(rows, key=_by(column), reverse=descending)


def _by(column: str) -> Callable[[Any], tuple[bool, bool, Any]]:
    def key(row: Any) -> tuple[bool, bool, Any]:
        value = value_of(row, column)
        if value is None and column == "updated_at":
            value = value_of(row, "created_at")
        # Nothing counts as larger than everything, as in the rest of the router.
        return value is None, *_comparable(column, value)

    return key


def _comparable(column: str, value: Any) -> tuple[bool, Any]:
    """Whether it is text, which comes last, and the value such that those of one column can be compared.

    Some classes write times as text. Other text is text, though it may look like a time.
    """
    if isinstance(value, datetime):
        return False, value.timestamp()
    if isinstance(value, str):
        if column.endswith("_at"):
            with suppress(ValueError):
                return False, datetime.fromisoformat(value).timestamp()
        return True, value
    return False, 0 if value is None else value
