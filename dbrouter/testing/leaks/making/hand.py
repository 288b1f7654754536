"""Whoever makes arguments: chance, the mark of the tenant that sends them, and the ids that all tenants use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeAlias

from dbrouter.testing.leaks.names import HOSTILE_IDS, USERS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RARELY = 0.2


@dataclass(frozen=True, slots=True)
class Hand:
    """Whoever makes arguments: a source of chance, the mark of the tenant that will send them, and the ids in use."""

    random: Random
    mark: str
    names: tuple[str, ...] = HOSTILE_IDS
    age: int = 0
    """Grows now and then. What can never be removed has its age in its id, else nothing would be new after a while."""

    def id(self) -> str:
        """An id that every tenant uses."""
        return self.random.choice(self.names)

    def maybe_id(self) -> str | None:
        """An id, or nothing."""
        return self.random.choice((*self.names, None, None))

    def user(self) -> str:
        """A user that every tenant has."""
        return self.random.choice(USERS)

    def maybe_user(self) -> str | None:
        """A user, or nobody."""
        return self.random.choice((*USERS, None, None, None, None))

    def ids(self) -> list[str]:
        """Some ids, each once."""
        return self.random.sample(self.names, self.random.randint(0, 4))

    def text(self) -> str:
        """A text of this tenant's."""
        return f"{self.mark} {self.id()}"

    def data(self) -> dict[str, Any]:
        """A JSON object of this tenant's."""
        return {"note": self.text(), "n": self.random.randint(0, 9), "list": [self.mark]}

    def moment(self) -> datetime:
        """A time of one day."""
        return NOON + timedelta(seconds=self.random.randint(0, 36_000))

    def second(self) -> int:
        """A time of that day in epoch seconds."""
        return int(self.moment().timestamp())

    def few(self) -> str:
        """One of few ids, so that what has to be there often is."""
        return self.random.choice(self.names[:4])

    def new(self) -> str:
        """One of few ids of this age, or any that was ever used without one."""
        return self.id() if self.rarely() else self.of_age()

    def of_age(self) -> str:
        """One of few ids of this age."""
        return f"{self.random.choice(self.names[:3])} {self.age}"

    def some_new(self) -> list[str]:
        """Ids of this age, each once."""
        return [f"{name} {self.age}" for name in self.names[:3]]

    def some(self) -> list[str]:
        """One id or more, each once."""
        return self.random.sample(self.names, self.random.randint(1, 4))

    def rarely(self) -> bool:
        """Yes, one time in five."""
        return self.random.random() < RARELY


Maker: TypeAlias = Callable[[Hand], Any]
Makers: TypeAlias = Mapping[str, Maker]
"""Parameter -> how to make one."""
Calls: TypeAlias = Mapping[str, Callable[[Hand], dict[str, Any]]]
"""Method -> arguments of it that belong together, and columns that it takes as keyword arguments."""
