"""Random calls of every method by many tenants who use the same hostile ids, and a search for rows that crossed.

`play` calls; `marks_in` tells whose a text is. What a method is given is made in `arguments.py` by the names of its
parameters, so a method that agno adds joins in by itself, or fails by name until somebody says how to make what it
needs.
"""

from dbrouter.testing.leaks.canaries import Leak, canary, marks_in
from dbrouter.testing.leaks.names import HOSTILE_IDS, HOSTILE_TENANTS, tenants
from dbrouter.testing.leaks.playing import Played, aplay, play

__all__ = ["HOSTILE_IDS", "HOSTILE_TENANTS", "Leak", "Played", "aplay", "canary", "marks_in", "play", "tenants"]
