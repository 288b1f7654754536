"""Days and times that callers give as bounds: agno's classes take what their driver takes, and databases differ."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TypeVar

from dbrouter.router.families.trace_records import iso

S = TypeVar("S")


def day(given: object, name: str) -> date | None:
    """The day of a date, of a point in time (in UTC, as metrics' days are) or of ISO text; `None` for `None`.

    Postgres casts what agno's class sends, and this is what it makes of it. `ValueError` for other text, `TypeError`
    for what is no day; name: what the caller calls it.
    """
    match given:
        case None:
            return None
        case datetime():
            return (given if given.tzinfo is None else given.astimezone(UTC)).date()
        case date():
            return given
        case str():
            try:
                return day(datetime.fromisoformat(given), name)
            except ValueError as error:
                raise ValueError(f"`{name}` must be a date; {given!r} is no ISO text of one.") from error
        case _:
            raise TypeError(f"`{name}` must be a date; got {type(given).__name__}.")


def moment(given: object, name: str) -> str | None:
    """A point in time as the tables of traces hold it; `None` for `None`. `TypeError` for anything else."""
    if given is None:
        return None
    if not isinstance(given, datetime):
        raise TypeError(f"`{name}` must be a datetime; got {type(given).__name__}.")
    return iso(given)


def seconds(given: S, name: str) -> S:
    """Seconds since 1970; `None` for `None`. `TypeError` for anything else."""
    if given is not None and not isinstance(given, int | float):
        raise TypeError(f"`{name}` must be seconds since 1970; got {type(given).__name__}.")
    return given
