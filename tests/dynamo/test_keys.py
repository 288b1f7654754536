"""Keys: partitions that are never mistaken, and bytes that sort as values do."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.dynamo.keys import LONGEST_PARTITION, LONGEST_SORT, partition, sorting

TEXTS = st.text(st.characters(), max_size=8) | st.text(st.sampled_from("a\0\x01\xff\ufdd0\ud800\U0010ffff"), max_size=4)
NUMBERS = st.integers() | st.floats(allow_nan=False) | st.booleans()


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_texts_sort_by_code_point_one_part_after_the_other(a: str, b: str, c: str, d: str) -> None:
    assert (sorting((a, b)) < sorting((c, d))) == ((a, b) < (c, d))
    assert (sorting((a, b)) == sorting((c, d))) == ((a, b) == (c, d))


@given(NUMBERS, NUMBERS)
def test_numbers_of_every_kind_sort_by_value(a: float, b: float) -> None:
    assert (sorting((a,)) < sorting((b,))) == (a < b)
    assert (sorting((a,)) == sorting((b,))) == (a == b)


@given(NUMBERS | TEXTS, NUMBERS | TEXTS)
def test_nulls_come_last(value: Any, key: Any) -> None:
    assert sorting((value, key)) < sorting((None, key))
    assert sorting((None, "a")) < sorting((None, "b"))


def test_huge_and_infinite_numbers_have_their_place() -> None:
    ordered = [-math.inf, -(10**400), -(2**63), -1.5, -1, -5e-324, 0, 5e-324, 0.5, 1, 2**63, 10**400, math.inf]
    assert sorted(ordered, key=lambda each: sorting((each,))) == ordered


@given(st.lists(TEXTS | NUMBERS, max_size=3), st.lists(TEXTS | NUMBERS, max_size=3))
def test_two_lists_share_a_partition_only_if_they_are_equal(a: list[Any], b: list[Any]) -> None:
    assert (partition(*a) == partition(*b)) == (a == b)


def test_a_joined_key_is_never_another_pair() -> None:
    pairs = [("a", "b,c"), ("a,b", "c"), ('a","b', "c"), ("a\0b", "c"), ("a", "\0bc"), ("", "abc"), ("abc", "")]
    assert len({partition(*pair) for pair in pairs}) == len({sorting(pair) for pair in pairs}) == len(pairs)


def test_what_is_too_long_keeps_its_beginning_and_still_differs() -> None:
    long, longer = "😀" * 1000, "😀" * 1001
    for key in (partition(long), partition(long, "x"), partition(longer)):
        assert len(key.encode()) <= LONGEST_PARTITION
        assert key.startswith('["😀😀')
    assert len({partition(long), partition(long, "x"), partition(longer)}) == 3
    assert len(sorting((long,))) == LONGEST_SORT
    assert sorting((long,)) != sorting((longer,))
    assert sorting(("a", long)) < sorting(("b", long))


def test_a_day_is_found_by_the_text_that_it_is_written_as() -> None:
    assert partition(date(2024, 2, 29)) == partition("2024-02-29") == '["2024-02-29"]'
