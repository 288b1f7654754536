"""Where records are known to be: a bounded memory from a table's key to the database that holds it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from dbrouter.backends.kernel.forking import lock
from dbrouter.backends.kernel.ops import Key

SIZE = 100_000


class Directory:
    """Remembers the records seen last. A hint: a record that is not there any more is looked for elsewhere."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._whose: Hashable = None
        self._places: OrderedDict[tuple[Hashable, str, Key], str] = OrderedDict()
        self._lock = lock()

    def of(self, whose: Hashable) -> Directory:
        """What is remembered of this one's records, apart from everybody else's. All share one memory and its bound."""
        part = Directory(self._size)
        part._whose, part._places, part._lock = whose, self._places, self._lock
        return part

    def remember(self, table: str, key: Key, database: str) -> None:
        """The record was seen in that database."""
        place = (self._whose, table, key)
        with self._lock:
            self._places[place] = database
            self._places.move_to_end(place)
            if len(self._places) > self._size:
                self._places.popitem(last=False)

    def place(self, table: str, key: Key) -> str | None:
        """The database it was seen in, or `None`."""
        return self._places.get((self._whose, table, key))

    def forget(self, table: str, key: Key) -> None:
        """The record is not where it was."""
        with self._lock:
            self._places.pop((self._whose, table, key), None)

    def forget_all(self, table: str) -> None:
        """Nothing is known of this table's records any more."""
        with self._lock:
            for place in [each for each in self._places if each[1] == table and each[0] == self._whose]:
                del self._places[place]
