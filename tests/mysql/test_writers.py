"""Several writers at once: deadlocks and waits for locks are the driver's, and a version counts even if nothing changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Self

import pymysql
import pytest

from dbrouter.backends.kernel.errors import Conflict, Unavailable
from dbrouter.backends.kernel.filters import EVERYTHING, eq
from dbrouter.backends.kernel.merging import Next, Replace
from dbrouter.backends.kernel.ops import Commit, Get, Insert, Put, Scan, Update, Upsert
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.mysql.conversation import said
from dbrouter.backends.mysql.store import MySqlStore
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.statements import Statement
from dbrouter.testing.conformance.records import learning, run, session
from scripts.servers import Server
from tests.waiting import PATIENCE, told_within

Opened = Callable[..., MySqlStore]


class Another:
    """Another client, in a transaction of its own."""

    def __init__(self, server: Server, schema: str) -> None:
        port = int(server.url.rpartition(":")[2])
        arguments: Any = {"host": "127.0.0.1", "port": port, "user": "root", "database": schema}
        self.connection = pymysql.connect(**arguments)
        self.cursor = self.connection.cursor()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


@pytest.fixture
def two(store: MySqlStore) -> MySqlStore:
    """A store with two learnings."""
    finish(store.execute(Insert(table="learnings", records=(learning("a"), learning("b")))))
    return store


def namespaces(store: MySqlStore) -> dict[str, str]:
    found = finish(store.execute(Scan(table="learnings"))).records
    return {record["learning_id"]: record["namespace"] for record in found}


def test_the_victim_of_a_deadlock_is_sent_again(two: MySqlStore, mariadb: Server, schema: str) -> None:
    """Ours locks a and wants b; the other has b and wants a. Ours did less, so the server takes it for the victim."""
    with Another(mariadb, schema) as other:
        for number in range(50):  # more work than ours, so that the server spares it
            other.cursor.execute("insert into agno_schema_versions values (%s, '1', '', '')", (f"x{number}",))
        other.cursor.execute("update agno_learnings set namespace = 'other' where learning_id = 'b'")
        writes = [Put(table="learnings", record=learning(each, namespace="ours")) for each in ("a", "b")]
        errors: list[Exception] = []

        def commit() -> None:
            try:
                finish(two.execute(Commit(writes=tuple(writes))))
            except Exception as error:  # noqa: BLE001  # told to the test
                errors.append(error)

        ours = threading.Thread(target=commit)
        ours.start()
        _until_somebody_waits(other)
        other.cursor.execute("update agno_learnings set namespace = 'other' where learning_id = 'a'")
        other.connection.commit()
        ours.join(PATIENCE)
    assert not errors
    assert namespaces(two) == {"a": "ours", "b": "ours"}


def _until_somebody_waits(other: Another) -> None:
    for _ in range(40):
        other.cursor.execute("select count(*) from information_schema.innodb_trx where trx_state = 'LOCK WAIT'")
        if other.cursor.fetchone() == (1,):
            return
        # The server tells the same again to whoever asks more often than every tenth of a second.
        time.sleep(0.15)
    raise AssertionError("nobody waits for a lock")


def test_a_lock_that_is_held_for_long_is_waited_for_again_within_the_deadline(
    opened: Opened, two: MySqlStore, mariadb: Server, schema: str
) -> None:
    store = opened(deadline=8)  # the server gives up a wait after a fifth of it
    finish(store.existing_tables())
    with Another(mariadb, schema) as other:
        other.cursor.execute("update agno_learnings set namespace = 'other' where learning_id = 'a'")
        release = threading.Timer(3, other.connection.rollback)
        release.start()
        changed = finish(
            store.execute(Update(table="learnings", where=eq("learning_id", "a"), changes={"namespace": "n"}))
        )
        release.join()
    assert [record["namespace"] for record in changed] == ["n"]
    assert namespaces(two)["a"] == "n"


def test_a_lock_that_is_not_given_back_is_an_error_at_the_deadline(
    opened: Opened, two: MySqlStore, mariadb: Server, schema: str
) -> None:
    store = opened(deadline=5)
    finish(store.existing_tables())
    with Another(mariadb, schema) as other:
        other.cursor.execute("update agno_learnings set namespace = 'other' where learning_id = 'a'")
        with told_within(5), pytest.raises(Unavailable):
            finish(store.execute(Update(table="learnings", where=EVERYTHING, changes={"namespace": "n"})))
        other.connection.rollback()
    assert set(namespaces(two).values()) != {"n"}


def test_a_compare_and_set_that_changes_nothing_still_holds(store: MySqlStore) -> None:
    """Without the client's flag for found rows an update to the same values counts none."""
    (version,) = finish(store.execute(Commit(writes=(Put(table="sessions", record=session("s1")),))))
    (again,) = finish(store.execute(Commit(writes=(Put(table="sessions", record=session("s1"), expect=version),))))
    assert again == version
    rules = {"user_id": Replace()}
    (same,) = finish(store.execute(Upsert(table="sessions", records=(session("s1"),), rules=rules, expect=version)))
    assert same is not None
    assert same.version == version
    finish(store.execute(Upsert(table="sessions", records=(session("s1", user_id="ann"),), rules=rules)))
    with pytest.raises(Conflict):
        finish(store.execute(Commit(writes=(Put(table="sessions", record=session("s1"), expect=version),))))


def test_the_lock_of_a_position_is_given_back_after_a_failure_too(store: MySqlStore, admin: Any) -> None:
    finish(store.execute(Insert(table="sessions", records=(session("s1"),))))
    ordered = {"run_index": Next("session_id")}
    finish(store.execute(Upsert(table="runs", records=(run("r1", "s1"),), rules=ordered)))
    bad = {**run("r2", "s1"), "run_data": {}, "status": "x"}
    finish(store.execute(Upsert(table="runs", records=(bad,), rules=ordered)))
    with pytest.raises(Exception, match="related record is not stored"):
        finish(store.execute(Upsert(table="runs", records=(run("r3", "nowhere"),), rules=ordered)))
    for lost in ("s1", "nowhere"):
        admin.execute("select is_free_lock(concat('agno_run_index_', md5(%s)))", (lost,))
        assert admin.fetchone() == (1,)
    stored = finish(store.execute(Get(table="runs", key=("r2",))))
    assert stored is not None
    assert stored.record["run_index"] == 1


def test_a_unit_is_one_packet_and_a_transaction_only_if_it_needs_one() -> None:
    read, write = Statement("SELECT 1"), Statement("UPDATE x", writes=True, returns=False)
    alone = Unit([read])
    assert said(alone, autocommit=True, together=True) == [read]
    assert said(Unit([read, read]), autocommit=True, together=True) == [read, read]
    begin, *_, commit = said(Unit([write, write], atomic=True), autocommit=True, together=True)
    assert (begin.sql, commit.sql) == ("START TRANSACTION", "COMMIT")
    moment = [each.sql for each in said(Unit([read, read], at_once=True), autocommit=True, together=True)]
    assert moment[:2] == ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION READ ONLY"]
    # A given engine's connection would leave one open.
    assert [each.sql for each in said(alone, autocommit=False, together=True)] == [
        "START TRANSACTION",
        "SELECT 1",
        "COMMIT",
    ]
