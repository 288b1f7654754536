"""Filters: three-valued logic, and the split between a store and the kernel."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.capabilities import only_everything
from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    And,
    Compare,
    Comparison,
    Contains,
    Everything,
    Field,
    Filter,
    HasItem,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Related,
    StartsWith,
    all_of,
    eq,
    pinned,
)
from dbrouter.backends.kernel.matching import Truth, matches, split, truth
from tests.kernel.generated import filters, kinds_of, leaves, records

TRUTHS: dict[Truth, Filter] = {True: eq("yes", 1), False: eq("yes", 2), None: eq("no", 1)}
RECORD = {"yes": 1, "no": None}
KINDS: list[type[Any]] = [Compare, In, IsNull, Contains, StartsWith, Like, HasItem, And, Or, Not, Everything]


@given(where=filters(), record=records(), native=st.sets(st.sampled_from(KINDS)))
def test_a_record_matches_the_whole_where_it_matches_both_parts(
    where: Filter, record: dict[str, Any], native: set[type[Filter]]
) -> None:
    ours, residual = split(where, lambda each: type(each) in native)
    assert matches(where, record) == (matches(ours, record) and matches(residual, record))


@given(where=filters(), native=st.sets(st.sampled_from(KINDS)))
def test_a_store_is_given_only_filters_that_it_runs(where: Filter, native: set[type[Filter]]) -> None:
    ours, _ = split(where, lambda each: type(each) in native)
    # A conjunction may be made by the split itself: every store that filters can be given several filters.
    assert kinds_of(ours) <= native | {And, Everything}


@given(where=filters())
def test_a_store_that_runs_everything_is_given_everything(where: Filter) -> None:
    assert split(where, lambda _: True) == (where, EVERYTHING)


@given(where=filters())
def test_a_store_that_filters_nothing_is_given_nothing(where: Filter) -> None:
    assert split(where, only_everything)[0] == EVERYTHING


@pytest.mark.parametrize(("left", "right"), list(product(TRUTHS, repeat=2)))
def test_conjunction_is_the_least_and_disjunction_the_greatest_truth(left: Truth, right: Truth) -> None:
    ranks: dict[Truth, int] = {False: 0, None: 1, True: 2}
    pair = (TRUTHS[left], TRUTHS[right])
    assert truth(And(pair), RECORD) is min(left, right, key=ranks.__getitem__)
    assert truth(Or(pair), RECORD) is max(left, right, key=ranks.__getitem__)


@pytest.mark.parametrize("each", TRUTHS)
def test_the_negation_of_unknown_is_unknown(each: Truth) -> None:
    assert truth(Not(TRUTHS[each]), RECORD) is (None if each is None else not each)


@given(parts=st.lists(filters(), max_size=3).map(tuple), record=records())
def test_negation_turns_conjunction_into_disjunction(parts: tuple[Filter, ...], record: dict[str, Any]) -> None:
    negated = tuple(Not(part) for part in parts)
    assert truth(Not(And(parts)), record) is truth(Or(negated), record)
    assert truth(Not(Or(parts)), record) is truth(And(negated), record)


@given(where=filters(), record=records())
def test_a_record_never_matches_a_filter_and_its_negation(where: Filter, record: dict[str, Any]) -> None:
    assert not (matches(where, record) and matches(Not(where), record))
    assert truth(Not(Not(where)), record) is truth(where, record)


@given(where=leaves())
def test_nothing_is_known_about_nulls_but_that_they_are_null(where: Filter) -> None:
    nothing: dict[str, Any] = {"text": None, "number": None, "flag": None, "document": None}
    match where:
        case IsNull() | Everything():
            assert truth(where, nothing) is True
        case In(values=()):
            assert truth(where, nothing) is False
        case _:
            assert truth(where, nothing) is None


@given(parts=st.lists(filters(), max_size=4), record=records())
def test_all_of_is_the_conjunction(parts: list[Filter], record: dict[str, Any]) -> None:
    assert matches(all_of(*parts), record) == all(matches(part, record) for part in parts)


@given(where=filters(), record=records())
def test_a_matching_record_has_the_pinned_values(where: Filter, record: dict[str, Any]) -> None:
    if matches(where, record):
        for column, value in pinned(where).items():
            assert record[column] == value


def test_a_comparison_with_null_is_refused() -> None:
    with pytest.raises(TypeError, match="IsNull"):
        Compare(Field("text"), Comparison.EQ, None)  # type: ignore[arg-type]


def test_a_question_to_another_table_must_be_answered_before_matching() -> None:
    with pytest.raises(TypeError, match="resolve"):
        matches(Related("text", "sessions", "session_id", EVERYTHING), {"text": "a"})


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [("a_c", True), ("A%", True), ("a\\_c", False), ("%b%", True), ("b", False), ("abc", True), ("", False)],
)
def test_like_knows_two_wildcards_and_an_escape(pattern: str, matching: bool) -> None:
    assert matches(Like("document", f'"{pattern}"'), {"document": "abc"}) is matching
