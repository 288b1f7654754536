"""SingleStore's SQL, by equality with files that people can read: there is no SingleStore to run it on."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE
from dbrouter.backends.kernel.filters import Compare, Comparison, Contains, Field, HasItem, Like, eq
from dbrouter.backends.mysql.conversation import require, said
from dbrouter.backends.singlestore.native_filters import runs_natively
from dbrouter.backends.singlestore.store import CAPABILITIES
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.statements import Requirement, RequirementMissed, Statement
from tests.singlestore.written import STATEMENTS, TABLES, statements, tables

RENEW = "python -m tests.singlestore.written"


def test_tables_are_made_as_the_file_says() -> None:
    assert tables() == TABLES.read_text(), RENEW


def test_statements_are_what_the_file_says() -> None:
    assert statements() == STATEMENTS.read_text(), RENEW


def test_every_table_has_its_key_for_a_shard_key_and_no_other_set_is_declared_unique() -> None:
    for table in tables().split(";\n\n"):
        key = table.partition("PRIMARY KEY (")[2].partition(")")[0]
        assert f"SHARD KEY ({key})" in table
        assert "UNIQUE" not in table
        assert "FOREIGN KEY" not in table


def test_nothing_is_claimed_that_singlestore_does_not_enforce() -> None:
    assert EVERYTHING_NATIVE.uniques
    claimed = {name for name, value in CAPABILITIES.as_dict().items() if value is True}
    assert claimed == {"order", "counts", "loads", "upserts", "aggregates", "batches", "commits"}


def test_what_looks_into_json_is_the_kernels() -> None:
    inside = Field("session_data", ("session_name",))
    for where in (
        Compare(inside, Comparison.EQ, "x"),
        Contains(inside, "x"),
        Contains(Field("memory"), "tea"),
        HasItem("topics", "tea"),
        Like("content", "%tea%"),
    ):
        assert not runs_natively(where), where
    assert runs_natively(eq("user_id", "u"))
    assert runs_natively(Contains(Field("name"), "tea"))


def test_statements_go_one_by_one_and_what_a_transaction_needs_is_looked_at_in_between() -> None:
    update = Statement("UPDATE x", (), True, False, requires=Requirement.A_ROW)
    check = Statement("SELECT 1", (), True, requires=Requirement.NO_ROW)
    sent = said(Unit([update, check], atomic=True), autocommit=True, together=False)
    assert [each.sql for each in sent] == ["START TRANSACTION", "UPDATE x", "SELECT 1", "COMMIT"]
    require(update, ((), 1))
    require(check, ((), 0))
    for statement, result in ((update, ((), 0)), (check, (((1,),), 1))):
        with pytest.raises(RequirementMissed):
            require(statement, result)
