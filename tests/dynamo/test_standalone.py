"""The class alone, under agno's name: agno's arguments, ids and methods, sync and async; and its settings."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import socket
import stat
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import agno.db.dynamo
import boto3
import pytest
from agno.db.base import SessionType
from agno.session import AgentSession

from dbrouter.backends import AsyncDynamoDb, DynamoDb
from dbrouter.backends.dynamo.store import DynamoStore
from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.kernel.ops import Get
from dbrouter.backends.kernel.running import finish
from dbrouter.config import load_mapping
from dbrouter.router.standalone.tables import TableNames
from scripts.servers import Server

AWS = {"region_name": "us-east-1", "aws_access_key_id": "known", "aws_secret_access_key": "s3cret"}


@pytest.mark.parametrize("ours", [DynamoDb, AsyncDynamoDb])
def test_every_argument_of_agnos_class_is_taken(ours: Any) -> None:
    wanted = set(inspect.signature(agno.db.dynamo.DynamoDb.__init__).parameters)
    taken = set(inspect.signature(ours.__init__).parameters) - {"tables"} | TableNames.__optional_keys__
    assert wanted <= taken


def test_it_has_agnos_id_and_no_secret_in_what_agno_stores_of_it() -> None:
    mine, agnos = DynamoDb(**AWS), agno.db.dynamo.DynamoDb(**AWS)
    assert mine.id == agnos.id
    stored = mine.to_dict()
    assert stored.items() >= agnos.to_dict().items()
    assert "s3cret" not in json.dumps(stored) + repr(mine)
    assert DynamoDb.from_dict(stored) is mine
    other = DynamoDb.from_dict({**stored, "table": "other"})
    assert (other is not mine, other.table, other.id) == (True, "other", mine.id)


def test_what_one_class_writes_the_other_reads(dynamo: Server, table: str) -> None:
    where = {**AWS, "table": table, "endpoint_url": dynamo.url}
    db = DynamoDb(**where)
    db.upsert_session(AgentSession(session_id="s", agent_id="a", user_id="u", session_data={"n": 1}, created_at=1))

    async def body() -> Any:
        awaited = AsyncDynamoDb(**where)
        found = await awaited.get_session("s", SessionType.AGENT, user_id="u")
        await awaited.close()
        return found

    found = asyncio.run(body())
    assert found.session_data == {"n": 1}
    assert db.get_session("s", SessionType.AGENT, user_id="somebody else") is None
    db.close()
    assert [each.session_id for each in db.get_sessions(SessionType.AGENT)] == ["s"]
    db.close()


def connected(port: int) -> set[int]:
    """The sockets of this process that are connected to a port, by what tells them from all others."""
    found: set[int] = set()
    for number in range(3, 1024):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as each:
                    if each.getpeername()[1] == port:
                        found.add(os.fstat(number).st_ino)
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_opens_connections_of_its_own_also_with_a_client_that_was_given(
    dynamo: Server, table: str
) -> None:
    port = urlsplit(dynamo.url).port or 0
    given = boto3.client("dynamodb", endpoint_url=dynamo.url, **AWS)
    store = DynamoStore(given, table=table)
    finish(store.execute(Get(table="sessions", key=("s1",))))
    parents = connected(port)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            finish(store.execute(Get(table="sessions", key=("s1",))))
            code = 0 if connected(port) - parents else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finish(store.execute(Get(table="sessions", key=("s1",))))
    given.close()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"table": "a"}, "no name of a DynamoDB table"),
        ({"access_key_id": "k"}, "secret_access_key is missing"),
        ({"secret_access_key": "very-secret"}, "access_key_id is missing"),
        ({"session_token": "very-secret"}, "session_token is given without keys"),
        ({"profile": "p", "access_key_id": "k", "secret_access_key": "very-secret"}, "both given"),
        ({"endpoint_url": "localhost:8000"}, "not the URL of an endpoint"),
        ({"endpoint_url": "http://me:very-secret@localhost"}, "takes no user or password"),
        ({"deadline": 0}, "deadline"),
    ],
)
def test_settings_that_cannot_be_are_refused_without_their_secrets(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_mapping({"databases": {"d": {"kind": "dynamo", **given}}, "agentos": {"db": "d"}})
    assert told in str(refused.value)
    assert "very-secret" not in str(refused.value)


def test_settings_are_shown_without_secrets() -> None:
    keys = {"access_key_id": "k", "secret_access_key": "very-secret", "session_token": "very-secret"}
    settings = load_mapping({"databases": {"d": {"kind": "dynamo", "region": "r", **keys}}, "agentos": {"db": "d"}})
    shown = json.dumps(settings.shown())
    assert '"region": "r"' in shown
    assert "very-secret" not in shown + repr(settings)
