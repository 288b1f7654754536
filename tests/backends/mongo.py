"""MongoDB as a replica set and alone: a database for each, and one beside it for each namespace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.backends.backend import Backend, Row, Settings


def _settings(url: str, name: str) -> Settings:
    return {"kind": "mongo", "url": url, "database": name}


def _ours(client: Any, name: str) -> list[str]:
    return [each for each in client.list_database_names() if each == name or each.startswith(f"{name}-")]


def _drop(url: str, name: str) -> None:
    import pymongo

    with pymongo.MongoClient[dict[str, Any]](url) as client:
        for each in _ours(client, name):
            client.drop_database(each)


def _rows(url: str, name: str) -> Iterator[Row]:
    import pymongo

    with pymongo.MongoClient[dict[str, Any]](url) as client:
        for database in _ours(client, name):
            namespace = database.partition("-")[2] or None
            for collection in client[database].list_collection_names():
                for row in client[database][collection].find():
                    yield namespace, f"{database}.{collection}", row


BACKENDS = (
    Backend(name="mongo", kind="mongo", server="mongo", slow=True, settings=_settings, drop=_drop, rows=_rows),
    Backend(name="mongo alone", kind="mongo", server="mongo alone", settings=_settings, drop=_drop, rows=_rows),
)
