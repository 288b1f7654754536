"""What every family is given: a store to speak to and a clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from dbrouter.backends.kernel.ops import Op
from dbrouter.backends.kernel.store import Store


def epoch_seconds() -> int:
    """The current time as agno writes it."""
    return int(time.time())


class Part(NamedTuple):
    """One of the parts that a store keeps apart. read_only: whether it refuses every write."""

    of: Hashable = None
    read_only: bool = False


WHOLE = Part()


def the_whole(_: Op[Any], /) -> Part:
    """The only part of a store that keeps nothing apart."""
    return WHOLE


OnConflict: TypeAlias = Literal["merge", "last_writer", "raise"]

Place: TypeAlias = tuple[str, Part]
"""Where rows are: the db's id and the part of its store. Versions of records mean something only where they were read,
and what is remembered between calls holds only there."""


@dataclass(frozen=True, slots=True)
class Context:
    """A store, a clock, and what becomes of session state that two writers changed.

    place: the db's id. part_of: the part of the store that an op is about. registered: what agno registers on the db.
    Families hold no state beside it but memories that are keyed by `place_of`, so one instance serves every thread and
    task.
    """

    store: Store
    now: Callable[[], int] = epoch_seconds
    on_conflict: OnConflict = "merge"
    place: str = ""
    part_of: Callable[[Op[Any]], Part] = the_whole
    registered: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def place_of(self, op: Op[Any]) -> Place:
        """Where the rows that an op is about are kept."""
        return (self.place, self.part_of(op))
