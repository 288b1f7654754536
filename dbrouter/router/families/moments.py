"""Days and times that callers give as bounds: agno's classes take what their driver takes, and databases differ."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from dbrouter.router.families.trace_records import iso

S = TypeVar("S")
DAY = len("2026-01-10")


def first_day(given: object, name: str) -> date | None:
    """The first day that begins then or later, of a date, a point in time or ISO text of either; `None` for `None`.

    Days are those of metrics, in UTC. So agno's class on Postgres reads a point in time, in a session in UTC.
    `ValueError` for other text, `TypeError` for what is no time; name: what the caller calls it.
    """
    begun = _begun(given, name)
    if isinstance(begun, datetime):
        return begun.date() + timedelta(days=begun.time() > time.min)
    return begun


def last_day(given: object, name: str) -> date | None:
    """The last day that begins then or earlier; given and raises as for `first_day`."""
    begun = _begun(given, name)
    return begun.date() if isinstance(begun, datetime) else begun


def _begun(given: object, name: str) -> date | datetime | None:
    match given:
        case datetime():
            return given if given.tzinfo is None else given.astimezone(UTC)
        case None | date():
            return given
        case str():
            try:
                return date.fromisoformat(given) if len(given) <= DAY else _begun(datetime.fromisoformat(given), name)
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
