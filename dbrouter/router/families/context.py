"""What every family is given: a store to speak to and a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dbrouter.backends.kernel.store import Store


def epoch_seconds() -> int:
    """The current time as agno writes it."""
    return int(time.time())


OnConflict: TypeAlias = Literal["merge", "last_writer", "raise"]


@dataclass(frozen=True, slots=True)
class Context:
    """A store, a clock, and what becomes of session state that two writers changed.

    place: the db's id. Versions of records mean something only where they were read.
    Families hold no state beside it but caches, so one instance serves every thread and task.
    """

    store: Store
    now: Callable[[], int] = epoch_seconds
    on_conflict: OnConflict = "merge"
    place: str = ""
