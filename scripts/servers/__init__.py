"""Real servers for tests, benchmarks and demos: started on a free loopback port, in a folder that is gone afterwards.

One module a server. Each offers `start_<name>(...) -> Server`, which raises `CannotStart` with every route it tried and
why that failed. `python -m scripts.servers` starts all that it can, and says what it could not start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scripts.servers.pgbouncer import start_pgbouncer
from scripts.servers.postgres import start_postgres
from scripts.servers.roles import APPLICATION, OWNER, with_roles
from scripts.servers.server import CannotStart, Server

STARTERS: Mapping[str, Callable[[], Server]] = {"postgres": lambda: with_roles(start_postgres())}
"""Every server that tests may want, by the name of its backend."""

IN_FRONT: Mapping[str, tuple[str, Callable[[Server], Server]]] = {
    "pgbouncer": ("postgres", lambda server: start_pgbouncer(server.url, roles=("postgres", APPLICATION, OWNER)))
}
"""Every server that stands in front of another: its name, the other's, and what starts it."""

__all__ = ["APPLICATION", "IN_FRONT", "OWNER", "STARTERS", "CannotStart", "Server", "start_pgbouncer", "start_postgres"]
