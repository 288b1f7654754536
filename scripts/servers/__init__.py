"""Real servers for tests, benchmarks and demos: started on a free loopback port, in a folder that is gone afterwards.

One module a server. Each offers `start_<name>() -> Server`, which raises `CannotStart` with every route it tried and
why that failed. `python -m scripts.servers` starts all that it can, and says what it could not start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scripts.servers.postgres import start_postgres
from scripts.servers.server import CannotStart, Server

STARTERS: Mapping[str, Callable[[], Server]] = {"postgres": start_postgres}
"""Every server that tests may want, by the name of its backend."""

__all__ = ["STARTERS", "CannotStart", "Server", "start_postgres"]
