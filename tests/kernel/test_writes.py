"""The writes of a commit, one for each record."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import Conflict, Duplicate, Unsupported
from dbrouter.backends.kernel.filters import EVERYTHING
from dbrouter.backends.kernel.ops import ABSENT, Check, Put, Remove, Require
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.backends.kernel.writes import Asked, asked, of_each_record
from dbrouter.testing.conformance.records import session

SPEC = ALL_TABLES["sessions"]


def of(write: Put | Remove | Check | Require) -> Asked:
    return asked(SPEC, write)


def test_a_check_before_a_write_of_the_same_record_is_its_condition() -> None:
    check = of(Check(table="sessions", key=("a",), expect=7))
    put = of(Put(table="sessions", record=session("a"), expect=None))
    other = of(Remove(table="sessions", key=("b",), expect=None))
    assert [(each.key, each.expect) for each in of_each_record([check, other, put])] == [(("a",), 7), (("b",), None)]
    assert isinstance(of_each_record([check, put])[0].write, Put)


@pytest.mark.parametrize("expect", [8, ABSENT])
def test_a_check_that_expects_something_else_than_the_write_is_refused(expect: object) -> None:
    check = of(Check(table="sessions", key=("a",), expect=7))
    with pytest.raises(Unsupported, match="writes one record twice"):
        of_each_record([check, of(Put(table="sessions", record=session("a"), expect=expect))])


def test_two_writes_of_one_record_are_refused() -> None:
    remove = of(Remove(table="sessions", key=("a",), expect=None))
    with pytest.raises(Unsupported, match="writes one record twice"):
        of_each_record([remove, of(Put(table="sessions", record=session("a"), expect=None))])


def test_conditions_on_content_are_the_kernels() -> None:
    with pytest.raises(Unsupported, match="on versions"):
        of(Require(table="sessions", key=("a",), where=EVERYTHING))


def test_the_refusal_says_what_was_expected() -> None:
    assert isinstance(of(Put(table="sessions", record=session("a"), expect=ABSENT)).refusal(), Duplicate)
    for expect in (7, None):
        assert isinstance(of(Put(table="sessions", record=session("a"), expect=expect)).refusal(), Conflict)
    assert "first all the time" in str(of(Remove(table="sessions", key=("a",), expect=None)).refusal())
