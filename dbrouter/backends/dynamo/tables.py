"""The one DynamoDB table, made when the first write finds none, and which of agno's tables are in it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from dbrouter.backends.dynamo.items import PARTITION, SORT, keyed
from dbrouter.backends.dynamo.keys import partition
from dbrouter.backends.dynamo.layout import Place
from dbrouter.backends.dynamo.requests import NoTable, Requests, TableInUse, batch_write
from dbrouter.backends.kernel.deadline import Deadline
from dbrouter.backends.kernel.errors import StoreError, Unavailable

POLL = 0.25
"""Seconds between two looks at a table that is being made."""


class Tables:
    """Makes the DynamoDB table, and remembers in it which tables of a namespace there are."""

    def __init__(self, requests: Requests, table: str, *, create: bool) -> None:
        self._requests = requests
        self._table = table
        self._create = create

    def make(self, deadline: Deadline) -> None:
        """Return once the DynamoDB table can be written to. Raises `Unavailable` if that takes too long."""
        if not self._create:
            raise StoreError(
                f"{self._requests.place}: there is no such DynamoDB table, and create_table is off; create it with a "
                f"partition key {PARTITION} (S) and a sort key {SORT} (B)"
            )
        try:
            made = self._requests.send(
                "create_table",
                deadline,
                TableName=self._table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[
                    {"AttributeName": PARTITION, "AttributeType": "S"},
                    {"AttributeName": SORT, "AttributeType": "B"},
                ],
                KeySchema=[
                    {"AttributeName": PARTITION, "KeyType": "HASH"},
                    {"AttributeName": SORT, "KeyType": "RANGE"},
                ],
            )
        except TableInUse:
            made = {}  # another process makes it, or has made it
        while not (_is_active(made.get("TableDescription", {})) or self._is_there(deadline)):
            if deadline.left() < POLL:
                raise Unavailable(f"{self._requests.place} is still being created; try again in a moment")
            time.sleep(POLL)

    def existing(self, namespace: str, deadline: Deadline) -> frozenset[str]:
        """The physical names of a namespace's tables that were created or written to."""
        asked: dict[str, Any] = {
            "KeyConditionExpression": "#p = :p",
            "ExpressionAttributeNames": {"#p": PARTITION, "#s": SORT},
            "ExpressionAttributeValues": {":p": {"S": _names(namespace)}},
            "ProjectionExpression": "#s",
        }
        try:
            answer = self._requests.send("query", deadline, TableName=self._table, ConsistentRead=True, **asked)
        except NoTable:
            return frozenset()
        return frozenset(bytes(item[SORT]["B"]).decode() for item in answer["Items"])

    def note(self, namespace: str, physical: Sequence[str], deadline: Deadline) -> None:
        """Note that these tables exist."""
        places = [Place(_names(namespace), name.encode()) for name in physical]
        batch_write(self._requests, self._table, [{"PutRequest": {"Item": keyed(place)}} for place in places], deadline)

    def _is_there(self, deadline: Deadline) -> bool:
        try:
            answer = self._requests.send("describe_table", deadline, TableName=self._table)
        except NoTable:
            return False  # asked too early: the request to make it has not reached every server
        return _is_active(answer["Table"])


def _is_active(described: Mapping[str, Any]) -> bool:
    return described.get("TableStatus") in ("ACTIVE", "UPDATING")


def _names(namespace: str) -> str:
    """The partition that lists a namespace's tables: fewer than a page holds."""
    return partition(namespace)
