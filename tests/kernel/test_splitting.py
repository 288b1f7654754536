"""Which columns leave a record that does not fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.splitting import kept_apart, pieces

SIZES = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 100), max_size=8)


@given(SIZES, st.sets(st.text("abcdef", min_size=1, max_size=2)), st.integers(0, 300), st.integers(0, 300))
def test_no_more_leave_than_have_to_and_none_that_cannot(
    sizes: dict[str, int], fixed: set[str], fits: int, stays: int
) -> None:
    movable = sizes.keys() - fixed
    apart = kept_apart(sizes, movable, fits=fits, stays=stays)
    assert len(apart) == len(set(apart))
    assert movable.issuperset(apart)
    whole = sum(sizes.values())
    left = whole - sum(sizes[each] for each in apart)
    if whole <= fits:
        assert apart == []
    else:
        assert left <= stays or set(apart) == movable
        assert not apart or left + sizes[apart[-1]] > stays
    assert [sizes[each] for each in apart] == sorted((sizes[each] for each in movable), reverse=True)[: len(apart)]


@given(st.binary(max_size=50), st.integers(1, 20))
def test_pieces_are_the_whole_and_none_is_empty(data: bytes, size: int) -> None:
    cut = pieces(data, size)
    assert b"".join(cut) == data
    assert all(0 < len(each) <= size for each in cut)
