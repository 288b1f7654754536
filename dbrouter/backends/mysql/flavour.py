"""Which of MySQL's relatives a server is: decided once, from what it says of itself when a connection opens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dbrouter.backends.kernel.errors import Unsupported


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """What differs between the relatives. oldest: the first version that has what we ask for.

    collation: that which compares and sorts text by code point and takes blanks at the end for characters.
    """

    name: str
    oldest: tuple[int, ...]
    collation: str
    inserts_return: bool
    names_incoming_row: bool


MARIADB = Flavour(
    name="MariaDB",
    oldest=(10, 9),  # JSON_OVERLAPS
    collation="utf8mb4_nopad_bin",
    inserts_return=True,
    names_incoming_row=False,
)
MYSQL = Flavour(
    name="MySQL",
    oldest=(8, 0, 19),  # the name for an upsert's incoming row
    collation="utf8mb4_0900_bin",
    inserts_return=False,
    names_incoming_row=True,
)


def flavour_of(version: str) -> Flavour:
    """The flavour of a server that greets with this version. Raises `Unsupported` for one that is too old."""
    flavour = MARIADB if "mariadb" in version.lower() else MYSQL
    # MariaDB puts 5.5.5 before its own version, for old replicas.
    numbers = re.search(r"\d+(?:\.\d+)+", version.removeprefix("5.5.5-"))
    parts = tuple(map(int, numbers[0].split("."))) if numbers else ()
    if parts < flavour.oldest:
        oldest = ".".join(map(str, flavour.oldest))
        raise Unsupported(f"the server is {flavour.name} {version}; {flavour.name} {oldest} or newer is needed")
    return flavour


class Server:
    """The server behind a store's connections, as far as it is known."""

    def __init__(self, flavour: Flavour | None = None) -> None:
        self._flavour = flavour
        # As a server on Windows does: it lists tables in small letters, whatever they were made with.
        self.folds_names = False

    def met(self, version: str) -> None:
        """A connection has opened, and the server said this of itself."""
        if self._flavour is None:
            self._flavour = flavour_of(version)

    @property
    def flavour(self) -> Flavour:
        """Its flavour. Every store asks for its tables first, so statements are only made when it is known."""
        if self._flavour is None:
            raise AssertionError("a statement was made before any connection was opened")
        return self._flavour
