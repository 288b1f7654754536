"""A table of DynamoDB as an agno db."""

from __future__ import annotations

from typing import Any, Unpack

from dbrouter.backends.dynamo.settings import DEFAULT_TABLE
from dbrouter.backends.dynamo.store import DynamoStore
from dbrouter.router.agno_types import generate_id
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.live import find
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.tables import TableNames, physical_names, table_names_in
from dbrouter.router.sync_db import SyncDb


class DynamoDb(SyncDb):
    """A DynamoDB database. It is laid out otherwise than that of agno's class of that name, in one table."""

    def __init__(
        self,
        db_client: Any = None,
        region_name: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        table: str = DEFAULT_TABLE,
        endpoint_url: str | None = None,
        create_table: bool = True,
        **tables: Unpack[TableNames],
    ) -> None:
        """Use `db_client`, a boto3 client, else what boto3 makes of the rest; nothing is sent before the first call.

        Region and credentials that are not given are those that boto3 finds. table: the DynamoDB table.
        Without an `id`, the same region, key and table give the same one, and with agno's arguments the one that its
        class gives.
        """
        self.region_name, self.table, self.endpoint_url = region_name, table, endpoint_url
        names = physical_names(tables)
        store = _store(
            db_client, region_name, aws_access_key_id, aws_secret_access_key, table, endpoint_url, create_table, names
        )
        super().__init__(store, id=id or _id(db_client, region_name, aws_access_key_id, table))

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component: where it is, and no key."""
        return {**super().to_dict(), **_where(self), "type": "dynamo"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DynamoDb:
        """The open db that `to_dict` described, else a new one: with what boto3 finds, for no dict of ours has keys."""
        live = find(cls, data.get("id"))
        if live is not None and live.to_dict() == data:
            return live
        return cls(**_again(data), **table_names_in(data))


class AsyncDynamoDb(AsyncDb):
    """The same for async code: boto3 has no async client, so its calls run on threads. agno has none."""

    def __init__(
        self,
        db_client: Any = None,
        region_name: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        table: str = DEFAULT_TABLE,
        endpoint_url: str | None = None,
        create_table: bool = True,
        **tables: Unpack[TableNames],
    ) -> None:
        """Use `db_client`, else what boto3 makes of the rest. Arguments as above."""
        self.region_name, self.table, self.endpoint_url = region_name, table, endpoint_url
        names = physical_names(tables)
        store = _store(
            db_client, region_name, aws_access_key_id, aws_secret_access_key, table, endpoint_url, create_table, names
        )
        super().__init__(
            store,
            id=id or _id(db_client, region_name, aws_access_key_id, table),
            blocking=lambda: Opened.alone(store),
        )

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component: where it is, and no key."""
        return {**super().to_dict(), **_where(self), "type": "async_dynamo"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncDynamoDb:
        """The open db that `to_dict` described, else a new one: with what boto3 finds, for no dict of ours has keys."""
        live = find(cls, data.get("id"))
        if live is not None and live.to_dict() == data:
            return live
        return cls(**_again(data), **table_names_in(data))


def _store(
    client: Any,
    region: str | None,
    key: str | None,
    secret: str | None,
    table: str,
    endpoint: str | None,
    create: bool,
    names: dict[str, str],
) -> DynamoStore:
    session = {"region_name": region, "aws_access_key_id": key, "aws_secret_access_key": secret}
    return DynamoStore(
        client,
        table=table,
        session={name: value for name, value in session.items() if value is not None},
        client_arguments={"endpoint_url": endpoint},
        create_table=create,
        tables=names,
    )


def _id(client: Any, region: str | None, key: str | None, table: str) -> str:
    """The id that agno's class gives; of a client, its address tells more than its text, which is new each time."""
    where = f"{client.meta.endpoint_url}" if client is not None else f"{region}_{key}"
    return generate_id(where if table == DEFAULT_TABLE else f"{where}#{table}")


def _where(db: DynamoDb | AsyncDynamoDb) -> dict[str, Any]:
    return {"region_name": db.region_name, "table": db.table, "endpoint_url": db.endpoint_url}


def _again(data: dict[str, Any]) -> dict[str, Any]:
    given = {name: data.get(name) for name in ("id", "region_name", "endpoint_url")}
    return {**given, "table": data.get("table") or DEFAULT_TABLE}
