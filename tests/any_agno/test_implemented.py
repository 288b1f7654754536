"""What a class of agno's really has: its body counts, and not that it is there."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, ClassVar

import pytest

from dbrouter.router.any_agno.families import methods_of, served_by, verdict
from dbrouter.router.any_agno.implemented import implements
from dbrouter.router.families.compactions import Compactions
from dbrouter.router.families.run_fencing import RunFencing
from dbrouter.router.families.tool_results import ToolResults
from dbrouter.router.families.transcripts import Transcripts
from dbrouter.router.routes import SERVED
from tests.any_agno import classes_of_ours as ours

MOST = ("sessions", "memories", "knowledge", "evals", "metrics", "traces")
WORK = ("approvals", "schedules", "learnings", "company", "auth_tokens", "service_accounts", "authz")

KNOWN: dict[str, tuple[str, ...]] = {
    "postgres.PostgresDb": SERVED,
    "postgres.AsyncPostgresDb": (*MOST, *WORK, "jobs"),
    "sqlite.SqliteDb": tuple(family for family in SERVED if family != "jobs"),
    "sqlite.AsyncSqliteDb": (*MOST, *WORK),
    "mongo.MongoDb": (*MOST, "schedules"),
    "mongo.AsyncMongoDb": (*MOST, "schedules"),
    "mysql.MySQLDb": MOST,
    "mysql.AsyncMySQLDb": MOST,
    "singlestore.SingleStoreDb": MOST,
    "redis.RedisDb": (*MOST, "jobs"),
    "dynamo.DynamoDb": MOST,
    "firestore.FirestoreDb": MOST,
    "gcs_json.GcsJsonDb": MOST,
    "json.JsonDb": MOST,
    "in_memory.InMemoryDb": MOST[:-1],
}
"""Every class of agno 3.1.10 whose client is here -> the families that it serves."""

WITHOUT_CLIENT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "surrealdb.SurrealDb": (MOST, ("surrealdb",)),
    "clickhouse.ClickhouseDb": (("traces",), ("clickhouse_connect", "clickhouse_connect.driver")),
    "valkey.ValkeyDb": ((*MOST, "learnings"), ("glide_sync", "glide_shared", "glide_shared.exceptions")),
}
"""Classes whose client is not here -> the families, and the modules of the client: only agno's code is looked at."""


def the_class(path: str) -> type[Any]:
    module, _, name = path.partition(".")
    return getattr(importlib.import_module(f"agno.db.{module}"), name)  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", KNOWN)
def test_a_class_serves_the_families_that_it_implements(path: str) -> None:
    assert served_by(the_class(path)) == KNOWN[path]


class _Anything(ModuleType):
    """A client's module in which every name is some class."""

    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (Exception,), {})
        setattr(self, name, made)
        return made


@pytest.mark.parametrize("path", WITHOUT_CLIENT)
def test_classes_whose_client_is_missing_are_read_all_the_same(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    served, clients = WITHOUT_CLIENT[path]
    for client in clients:
        if client.partition(".")[0] not in sys.modules or client in sys.modules:
            monkeypatch.setitem(sys.modules, client, sys.modules.get(client) or _Anything(client))
    before = set(sys.modules)
    try:
        assert served_by(the_class(path)) == served
    finally:
        for name in set(sys.modules) - before:
            if name.startswith("agno.db."):
                del sys.modules[name]


@pytest.mark.parametrize("family", SERVED)
def test_postgres_db_implements_every_method_of_every_family(family: str) -> None:
    absent = {name for name in methods_of(family) if not implements(the_class("postgres.PostgresDb"), name)}
    # Not of agno's interface: one class of agno's has it.
    assert absent <= {"get_eval_run_raw"}


@pytest.mark.parametrize(
    ("method", "there"),
    [
        ("get_user_memory", False),
        ("get_user_memories", False),
        ("clear_memories", False),
        ("upsert_user_memory", False),
        ("delete_user_memory", True),
        ("upsert_memories", True),
        ("no_such_method", False),
        # agno's own, which says that it is not there.
        ("create_approval", False),
        ("reassign_session_owner", False),
    ],
)
def test_a_body_that_does_nothing_is_not_there(method: str, *, there: bool) -> None:
    assert implements(ours.Stubs, method) is there


def test_what_is_lacking_is_told() -> None:
    told = verdict(ours.Stubs, "memories")
    assert not told.served
    assert str(told) == "it lacks get_user_memory, get_user_memories, upsert_user_memory, clear_memories"
    assert str(verdict(ours.Stubs, "approvals")) == "it lacks every method"


def test_a_method_that_asks_for_more_than_agno_gives_is_told() -> None:
    assert str(verdict(ours.Demanding, "memories")) == "agno does not give what get_user_memory ask for"


def test_methods_that_agno_does_without_may_be_lacking() -> None:
    told = verdict(ours.Plain, "sessions")
    assert told.served
    leftovers = (name for program in (ToolResults, Compactions, Transcripts) for name in vars(program))
    fencing = (name for name in vars(RunFencing))
    public = {name for name in (*leftovers, *fencing) if not name.startswith("_")}
    assert told.without == {"cancel_pending_run", "reassign_session_owner", *public}


def test_a_method_that_agnos_interface_makes_of_others_may_be_lacking() -> None:
    told = verdict(the_class("sqlite.SqliteDb"), "components")
    assert told.served
    assert told.without == {"get_latest_configs"}


def test_a_known_flaw_keeps_a_family_out() -> None:
    assert "finds none" in str(verdict(the_class("mongo.MongoDb"), "learnings"))
