"""Two writers of one session's data: neither loses what it changed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.errors import Conflict
from dbrouter.router.families.state_merge import merged

NAN = float("nan")


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "result"),
    [
        pytest.param({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}, id="only they changed"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}, id="only I changed"),
        pytest.param({}, {"a": 1}, {"b": 2}, {"b": 2, "a": 1}, id="each added a key"),
        pytest.param(
            {"a": 1, "b": 2}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 3}, id="I deleted, they added"
        ),
        pytest.param({"a": 1}, {}, {}, {}, id="both deleted"),
        pytest.param({"n": 5}, {"n": 6}, {"n": 6}, {"n": 7}, id="two equal increments are two"),
        pytest.param({"n": 5}, {"n": 2}, {"n": 9}, {"n": 6}, id="counters go up and down"),
        pytest.param({}, {"n": 1}, {"n": 1}, {"n": 2}, id="counters that both began"),
        pytest.param({"n": None}, {"n": 1}, {"n": 2}, {"n": 3}, id="counters that began as null"),
        pytest.param({"n": 1}, {"n": 1.5}, {"n": 2}, {"n": 2.5}, id="counters of fractions"),
        pytest.param({"d": {"n": 1}}, {"d": {"n": 2}}, {"d": {"n": 2}}, {"d": {"n": 3}}, id="counters inside"),
        pytest.param({"l": [1]}, {"l": [1, 2]}, {"l": [1, 3]}, {"l": [1, 3, 2]}, id="both appended"),
        pytest.param({"l": [1]}, {"l": [1, 2]}, {"l": [1, 2]}, {"l": [1, 2, 2]}, id="equal appends are two"),
        pytest.param({}, {"l": ["a"]}, {"l": ["a"]}, {"l": ["a"]}, id="a list that both began alike is one"),
        pytest.param({"l": [1, 2]}, {"l": [2]}, {"l": [2]}, {"l": [2]}, id="both took the same from a list"),
        pytest.param({}, {"l": ["a"]}, {"l": ["b"]}, {"l": ["b", "a"]}, id="both began a list"),
        pytest.param({"l": [1, 2]}, {"l": [2]}, {"l": [1, 2]}, {"l": [2]}, id="I took from a list"),
        pytest.param({"l": [1, 2]}, {"l": [2]}, {"l": [1, 2, 3]}, {"l": [2]}, id="I took from a list they appended to"),
        pytest.param({"t": "a"}, {"t": "b"}, {"t": "c"}, {"t": "b"}, id="both changed a text: mine"),
        pytest.param({"t": "a"}, {"t": "b"}, {"t": "b"}, {"t": "b"}, id="both changed a text to the same"),
        pytest.param({"t": "a"}, {}, {"t": "c"}, {"t": "c"}, id="a change beats my deletion"),
        pytest.param({"t": "a"}, {"t": "c"}, {}, {"t": "c"}, id="my change beats a deletion"),
        pytest.param({"b": True}, {"b": False}, {"b": True}, {"b": False}, id="a switch is no counter"),
        pytest.param({"b": 1}, {"b": True}, {"b": 1}, {"b": True}, id="true is not one"),
        pytest.param({"b": False}, {"b": True}, {"b": True}, {"b": True}, id="both switched on"),
        pytest.param({"x": {"a": 1}}, {"x": [1]}, {"x": {"a": 2}}, {"x": [1]}, id="kinds that differ: mine"),
        pytest.param(
            {"x": "text"}, {"x": {"a": 1}}, {"x": {"b": 1}}, {"x": {"b": 1, "a": 1}}, id="both made it a dict"
        ),
        pytest.param({"n": NAN}, {"n": NAN}, {"n": 1}, {"n": 1}, id="NaN is NaN"),
    ],
)
def test_both_changes_stay(base: Any, mine: Any, theirs: Any, result: Any) -> None:
    given_ = copy.deepcopy((base, mine, theirs))
    assert merged(base, mine, theirs) == result
    assert repr((base, mine, theirs)) == repr(given_)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "path"),
    [
        ({"t": "a"}, {"t": "b"}, {"t": "c"}, r"session_data\.t"),
        ({"d": {"t": "a"}}, {"d": {}}, {"d": {"t": "c"}}, r"session_data\.d\.t"),
        ({"l": [1, 2]}, {"l": [2]}, {"l": [1, 2, 3]}, r"session_data\.l"),
        ({"b": None}, {"b": True}, {"b": "x"}, r"session_data\.b"),
    ],
)
def test_a_true_conflict_is_named_when_the_policy_is_to_raise(base: Any, mine: Any, theirs: Any, path: str) -> None:
    with pytest.raises(Conflict, match=f"^{path}: "):
        merged(base, mine, theirs, strict=True)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "result"),
    [
        ({"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}),
        ({"l": []}, {"l": [1]}, {"l": [2]}, {"l": [2, 1]}),
        ({}, {"a": "x"}, {"b": "y"}, {"a": "x", "b": "y"}),
        ({"t": "a"}, {"t": "b"}, {"t": "b"}, {"t": "b"}),
    ],
)
def test_what_merges_by_itself_is_no_conflict(base: Any, mine: Any, theirs: Any, result: Any) -> None:
    assert merged(base, mine, theirs, strict=True) == result


SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(width=16, allow_nan=False) | st.sampled_from("abc")
VALUES = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("klm"), below, max_size=3),
    max_leaves=8,
)
DATA = st.dictionaries(st.sampled_from("pqrstuv"), VALUES, max_size=5)


@given(DATA, DATA)
def test_one_writer_alone_gets_what_it_wrote(base: Any, changed: Any) -> None:
    assert repr(merged(base, copy.deepcopy(changed), base)) == repr(changed) or merged(base, changed, base) == changed
    assert merged(base, base, changed) == changed
    assert merged(base, base, base) == base


@given(DATA, st.dictionaries(st.sampled_from("abc"), VALUES), st.dictionaries(st.sampled_from("xyz"), VALUES))
def test_changes_of_different_keys_all_stay(base: Any, mine: Any, theirs: Any) -> None:
    assert merged(base, {**base, **mine}, {**base, **theirs}, strict=True) == {**base, **theirs, **mine}


@given(DATA, st.data())
def test_deletions_of_different_keys_all_stay(base: Any, data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(sorted(base))) if base else st.just(set()))
    theirs_gone = data.draw(st.sets(st.sampled_from(sorted(base))) if base else st.just(set()))
    mine = {key: value for key, value in base.items() if key not in gone}
    theirs = {key: value for key, value in base.items() if key not in theirs_gone}
    assert merged(base, mine, theirs, strict=True) == {
        key: value for key, value in base.items() if key not in gone | theirs_gone
    }


@given(st.integers(), st.lists(st.integers(), max_size=12))
def test_a_counter_is_the_sum_of_all_changes(start: int, steps: list[int]) -> None:
    stored: dict[str, Any] = {"deep": {"n": start}}
    for step in steps:
        # Every writer has read the first value.
        stored = merged({"deep": {"n": start}}, {"deep": {"n": start + step}}, stored)
    assert stored == {"deep": {"n": start + sum(steps)}}


@given(st.lists(VALUES, max_size=4), st.lists(VALUES, max_size=4), st.lists(VALUES, max_size=4))
def test_lists_keep_both_tails_and_their_order(base: list[Any], mine: list[Any], theirs: list[Any]) -> None:
    assert merged(base, base + mine, base + theirs) == base + theirs + mine


@given(DATA, DATA, DATA)
def test_whatever_was_changed_by_one_side_only_is_there(base: Any, mine: Any, theirs: Any) -> None:
    result = merged(base, mine, theirs)
    for key in {*base, *mine, *theirs}:
        known, my_value, their_value = (repr(each.get(key, "absent")) for each in (base, mine, theirs))
        if my_value == known:
            assert repr(result.get(key, "absent")) == their_value
        elif their_value == known:
            assert repr(result.get(key, "absent")) == my_value


@given(DATA, DATA, DATA, st.booleans())
def test_merging_never_changes_what_it_was_given(base: Any, mine: Any, theirs: Any, strict: bool) -> None:
    before = repr((base, mine, theirs))
    try:
        merged(base, mine, theirs, strict=strict)
    except Conflict:
        assert strict
    assert repr((base, mine, theirs)) == before
