"""Memory: what one store holds, and no other sees."""

from __future__ import annotations

from tests.backends.backend import Backend

BACKENDS = (Backend(name="memory", kind="memory", settings=lambda _url, _name: {"kind": "memory"}, one_store=True),)
