"""Which server has which keys: one server has all, the servers of a cluster share them by slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Address: TypeAlias = tuple[str, int] | None
"""A server; `None` where there is only one, whatever its address."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A server says that another one has the keys now. once: only for this command, which must be announced to it."""

    to: Address
    slot: int
    once: bool


class Slots:
    """The servers of a cluster, as far as they are known. start: where to ask first."""

    def __init__(self, start: Sequence[tuple[str, int]]) -> None:
        self._start = tuple(start)
        self._owners: dict[int, tuple[str, int]] = {}
        # Those configured may be gone by now: whoever was there once may still know.
        self._seen: dict[tuple[str, int], None] = {}

    def of(self, base: bytes) -> tuple[str, int] | None:
        """The server that has the keys with this beginning, if one is known."""
        from redis.crc import key_slot

        return self._owners.get(key_slot(base))

    def owners(self) -> tuple[tuple[str, int], ...]:
        """Every server that has slots."""
        return tuple(dict.fromkeys(self._owners.values()))

    def candidates(self) -> tuple[tuple[str, int], ...]:
        """Servers that may know who has what: those known, then those configured."""
        return tuple(dict.fromkeys((*self._seen, *self._start)))

    def learn(self, answer: Any, asked: tuple[str, int]) -> None:
        """Take over what a server answered to `CLUSTER SLOTS`."""
        owners: dict[int, tuple[str, int]] = {}
        for first, last, owner, *_ in answer:
            host = owner[0].decode() if owner[0] else asked[0]
            owners.update(dict.fromkeys(range(first, last + 1), (host or asked[0], int(owner[1]))))
        self._owners = owners
        self._seen = dict.fromkeys(owners.values())

    def moved(self, move: Moved) -> None:
        """Take over what a server said of one slot."""
        if not move.once and move.to is not None:
            self._owners[move.slot] = move.to

    def forget(self) -> None:
        """Know nothing any more: a server did not answer, and another may have its slots by now."""
        self._owners = {}


def moved(error: Any, asked: Address) -> Moved | None:
    """What an error says about another server, if it is of that kind."""
    name = type(error).__name__
    if name not in ("MovedError", "AskError"):
        return None
    host = error.host or (asked[0] if asked is not None else "")
    return Moved((host, int(error.port)), int(error.slot_id), name == "AskError")
