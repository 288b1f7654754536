"""A Redis database as an agno db."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.redis.store import AsyncRedisStore, RedisStore
from dbrouter.router.agno_types import generate_id
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.tables import TableNames, physical_names
from dbrouter.router.sync_db import SyncDb

if TYPE_CHECKING:
    import redis
    import redis.asyncio

DEFAULT_PREFIX = "agno"
"""agno's. Our keys begin with `{agno/`, agno's with `agno:`: both can use one server, and neither reads the other's."""


class RedisDb(SyncDb):
    """A Redis database, or a cluster by `redis_client`. The layout is ours: agno's class cannot read it."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 - agno's name
        redis_client: redis.Redis | redis.RedisCluster | None = None,
        db_url: str | None = None,
        db_prefix: str = DEFAULT_PREFIX,
        expire: int | None = None,
        **tables: Unpack[TableNames],
    ) -> None:
        """Use the servers of `redis_client`, else those of `db_url`; nothing is sent before the first call.

        expire: seconds after which a record that was not written to since is gone. Without an `id`, the same address
        and prefix give the same one, and the one that agno's class gives it.
        """
        options = _options(redis_client, db_url, db_prefix, expire, tables)
        self.db_prefix = db_prefix
        self.expire = expire
        super().__init__(RedisStore(**options), id=id or generate_id(f"{db_url or str(redis_client)}#{db_prefix}"))


class AsyncRedisDb(AsyncDb):
    """The same for async code, through redis-py's own. agno has none."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 - agno's name
        redis_client: redis.asyncio.Redis | redis.asyncio.RedisCluster | None = None,
        db_url: str | None = None,
        db_prefix: str = DEFAULT_PREFIX,
        expire: int | None = None,
        **tables: Unpack[TableNames],
    ) -> None:
        """As `RedisDb`."""
        options = _options(redis_client, db_url, db_prefix, expire, tables)
        self.db_prefix = db_prefix
        self.expire = expire
        super().__init__(
            AsyncRedisStore(**options),
            id=id or generate_id(f"{db_url or str(redis_client)}#{db_prefix}"),
            # A client of your own is awaited.
            blocking=(lambda: Opened.alone(RedisStore(**options))) if redis_client is None else None,
        )


def _options(client: Any, url: str | None, prefix: str, expire: int | None, tables: TableNames) -> dict[str, Any]:
    if client is None and url is None:
        raise ValueError("One of redis_client or db_url must be provided")
    families = {spec.family for spec in TABLES.values()}
    return {
        "url": url if client is None else None,
        "client": client,
        "prefix": prefix,
        "tables": physical_names(tables),
        "ttl": {} if expire is None else dict.fromkeys(families, expire),
    }
