"""History runs as objects, rebuilt only when their stored text changed.

Reading a session rebuilds every run of its history; without this the cost of a turn grows with the conversation.
Shared objects are read-only by agno's own contract (its classes share them the same way): whoever changes a history
run copies it first. The stored text decides, so a write by anyone, anywhere, is seen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from dbrouter.backends.kernel.codec import decode
from dbrouter.backends.kernel.forking import lock
from dbrouter.router.agno_types import deserialize_history_run
from dbrouter.router.families.context import Place

SESSIONS = 64
"""Sessions whose runs are kept, the least recently read dropped first."""


class RunCache:
    """Runs of the sessions read last."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[Place, str], dict[str, tuple[int, int, Any]]] = OrderedDict()
        self._lock = lock()

    def runs(self, place: Place, session_id: str, stored: Iterable[tuple[str, str]]) -> list[Any]:
        """The run objects of a session there, for (run id, stored text) pairs in order.

        What has no run's shape is left out.
        """
        with self._lock:
            known = self._sessions.pop((place, session_id), {})
        fresh: dict[str, tuple[int, int, Any]] = {}
        for run_id, text in stored:
            mark = (hash(text), len(text))
            entry = known.get(run_id)
            if entry is None or entry[:2] != mark:
                entry = (*mark, deserialize_history_run(decode(text)))
            fresh[run_id] = entry
        with self._lock:
            self._sessions[place, session_id] = fresh
            while len(self._sessions) > SESSIONS:
                self._sessions.popitem(last=False)
        return [entry[2] for entry in fresh.values() if entry[2] is not None]
