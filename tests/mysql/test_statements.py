"""The SQL of each flavour, by equality: MySQL's own answers no rows of writes, MariaDB's does of inserts."""

from __future__ import annotations

import pytest
from agno.db.utils import run_index_lock_name

from dbrouter.backends.kernel.errors import StoreError, Unsupported
from dbrouter.backends.kernel.filters import Field, eq, not_null
from dbrouter.backends.kernel.merging import Elapsed, Fill, Greatest, Least, Next, OwnerGuard, Ranked, Replace
from dbrouter.backends.kernel.ops import ABSENT, Change, Choice, Claim, Order, Put, Remove, Update, Upsert
from dbrouter.backends.mysql.dialect import MySqlDialect
from dbrouter.backends.mysql.flavour import MARIADB, MYSQL, Flavour, Server, flavour_of
from dbrouter.backends.sql import writing
from dbrouter.backends.sql.layout import Layout
from dbrouter.backends.sql.statements import Statement
from dbrouter.testing.conformance.records import run, session

BOTH = pytest.mark.parametrize("flavour", [MARIADB, MYSQL], ids=lambda flavour: flavour.name)
AUTHZ = {"role": "r", "resource": "x", "action": "read", "effect": "allow"}
VERSION = (
    "SHA2(CONCAT_WS(',', IFNULL(SHA2(`ai`.`agno_authz_grouping`.`subject`, 256), ''),"
    " IFNULL(SHA2(`ai`.`agno_authz_grouping`.`role`, 256), '')), 256)"
)


def relations(flavour: Flavour) -> Layout:
    return Layout({}, MySqlDialect("ai", Server(flavour)), "ai")


def texts(statement: Statement) -> list[str]:
    return [part.sql for part in statement.parts]


@BOTH
def test_an_upsert_without_an_answer_is_one_statement(flavour: Flavour) -> None:
    op = Upsert(table="authz_policy", records=(AUTHZ,), rules={"effect": Replace()}, returning=False)
    (statement,) = writing.upsert(op, relations(flavour).relations)
    incoming = {"MariaDB": ("", "VALUES(`effect`)"), "MySQL": (" AS dbr_new", "dbr_new.`effect`")}[flavour.name]
    insert = "INSERT INTO `ai`.`agno_authz_policy` (`role`, `resource`, `action`, `effect`) VALUES (%s, %s, %s, %s)"
    assert texts(statement) == [f"{insert}{incoming[0]} ON DUPLICATE KEY UPDATE `effect` = {incoming[1]}"]
    assert not statement.gives_rows


def test_mariadb_answers_an_upsert_itself_and_mysql_is_asked_behind_it() -> None:
    op = Upsert(table="authz_policy", records=(AUTHZ,), rules={"effect": Replace()})
    (on_mariadb,) = writing.upsert(op, relations(MARIADB).relations)
    (on_mysql,) = writing.upsert(op, relations(MYSQL).relations)
    (text,) = texts(on_mariadb)
    assert " RETURNING `ai`.`agno_authz_policy`.`role`, " in text
    insert, select = texts(on_mysql)
    assert "RETURNING" not in insert
    assert select.startswith("SELECT `ai`.`agno_authz_policy`.`role`, `ai`.`agno_authz_policy`.`resource`, ")
    assert select.endswith(
        " FROM `ai`.`agno_authz_policy` WHERE (`ai`.`agno_authz_policy`.`role` = %s"
        " AND `ai`.`agno_authz_policy`.`resource` = %s AND `ai`.`agno_authz_policy`.`action` = %s)"
    )


@BOTH
def test_a_record_that_meets_another_unique_set_fails_by_a_value_that_cannot_be(flavour: Flavour) -> None:
    record = {"id": "a", "provider": "p", "user_id": "u", "service": "s", "token_data": {}, "created_at": 1}
    op = Upsert(table="auth_tokens", records=(record,), rules={"token_data": Replace()}, returning=False)
    (statement,) = writing.upsert(op, relations(flavour).relations)
    first = statement.sql.partition("ON DUPLICATE KEY UPDATE ")[2].partition(" END")[0]
    assert first == (
        f"`id` = CASE WHEN `ai`.`agno_auth_tokens`.`id` = {'dbr_new.`id`' if flavour is MYSQL else 'VALUES(`id`)'}"
        " THEN `ai`.`agno_auth_tokens`.`id` ELSE (SELECT 'a' UNION ALL SELECT 'b')"
    )


def test_a_guard_stands_in_every_assignment_and_its_column_changes_last() -> None:
    rules = {"user_id": Fill(), "agent_id": Replace(), "session_data": Replace()}
    guard = OwnerGuard("user_id", claim=True)
    op = Upsert(table="sessions", records=(session("s1"),), rules=rules, guard=guard, returning=False)
    (statement,) = writing.upsert(op, relations(MYSQL).relations)
    text = statement.sql.partition(" ON DUPLICATE KEY UPDATE ")[2]
    order = [text.index(f"`{column}` = CASE WHEN (") for column in ("agent_id", "session_data", "user_id")]
    assert order == sorted(order)
    assert text.count("`ai`.`agno_sessions`.`user_id` IS NULL)") == 3


def test_what_others_are_worked_out_of_changes_after_them() -> None:
    ranked = Ranked(((not_null("agent_id"), 1),))
    rules = {
        "start_time": Least(),
        "agent_id": Fill(),
        "name": ranked,
        "duration_ms": Elapsed("start_time", "end_time"),
    }
    record = {
        **dict.fromkeys(("name", "status", "created_at"), "x"),
        **dict.fromkeys(("start_time", "end_time"), "2024-01-01T00:00:00+00:00"),
        "trace_id": "t",
        "duration_ms": 0,
    }
    op = Upsert(table="traces", records=(record,), rules={**rules, "end_time": Greatest()}, returning=False)
    (statement,) = writing.upsert(op, relations(MARIADB).relations)
    text = statement.sql.partition(" ON DUPLICATE KEY UPDATE ")[2]
    at = {column: text.index(f"`{column}` = ") for column in (*rules, "end_time")}
    assert at["name"] < at["agent_id"]
    assert at["duration_ms"] < min(at["start_time"], at["end_time"])


def test_columns_that_are_set_from_one_another_are_refused_by_name() -> None:
    crossed = {
        "locked_by": Choice(where=eq("description", "a"), then="x", otherwise="y"),
        "description": Choice(where=eq("locked_by", "a"), then="x", otherwise="y"),
    }
    with pytest.raises(StoreError, match="locked_by, description from one another"):
        writing.update(Update(table="schedules", where=eq("id", "1"), changes=crossed), relations(MYSQL).relations)


@BOTH
def test_an_expected_absence_is_asked_for_in_the_insert(flavour: Flavour) -> None:
    op = Upsert(table="authz_policy", records=(AUTHZ,), expect=ABSENT, returning=False)
    (statement,) = writing.upsert(op, relations(flavour).relations)
    assert texts(statement)[0].startswith(
        "INSERT INTO `ai`.`agno_authz_policy` (`role`, `resource`, `action`, `effect`) SELECT %s, %s, %s, %s FROM DUAL"
        " WHERE NOT EXISTS (SELECT 1 FROM `ai`.`agno_authz_policy` AS dbr_same WHERE (dbr_same.`role` = %s"
        " AND dbr_same.`resource` = %s AND dbr_same.`action` = %s))"
    )


@BOTH
def test_a_record_put_under_a_version_is_compared_by_digest_and_answers_its_new_one(flavour: Flavour) -> None:
    put = Put(table="authz_grouping", record={"subject": "s", "role": "r"}, expect="digest")
    statement = writing.put(put, relations(flavour).relations)
    where = "(`ai`.`agno_authz_grouping`.`subject` = %s AND `ai`.`agno_authz_grouping`.`role` = %s)"
    assert texts(statement) == [
        f"UPDATE `ai`.`agno_authz_grouping` SET `subject` = %s, `role` = %s WHERE {where} AND {VERSION} = %s",
        f"SELECT {VERSION} FROM `ai`.`agno_authz_grouping` WHERE {where}",
    ]
    assert statement.params == ("s", "r", "s", "r", "digest")


@BOTH
def test_a_removal_and_a_change_tell_by_their_count(flavour: Flavour) -> None:
    where = relations(flavour).relations
    remove = writing.remove(Remove(table="sessions", key=("s1",)), where)
    change = writing.change(Change(table="schedules", key=("1",), changes={"enabled": False}), where)
    assert texts(remove) == ["DELETE FROM `ai`.`agno_sessions` WHERE `ai`.`agno_sessions`.`session_id` = %s"]
    assert texts(change) == ["UPDATE `ai`.`agno_schedules` SET `enabled` = %s WHERE `ai`.`agno_schedules`.`id` = %s"]
    assert not remove.gives_rows
    assert not change.gives_rows


@BOTH
def test_an_update_answers_rows_that_were_read_as_they_will_be(flavour: Flavour) -> None:
    op = Update(table="authz_policy", where=eq("role", "r"), changes={"effect": "deny"}, returning=False)
    table = "`ai`.`agno_authz_policy`"
    assert texts(writing.update(op, relations(flavour).relations)) == [
        f"SELECT {table}.`role`, {table}.`resource`, {table}.`action` FROM {table} WHERE {table}.`role` = %s FOR UPDATE",
        "SET @dbr_seen = FOUND_ROWS()",
        f"UPDATE {table} SET `effect` = %s WHERE {table}.`role` = %s",
        "SELECT CASE WHEN ROW_COUNT() = @dbr_seen THEN 'a' ELSE (SELECT 'a' UNION ALL SELECT 'b') END",
    ]


@BOTH
def test_a_claim_locks_the_first_free_row_of_those_in_order(flavour: Flavour) -> None:
    op = Claim(table="authz_roles", where=eq("is_default", True), order=(Order(Field("name")),), changes={"name": "x"})
    reset, lock, update, read = texts(writing.claim(op, relations(flavour).relations))
    table = "`ai`.`agno_authz_roles`"
    assert reset == "SET @dbr_key0 = NULL"
    assert lock == (
        f"SELECT {table}.`slug` INTO @dbr_key0 FROM (SELECT {table}.`slug` AS dbr_key0, ROW_NUMBER() OVER (ORDER BY"
        f" {table}.`name` IS NULL, {table}.`name`, {table}.`slug`) AS dbr_at FROM {table}"
        f" WHERE {table}.`is_default` = %s ORDER BY dbr_at LIMIT 100) AS dbr_free STRAIGHT_JOIN {table}"
        f" ON {table}.`slug` = dbr_free.dbr_key0 WHERE {table}.`is_default` = %s"
        " ORDER BY dbr_free.dbr_at LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    assert update == f"UPDATE {table} SET `name` = %s WHERE {table}.`slug` = @dbr_key0"
    assert read.endswith(f"FROM {table} WHERE {table}.`slug` = @dbr_key0")


@BOTH
def test_a_position_is_taken_under_the_lock_that_agnos_class_takes(flavour: Flavour) -> None:
    op = Upsert(table="runs", records=(run("r1"),), rules={"run_index": Next("session_id")}, returning=False)
    lock, insert = writing.upsert(op, relations(flavour).relations)
    assert "GET_LOCK(%s, 10) = 1" in lock.sql
    assert lock.params == (run_index_lock_name("s1"),)
    assert lock.after == "DO RELEASE_ALL_LOCKS()"
    # The table that is written cannot be read beside it, but a derived table of it can.
    assert (
        "(SELECT * FROM (SELECT COALESCE(MAX(dbr_next.`run_index`) + 1, 0) FROM `ai`.`agno_runs` AS dbr_next"
        " WHERE dbr_next.`session_id` = %s LIMIT 1) AS dbr_apart)"
    ) in insert.sql


def test_text_in_json_is_compared_by_code_point_and_null_in_json_is_null() -> None:
    dialect = MySqlDialect("ai", Server(MYSQL))
    at = """JSON_EXTRACT(x, '$."it''s"."50%%"')"""
    assert dialect.json_at("x", ("it's", "50%")) == (
        f"CONVERT(CASE JSON_TYPE({at}) WHEN 'NULL' THEN NULL ELSE JSON_UNQUOTE({at}) END USING utf8mb4)"
        " COLLATE utf8mb4_0900_bin"
    )
    assert dialect.has_item("x") == "(JSON_TYPE(x) = 'ARRAY' AND JSON_OVERLAPS(x, JSON_ARRAY(%s)))"


def test_nulls_are_larger_than_every_value() -> None:
    dialect = MySqlDialect("ai", Server(MYSQL))
    assert dialect.ordered("x", descending=False, nullable=True) == "x IS NULL, x"
    assert dialect.ordered("x", descending=True, nullable=True) == "x IS NULL DESC, x DESC"
    assert dialect.ordered("x", descending=True, nullable=False) == "x DESC"


def test_the_flavour_is_what_the_server_says_of_itself() -> None:
    assert flavour_of("5.5.5-10.11.19-MariaDB-0+deb12u1") is MARIADB
    assert flavour_of("11.4.2-MariaDB") is MARIADB
    assert flavour_of("8.0.36") is MYSQL
    assert flavour_of("9.7.4-2") is MYSQL
    for old in ("5.7.44", "8.0.18", "5.5.5-10.6.12-MariaDB"):
        with pytest.raises(Unsupported, match="or newer is needed"):
            flavour_of(old)
