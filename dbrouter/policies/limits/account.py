"""How much of something is stored and how much may be, from a count that is a little old and what was added since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

SHARE = 32
"""A process adds at most one part in so many of the limit before it counts again."""

LIFETIME = 10.0
"""Seconds after which a count is made anew, whatever was added."""

REFUSED_FOR = 1.0
"""Seconds that a full account refuses without counting again: others may have deleted meanwhile, but a tenant that
keeps trying must not make the database count for every try."""


class Verdict(Enum):
    """What is known of an addition."""

    FITS = "it fits, and is entered"
    UNKNOWN = "it takes a new count to say"
    TOO_MUCH = "it does not fit"


@dataclass(frozen=True, slots=True)
class Counting:
    """What the account stood at when a count began."""

    entered: int
    removals: int
    at: float


class Account:
    """Rows, or bytes, of one family of one tenant. Not for several threads at once: its owner has a lock.

    What is entered is an upper bound: a replaced record counts as another one until the next count. So what this
    process adds never goes over the limit; what other processes add since its last count it does not know, and neither
    adds more than `slack` then. With several processes the limit can thus be passed, for each process but one, by
    `slack` or by what it has under way at that moment, whichever is more.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self.limit = limit
        self.slack = max(1, limit // SHARE)
        self._clock = clock
        self._entered = 0
        self._under_way = 0
        self._removals = 0
        self._counted = 0
        self._as_of: Counting | None = None

    @property
    def stored(self) -> int:
        """At most so much is stored, as far as this process knows."""
        return self._counted + (0 if self._as_of is None else self._entered - self._as_of.entered)

    def enter(self, amount: int, *, just_counted: bool = False) -> Verdict:
        """Enter an addition if it fits; then `end` must follow. just_counted: do not ask for another count."""
        as_of = self._as_of
        if as_of is None or (self._clock() - as_of.at > LIFETIME and not just_counted):
            return Verdict.UNKNOWN
        since = self._entered - as_of.entered
        if self._counted + since + amount <= self.limit and (just_counted or since + amount <= self.slack):
            self._entered += amount
            self._under_way += amount
            return Verdict.FITS
        exact = since == 0 and as_of.removals == self._removals and self._clock() - as_of.at <= REFUSED_FOR
        return Verdict.TOO_MUCH if just_counted or (exact and self._counted + amount > self.limit) else Verdict.UNKNOWN

    def end(self, amount: int, *, stored: bool) -> None:
        """An addition is over. stored: false only if certainly nothing of it was."""
        self._under_way -= amount
        if not stored:
            self._entered -= amount

    def removed(self) -> None:
        """Something was removed: who was refused may fit now."""
        self._removals += 1

    def begin_count(self) -> Counting:
        """Before asking: what is under way may or may not be in the answer, so it is added to it."""
        return Counting(self._entered - self._under_way, self._removals, self._clock())

    def count(self, counted: int, begun: Counting) -> None:
        """The answer."""
        if self._as_of is None or begun.at >= self._as_of.at:
            self._counted = counted
            self._as_of = begun
