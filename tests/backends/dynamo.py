"""DynamoDB: a table of its own for each database, which a tenant's namespace is a part of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.backends.backend import Backend, Row, Settings

CREDENTIALS = {"region": "us-east-1", "access_key_id": "local", "secret_access_key": "local"}


@cache
def client(url: str) -> Any:
    """The vendor's client: one for each server, for making it takes longer than most of what it is made for."""
    import boto3

    return boto3.client(
        "dynamodb", endpoint_url=url, region_name="us-east-1", aws_access_key_id="local", aws_secret_access_key="local"
    )


def table_of(name: str) -> str:
    """The table of the database of this name."""
    return f"database.{name}"


def _settings(url: str, name: str) -> Settings:
    return {"kind": "dynamo", "endpoint_url": url, "table": table_of(name), **CREDENTIALS}


def _drop(url: str, name: str) -> None:
    dynamo = client(url)
    try:
        dynamo.delete_table(TableName=table_of(name))
    except dynamo.exceptions.ResourceNotFoundException:
        return  # nothing was written to it


def _rows(url: str, name: str) -> Iterator[Row]:
    from boto3.dynamodb.types import TypeDeserializer

    dynamo, plain = client(url), TypeDeserializer()
    try:
        for page in dynamo.get_paginator("scan").paginate(TableName=table_of(name)):
            for item in page["Items"]:
                namespace, *where = json.loads(item["_p"]["S"])
                row = {column: plain.deserialize(value) for column, value in item.items()}
                yield namespace or None, f"{table_of(name)} {where}", row
    except dynamo.exceptions.ResourceNotFoundException:
        return


BACKENDS = (
    Backend(
        name="dynamo",
        kind="dynamo",
        server="dynamo",
        settings=_settings,
        drop=_drop,
        rows=_rows,
        slow=True,
    ),
)
