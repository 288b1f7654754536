"""Values as bytes: they come back the same, sort as the values do, and several in a row sort as a tuple does."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.ordered_form import NULL, canonical, decoded, encoded, parts_of

TEXT = st.text(st.characters(exclude_categories=()), max_size=8) | st.sampled_from(["", "\x00", "a\x00", "a", "\ud800"])
NUMBERS = (
    st.integers()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.sampled_from([10**400, -(10**400), 2**63, -(2**63) - 1, 2**53 + 1, float(2**53), 5e-324, 1e308])
)
DATES = st.dates()


@given(TEXT | NUMBERS | DATES | st.binary(max_size=4))
def test_a_value_comes_back_the_same_in_type_too(value: Any) -> None:
    again = decoded(encoded(value))
    assert type(again) is type(value)
    assert again == value
    assert repr(again) == repr(value)  # the sign of zero


def test_what_equals_nothing_and_what_is_beyond_all_numbers_come_back() -> None:
    assert math.isnan(decoded(encoded(math.nan)))
    assert decoded(encoded(-math.inf)) == -math.inf


@given(st.lists(TEXT, max_size=12) | st.lists(NUMBERS, max_size=12) | st.lists(DATES, max_size=12))
def test_the_bytes_sort_as_the_values_do(values: list[Any]) -> None:
    assert [canonical(each) for each in sorted(values)] == sorted(map(canonical, values))


@given(NUMBERS, NUMBERS)
def test_equal_numbers_have_the_same_bytes_in_an_index_whatever_their_types(left: Any, right: Any) -> None:
    assert (canonical(left) == canonical(right)) is (left == right)
    assert (canonical(left) < canonical(right)) is (left < right)


@given(st.lists(st.tuples(TEXT, NUMBERS, TEXT), max_size=8))
def test_values_in_a_row_sort_as_a_tuple_does(rows: list[tuple[Any, ...]]) -> None:
    assert [b"".join(map(canonical, row)) for row in sorted(rows)] == sorted(
        b"".join(map(canonical, row)) for row in rows
    )


@given(st.lists(TEXT | NUMBERS | DATES | st.none(), max_size=5))
def test_values_in_a_row_can_be_told_apart_again(values: list[Any]) -> None:
    assert list(parts_of(b"".join(map(canonical, values)))) == values


@given(TEXT | NUMBERS | DATES)
def test_nulls_sort_after_every_value(value: Any) -> None:
    assert canonical(value) < NULL
    assert canonical(date.max) < NULL
