"""What goes wrong on the way: asked again where that is safe, within the deadline, and told by its name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from dbrouter.backends.dynamo.store import DynamoStore
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import (
    Conflict,
    Duplicate,
    OutdatedSchema,
    StoreError,
    Throttled,
    Unavailable,
)
from dbrouter.backends.kernel.ops import ABSENT, Check, Commit, Get, Insert, Put, Remove, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.config import load_mapping
from dbrouter.router.opening import open_store
from dbrouter.testing.conformance.records import session
from scripts.servers import Server
from scripts.servers.places import free_port
from tests.backends.dynamo import client
from tests.dynamo.conftest import Wire, items_of
from tests.waiting import told_within


def do(store: Any, op: Any) -> Any:
    return finish(store.execute(op))


def put(**more: Any) -> Commit:
    return Commit(writes=(Put(table="sessions", record=session("s1", user_id="u"), **more),))


def refusal(code: str, name: str, status: int = 400, **more: Any) -> ClientError:
    metadata = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": code}, "ResponseMetadata": metadata, **more}, name)  # type: ignore[arg-type]


def raising(error: Callable[[str], Exception], *, of: str, times: int) -> Callable[[str, dict[str, Any]], None]:
    """What a wire does to the first so many requests of a name."""
    left = iter(range(times))

    def hook(name: str, _arguments: dict[str, Any]) -> None:
        if name == of and next(left, None) is not None:
            raise error(name)

    return hook


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]
)
def test_a_throttled_request_is_made_again_until_it_goes_through(store: Emulated, wire: Wire, code: str) -> None:
    do(store, put())
    wire.before = raising(lambda name: refusal(code, name), of="get_item", times=3)
    assert do(store, Get(table="sessions", key=("s1",))) is not None
    assert wire.sent.count("get_item") >= 4


def test_who_is_throttled_until_the_deadline_is_told_so_in_time(wire: Wire, table: str) -> None:
    store = DynamoStore(wire, table=table, deadline=0.6)
    wire.before = raising(lambda name: refusal("ThrottlingException", name), of="get_item", times=1000)
    with told_within(0.6), pytest.raises(Throttled, match="asks to slow down"):
        do(store, Get(table="sessions", key=("s1",)))


def canceled(*codes: str) -> Callable[[str], Exception]:
    reasons = [{"Code": code} for code in codes]
    return lambda name: refusal("TransactionCanceledException", name, CancellationReasons=reasons)


def test_a_transaction_that_met_another_is_made_again(store: Emulated, wire: Wire) -> None:
    wire.before = raising(canceled("None", "TransactionConflict"), of="transact_write_items", times=2)
    do(store, put(expect=ABSENT))
    assert wire.sent.count("transact_write_items") == 3
    assert do(store, Get(table="sessions", key=("s1",))) is not None


def test_a_failed_condition_is_final_even_beside_a_conflict(store: Emulated, wire: Wire) -> None:
    wire.before = raising(canceled("ConditionalCheckFailed", "TransactionConflict"), of="transact_write_items", times=9)
    with pytest.raises(Duplicate):
        do(store._store, put(expect=ABSENT))
    assert wire.sent.count("transact_write_items") == 1


def test_a_conditional_put_whose_answer_was_lost_is_known_to_be_ours(store: Emulated, wire: Wire) -> None:
    (version,) = do(store, put())
    wire.after = raising(lambda _: ReadTimeoutError(endpoint_url="x"), of="put_item", times=1)
    wire.sent.clear()
    (after,) = do(store._store, put(expect=version))
    assert wire.sent == ["put_item", "put_item", "get_item"]
    assert do(store, Get(table="sessions", key=("s1",), versioned=True)).version == after


def test_a_transaction_whose_answer_was_lost_happens_once(store: Emulated, wire: Wire) -> None:
    wire.after = raising(lambda _: ReadTimeoutError(endpoint_url="x"), of="transact_write_items", times=1)
    do(store._store, put(expect=ABSENT))
    assert wire.sent.count("transact_write_items") == 2
    wire.after = raising(lambda name: refusal("InternalServerError", name, 500), of="transact_write_items", times=2)
    do(store._store, Commit(writes=(Remove(table="sessions", key=("s1",)),)))
    assert do(store, Get(table="sessions", key=("s1",))) is None


def test_an_answer_that_was_lost_is_unknown_when_another_writer_came_since(store: Emulated, wire: Wire) -> None:
    (version,) = do(store, put())
    other = DynamoStore(wire._inner, table=store._store._shared.table)

    def lost_and_overtaken(name: str, _arguments: dict[str, Any]) -> None:
        wire.after = lambda _name, _arguments: None
        do(other, Commit(writes=(Put(table="sessions", record=session("s1", user_id="u", agent_id="b")),)))
        raise ReadTimeoutError(endpoint_url=name)

    wire.after = lost_and_overtaken
    with pytest.raises(Unavailable, match="whether this one was written is unknown"):
        do(store._store, put(expect=version))
    assert do(store, Get(table="sessions", key=("s1",))).record["agent_id"] == "b"


def test_an_answer_that_was_lost_is_unknown_when_dynamodb_asks_to_slow_down_since(wire: Wire, table: str) -> None:
    store = DynamoStore(wire, table=table, deadline=0.6)
    (version,) = do(store, put())
    wire.after = raising(lambda _: ReadTimeoutError(endpoint_url="x"), of="put_item", times=1)

    def throttled(name: str, _arguments: dict[str, Any]) -> None:
        if name == "put_item" and wire.sent.count(name) > 1:
            raise refusal("ThrottlingException", name)

    wire.before = throttled
    wire.sent.clear()
    with pytest.raises(Unavailable, match="does not answer"):
        do(store, put(expect=version))


def test_a_check_that_does_not_hold_is_refused_also_when_its_first_sending_was_lost(
    store: Emulated, wire: Wire
) -> None:
    (version,) = do(store, put())
    other = DynamoStore(wire._inner, table=store._store._shared.table)

    def lost_on_its_way(name: str, _arguments: dict[str, Any]) -> None:
        if name == "transact_write_items":
            wire.before = lambda _name, _arguments: None
            do(other, Commit(writes=(Remove(table="sessions", key=("s1",)),)))
            raise ReadTimeoutError(endpoint_url=name)

    wire.before = lost_on_its_way
    with pytest.raises(Conflict):
        do(store._store, Commit(writes=(Check(table="sessions", key=("s1",), expect=version),)))


def test_a_call_of_many_requests_ends_at_its_deadline_too(store: Emulated, wire: Wire, table: str) -> None:
    do(store, Insert(table="sessions", records=tuple(session(f"s{number}") for number in range(9))))

    def one_after_the_other(name: str, arguments: dict[str, Any]) -> None:
        if name == "query":
            arguments["Limit"] = 1
            time.sleep(0.1)

    wire.before = one_after_the_other
    assert len(do(store, Scan(table="sessions")).records) == 9
    with pytest.raises(Unavailable, match=r"within 0\.3 s"):
        do(DynamoStore(wire, table=table, deadline=0.3), Scan(table="sessions"))


def test_what_was_signed_is_not_shown(store: Emulated, wire: Wire) -> None:
    said = "The request signature we calculated does not match.\n\nThe Canonical String\nx-amz-security-token:my-token"
    response: Any = {"Error": {"Code": "InvalidSignatureException", "Message": said}}
    wire.before = raising(lambda name: ClientError(response, name), of="get_item", times=1)
    with pytest.raises(Unavailable, match="does not match") as told:
        do(store, Get(table="sessions", key=("s1",)))
    assert "my-token" not in str(told.value)


def test_a_server_that_fails_is_unavailable_and_not_empty(store: Emulated, wire: Wire) -> None:
    do(store, put())
    for error in (
        lambda name: refusal("InternalServerError", name, 500),
        lambda name: refusal("", name, 503),
        lambda name: EndpointConnectionError(endpoint_url=name),
        lambda name: refusal("UnrecognizedClientException", name),
        lambda name: refusal("AccessDeniedException", name),
        lambda _name: NoCredentialsError(),
    ):
        wire.before = raising(error, of="get_item", times=100)
        with pytest.raises(Unavailable):
            do(store, Get(table="sessions", key=("s1",)))
        wire.before = raising(error, of="query", times=100)
        with pytest.raises(Unavailable):
            do(store, Scan(table="sessions"))
        with pytest.raises(Unavailable):
            finish(store.existing_tables())


def test_what_is_no_dynamodb_is_never_an_empty_database(store: Emulated, wire: Wire) -> None:
    wire.before = raising(lambda name: refusal("404", name, 404), of="get_item", times=100)
    with pytest.raises(StoreError, match="refused a request"):
        do(store, Get(table="sessions", key=("s1",)))


def test_nobody_at_the_endpoint_is_told_within_the_deadline(tmp_path: Any) -> None:
    described = load_mapping(
        {
            "databases": {
                "d": {
                    "kind": "dynamo",
                    "endpoint_url": f"http://127.0.0.1:{free_port()}",
                    "region": "us-east-1",
                    "access_key_id": "k",
                    "secret_access_key": "very-secret",
                    "deadline": 2,
                }
            },
            "agentos": {"db": "d"},
        }
    ).databases["d"]
    store = open_store("d", described, blocking=True)
    with told_within(2), pytest.raises(Unavailable) as told:
        finish(store.ping())
    assert "d (DynamoDB table dbrouter)" in str(told.value)
    assert "very-secret" not in f"{told.value}{described}{described!r}"


def test_a_frozen_server_ends_the_call_at_its_deadline(own_dynamo: Server) -> None:
    store = DynamoStore(
        table="frozen",
        session={"region_name": "us-east-1", "aws_access_key_id": "k", "aws_secret_access_key": "s"},
        client_arguments={"endpoint_url": own_dynamo.url},
        deadline=5,
    )
    client(own_dynamo.url).list_tables()  # the first request takes it long
    finish(store.ping())
    with own_dynamo.paused(), told_within(5), pytest.raises(Unavailable, match="does not answer"):
        finish(store.ping())
    finish(store.close())


def test_a_table_with_another_key_is_neither_read_nor_written(store: Emulated, admin: Any, table: str) -> None:
    admin.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "session_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "session_id", "KeyType": "HASH"}],
    )
    with pytest.raises(OutdatedSchema, match="name another table"):
        do(store, Get(table="sessions", key=("s1",)))
    with pytest.raises(OutdatedSchema):
        do(store, put())
    assert items_of(admin, table) == []


def test_the_table_is_made_at_the_first_write_and_again_if_it_is_gone(
    store: Emulated, wire: Wire, admin: Any, table: str
) -> None:
    assert do(store, Scan(table="sessions")).records == []
    assert table not in admin.list_tables()["TableNames"]
    do(store, put())
    described = admin.describe_table(TableName=table)["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    wire.sent.clear()
    do(store, put())
    assert not {"describe_table", "create_table"} & set(wire.sent)
    admin.delete_table(TableName=table)
    do(store, put())
    assert do(store, Get(table="sessions", key=("s1",))) is not None
    assert finish(store.existing_tables()) == {store.physical_name("sessions")}


def test_a_table_that_may_not_be_made_is_named_with_its_key(wire: Wire, table: str) -> None:
    store = DynamoStore(wire, table=table, create_table=False)
    with pytest.raises(StoreError, match=r"create_table is off; create it with a partition key _p \(S\)"):
        do(store, put())
