"""Filters of access paths, taken apart."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import Unsupported
from dbrouter.backends.kernel.filters import EVERYTHING, all_of, eq, is_null, one_of
from dbrouter.backends.kernel.paths import Path, path_of


def test_a_path_has_its_columns_and_each_way_once() -> None:
    assert path_of(eq("a", 1)) == Path(("a",), ((1,),))
    assert path_of(all_of(eq("t", "x"), one_of("a", [1, 2, 1]))) == Path(("t", "a"), (("x", 1), ("x", 2)))
    assert path_of(one_of("a", [])) == Path(("a",), ())


def test_everything_has_no_columns_and_one_way() -> None:
    path = path_of(EVERYTHING)
    assert path == Path((), ((),))
    assert path.along(()) == ((),)
    assert path.is_of(())


def test_ways_come_in_the_order_of_the_columns_that_are_asked_for() -> None:
    path = path_of(all_of(one_of("a", [1, 2]), eq("t", "x")))
    assert path.along(("t", "a")) == (("x", 1), ("x", 2))
    assert path.along(("t",)) == (("x",),)
    assert path.is_of(("t", "a"))
    assert not path.is_of(("t",))


@pytest.mark.parametrize("where", [is_null("a"), all_of(eq("a", 1), is_null("b"))])
def test_what_is_no_path_is_refused_and_not_left_out(where: object) -> None:
    with pytest.raises(Unsupported, match="along a path"):
        path_of(where)  # type: ignore[arg-type]
