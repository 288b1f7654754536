"""How many requests an op costs: exchanges with the server."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter import DbRouter
from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.filters import Field, eq, one_of
from dbrouter.backends.kernel.ops import Batch, Children, Delete, Insert, Load, Order, Scan, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.redis.blocking import BlockingWire
from dbrouter.backends.redis.store import RedisStore
from dbrouter.router.agno_types import AgentSession
from dbrouter.testing.conformance.records import run, session, span, trace
from scripts.servers import Server


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of commands of each exchange with a server."""
    found: list[int] = []
    exchange = BlockingWire.exchange

    async def counted(self: Any, connection: Any, commands: Any, deadline: Any) -> list[Any]:
        answers = await exchange(self, connection, commands, deadline)
        found.append(len(answers))
        return answers

    monkeypatch.setattr(BlockingWire, "exchange", counted)
    return found


def filled(server: Server, prefix: str) -> Emulated:
    """A store with a session of five runs and a trace."""
    store = Emulated(RedisStore(server.url, prefix=prefix))
    finish(store.execute(Insert(table="sessions", records=(session("s0"),))))
    finish(store.execute(Insert(table="runs", records=tuple(run(f"r{n}", "s0") for n in range(5)))))
    finish(store.execute(Insert(table="traces", records=(trace("t0"),))))
    finish(store.execute(Insert(table="spans", records=(span("p0", "t0"),))))
    return store


CHILDREN = Children(table="runs", on=("session_id",), columns=("run_data",), order=(Order(Field("run_index")),))
NEWEST = (Order(Field("created_at"), descending=True),)


@pytest.mark.parametrize(
    ("op", "requests"),
    [
        (Load(table="sessions", key=("s0",), children=CHILDREN), 1),
        (Load(table="sessions", key=("s0",), children=CHILDREN, where=eq("user_id", "u")), 1),
        (Scan(table="sessions", order=NEWEST, limit=20, total=True), 1),
        (Scan(table="sessions", where=eq("session_type", "agent"), order=NEWEST, limit=20, total=True), 1),
        (Scan(table="runs", where=one_of("session_id", [f"s{n}" for n in range(20)])), 1),
        (Batch(upserts=(Upsert(table="traces", records=(trace("t1"),)),
                        Upsert(table="spans", records=tuple(span(f"p1-{n}", "t1") for n in range(50))))), 1),
        (Upsert(table="runs", records=(run("r9", "s0"),)), 1),
        (Delete(table="sessions", where=eq("session_id", "s0")), 2),
    ],
    ids=["load", "load of an owner", "page", "page of a path", "runs of 20 sessions", "trace", "run", "delete"],
)  # fmt: skip
def test_an_op_costs_few_requests(
    redis_server: Server, prefix: str, exchanges: list[int], op: Any, requests: int
) -> None:
    finish(filled(redis_server, f"{prefix}-before").execute(op))  # the server knows the scripts from here on
    store = filled(redis_server, prefix)
    exchanges.clear()
    finish(store.execute(op))
    assert len(exchanges) == requests


def test_a_turn_of_a_chat_is_three_requests(redis_server: Server, exchanges: list[int], prefix: str) -> None:
    db: Any = DbRouter(RedisStore(redis_server.url, prefix=prefix))

    def turn(number: int) -> None:
        session: Any = db.get_session("s1", session_type="agent", user_id="ann")
        session = session or AgentSession(session_id="s1", agent_id="a", user_id="ann", session_data={})
        session.session_data["turns"] = number
        db.upsert_session(session)
        db.upsert_run({"run_id": f"r{number}", "agent_id": "a"}, session_id="s1")

    for number in range(3):
        turn(number)
    exchanges.clear()
    turn(3)
    db.close()
    assert exchanges == [1, 1, 1]
