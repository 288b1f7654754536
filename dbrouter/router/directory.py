"""Where records are known to be: a bounded memory from a table's key to the database that holds it."""

from __future__ import annotations

import threading
from collections import OrderedDict

from dbrouter.backends.kernel.ops import Key

SIZE = 100_000


class Directory:
    """Remembers the records seen last. A hint: a record that is not there any more is looked for elsewhere."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._places: OrderedDict[tuple[str, Key], str] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, table: str, key: Key, database: str) -> None:
        """The record was seen in that database."""
        with self._lock:
            self._places[table, key] = database
            self._places.move_to_end((table, key))
            if len(self._places) > self._size:
                self._places.popitem(last=False)

    def place(self, table: str, key: Key) -> str | None:
        """The database it was seen in, or `None`."""
        return self._places.get((table, key))

    def forget(self, table: str, key: Key) -> None:
        """The record is not where it was."""
        with self._lock:
            self._places.pop((table, key), None)
