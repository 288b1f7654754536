"""What every family is given: a store to speak to and a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from dbrouter.backends.kernel.store import Store


def epoch_seconds() -> int:
    """The current time as agno writes it."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Context:
    """A store and a clock. Families hold nothing else, so one instance serves every thread and task."""

    store: Store
    now: Callable[[], int] = epoch_seconds
