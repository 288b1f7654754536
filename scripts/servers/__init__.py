"""Real servers for tests, benchmarks and demos: started on a free loopback port, in a folder that is gone afterwards.

One module a server. Each offers `start_<name>(...) -> Server`, which raises `CannotStart` with every route it tried and
why that failed. `python -m scripts.servers` starts all that it can, and says what it could not start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scripts.servers.azure import start_azure
from scripts.servers.dynamo import start_dynamo
from scripts.servers.firestore import start_firestore
from scripts.servers.gcs import start_gcs
from scripts.servers.mongo import start_mongo, start_mongo_alone
from scripts.servers.mysql import start_mariadb, start_mysql
from scripts.servers.pgbouncer import start_pgbouncer
from scripts.servers.postgres import start_postgres
from scripts.servers.redis import start_redis, start_redis_cluster, start_valkey
from scripts.servers.roles import APPLICATION, OWNER, with_roles
from scripts.servers.s3 import start_s3
from scripts.servers.server import CannotStart, Server

STARTERS: Mapping[str, Callable[[], Server]] = {
    "gcs": start_gcs,
    "s3": start_s3,
    "azure": start_azure,
    "dynamo": start_dynamo,
    "firestore": start_firestore,
    "mariadb": start_mariadb,
    "mysql": start_mysql,
    "mongo": start_mongo,
    "mongo alone": start_mongo_alone,
    "postgres": lambda: with_roles(start_postgres()),
    "redis": start_redis,
    "redis cluster": start_redis_cluster,
    "valkey": start_valkey,
}
"""Every server that tests may want, by the name of its backend."""

LASTING: Mapping[str, Callable[[], Server]] = {
    "mongo": lambda: start_mongo(lasting=True),
    "mongo alone": lambda: start_mongo_alone(lasting=True),
    "dynamo": lambda: start_dynamo(lasting=True),
}
"""Servers that keep what they acknowledged over a kill only if they are started so, which makes them slow."""

IN_FRONT: Mapping[str, tuple[str, Callable[[Server], Server]]] = {
    "pgbouncer": ("postgres", lambda server: start_pgbouncer(server.url, roles=("postgres", APPLICATION, OWNER)))
}
"""Every server that stands in front of another: its name, the other's, and what starts it."""

__all__ = [
    "APPLICATION",
    "IN_FRONT",
    "LASTING",
    "OWNER",
    "STARTERS",
    "CannotStart",
    "Server",
    "start_pgbouncer",
    "start_postgres",
]
