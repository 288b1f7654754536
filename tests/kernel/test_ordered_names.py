"""Values in names: none alike, in order, safe."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.ordered_names import beginning, exact, packed, part

LONG = 100_000
TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
NUMBERS = st.one_of(
    st.integers(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
SAFE = re.compile(r"[!(\-.0-9_a-z~]+")


@given(st.lists(TEXTS, min_size=2, max_size=20))
def test_texts_sort_by_code_point(texts: list[str]) -> None:
    assert [part(each, longest=LONG) for each in sorted(texts)] == sorted(part(each, longest=LONG) for each in texts)


@given(st.lists(NUMBERS, min_size=2, max_size=20))
def test_numbers_sort_by_size_whatever_their_type(numbers: list[Any]) -> None:
    assert [part(each, longest=LONG) for each in sorted(numbers)] == sorted(
        part(each, longest=LONG) for each in numbers
    )


@given(st.lists(st.tuples(TEXTS, NUMBERS, TEXTS), min_size=2, max_size=10))
def test_tuples_sort_column_by_column(keys: list[tuple[Any, ...]]) -> None:
    names = [packed(key, longest=LONG) for key in sorted(keys)]
    assert names == sorted(names)


@given(st.tuples(TEXTS, TEXTS), st.tuples(TEXTS, TEXTS))
def test_no_two_keys_have_one_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    for longest in (LONG, 6):
        assert (packed(one, longest=longest) == packed(other, longest=longest)) is (one == other)


@given(TEXTS)
def test_names_hold_nothing_that_a_path_cannot(text: str) -> None:
    name = part(text, longest=40)
    assert SAFE.fullmatch(name)
    assert name not in (".", "..")
    assert name.lower() == name


def test_equal_numbers_have_one_name() -> None:
    assert part(1, longest=9) == part(1.0, longest=9) == part(True, longest=9)
    assert part(0, longest=9) == part(-0.0, longest=9)


def test_a_cut_name_says_that_it_is_no_order() -> None:
    assert exact(packed(("a" * 9, "b"), longest=20))
    long = packed(("a" * 30, "b"), longest=20)
    assert not exact(long)
    assert long.startswith(beginning("a" * 30, longest=20))
    # What is not cut stands before or after all that is cut alike, as its value does.
    assert packed(("a" * 18,), longest=20) < packed(("a" * 30,), longest=20) < packed(("b",), longest=20)
