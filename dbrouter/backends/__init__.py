"""Each backend alone, under agno's names and with agno's arguments: `from dbrouter.backends import PostgresDb`.

The classes are faces over a store, so their home is the router's room; a backend knows nothing of faces. They are only
named here, and imported when asked for, so this room imports neither the router nor a vendor's client.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbrouter.router.standalone.azure import AsyncAzureJsonDb, AzureJsonDb
    from dbrouter.router.standalone.dynamo import AsyncDynamoDb, DynamoDb
    from dbrouter.router.standalone.firestore import AsyncFirestoreDb, FirestoreDb
    from dbrouter.router.standalone.memory import AsyncInMemoryDb, InMemoryDb
    from dbrouter.router.standalone.mongo import AsyncMongoDb, MongoDb
    from dbrouter.router.standalone.mysql import AsyncMySQLDb, MySQLDb
    from dbrouter.router.standalone.objects import (
        AsyncGCSJsonDb,
        AsyncJsonDb,
        AsyncS3JsonDb,
        GCSJsonDb,
        GcsJsonDb,
        JsonDb,
        S3JsonDb,
    )
    from dbrouter.router.standalone.postgres import AsyncPostgresDb, PostgresDb
    from dbrouter.router.standalone.redis import AsyncRedisDb, RedisDb
    from dbrouter.router.standalone.singlestore import AsyncSingleStoreDb, SingleStoreDb
    from dbrouter.router.standalone.sqlite import AsyncSqliteDb, SqliteDb

__all__ = [
    "AsyncAzureJsonDb",
    "AsyncDynamoDb",
    "AsyncFirestoreDb",
    "AsyncGCSJsonDb",
    "AsyncInMemoryDb",
    "AsyncJsonDb",
    "AsyncMongoDb",
    "AsyncMySQLDb",
    "AsyncPostgresDb",
    "AsyncRedisDb",
    "AsyncS3JsonDb",
    "AsyncSingleStoreDb",
    "AsyncSqliteDb",
    "AzureJsonDb",
    "DynamoDb",
    "FirestoreDb",
    "GCSJsonDb",
    "GcsJsonDb",
    "InMemoryDb",
    "JsonDb",
    "MongoDb",
    "MySQLDb",
    "PostgresDb",
    "RedisDb",
    "S3JsonDb",
    "SingleStoreDb",
    "SqliteDb",
]

_HOMES = {
    "AsyncAzureJsonDb": "dbrouter.router.standalone.azure",
    "AsyncDynamoDb": "dbrouter.router.standalone.dynamo",
    "AsyncFirestoreDb": "dbrouter.router.standalone.firestore",
    "AsyncGCSJsonDb": "dbrouter.router.standalone.objects",
    "AsyncInMemoryDb": "dbrouter.router.standalone.memory",
    "AsyncJsonDb": "dbrouter.router.standalone.objects",
    "AsyncMongoDb": "dbrouter.router.standalone.mongo",
    "AsyncMySQLDb": "dbrouter.router.standalone.mysql",
    "AsyncPostgresDb": "dbrouter.router.standalone.postgres",
    "AsyncRedisDb": "dbrouter.router.standalone.redis",
    "AsyncS3JsonDb": "dbrouter.router.standalone.objects",
    "AsyncSingleStoreDb": "dbrouter.router.standalone.singlestore",
    "AsyncSqliteDb": "dbrouter.router.standalone.sqlite",
    "AzureJsonDb": "dbrouter.router.standalone.azure",
    "DynamoDb": "dbrouter.router.standalone.dynamo",
    "FirestoreDb": "dbrouter.router.standalone.firestore",
    "GCSJsonDb": "dbrouter.router.standalone.objects",
    "GcsJsonDb": "dbrouter.router.standalone.objects",
    "InMemoryDb": "dbrouter.router.standalone.memory",
    "JsonDb": "dbrouter.router.standalone.objects",
    "MongoDb": "dbrouter.router.standalone.mongo",
    "MySQLDb": "dbrouter.router.standalone.mysql",
    "PostgresDb": "dbrouter.router.standalone.postgres",
    "RedisDb": "dbrouter.router.standalone.redis",
    "S3JsonDb": "dbrouter.router.standalone.objects",
    "SingleStoreDb": "dbrouter.router.standalone.singlestore",
    "SqliteDb": "dbrouter.router.standalone.sqlite",
}


def __getattr__(name: str) -> Any:
    """Import a database class when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
