"""Merge rules: replays change nothing, and partial traces add up whatever their order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.merging import (
    Elapsed,
    Fill,
    Greatest,
    Keep,
    Least,
    Next,
    OwnerGuard,
    Present,
    Ranked,
    Replace,
    Rule,
    merged,
    rank,
)

STATUS = Ranked(((eq("status", "ERROR"), 2), (eq("status", "OK"), 1)))
TRACE: dict[str, Rule] = {
    "name": Fill(),
    "session_id": Present(),
    "status": STATUS,
    "start": Least(),
    "end": Greatest(),
    "duration": Elapsed("start", "end"),
}
VALUES = st.none() | st.integers(-3, 3)
ROWS = st.fixed_dictionaries({"a": VALUES, "b": VALUES})
RULES = st.sampled_from([Keep(), Replace(), Fill(), Present(), Least(), Greatest(), Next("b")])
START = datetime(2026, 1, 1, tzinfo=UTC)


def moments() -> st.SearchStrategy[str]:
    """Times of day as ISO text."""
    return st.integers(0, 5000).map(lambda ms: (START + timedelta(milliseconds=ms)).isoformat(timespec="microseconds"))


def parts() -> st.SearchStrategy[dict[str, Any]]:
    """What one exporter knows of a trace."""
    return st.fixed_dictionaries(
        {
            "name": st.sampled_from(["run", "step"]),
            "session_id": st.none() | st.just("s"),
            "status": st.sampled_from(["OK", "ERROR", "UNSET"]),
            "start": moments(),
            "end": moments(),
            "duration": st.just(0),
        }
    )


@given(stored=ROWS, incoming=ROWS, rule=RULES)
def test_a_replay_changes_nothing(stored: dict[str, Any], incoming: dict[str, Any], rule: Rule) -> None:
    once = merged(stored, incoming, {"a": rule})
    assert merged(once, incoming, {"a": rule}) == once


@given(stored=ROWS, incoming=ROWS, rule=RULES)
def test_columns_without_a_rule_stay(stored: dict[str, Any], incoming: dict[str, Any], rule: Rule) -> None:
    assert merged(stored, incoming, {"a": rule})["b"] == stored["b"]


@pytest.mark.parametrize(
    ("rule", "results"),
    [
        # Stored 1 and incoming 2; stored 2 and incoming 1; stored null; incoming null.
        (Keep(), (1, 2, None, 1)),
        (Replace(), (2, 1, 2, None)),
        (Fill(), (1, 2, 2, 1)),
        (Present(), (2, 1, 2, 1)),
        (Least(), (1, 1, 2, 1)),
        (Greatest(), (2, 2, 2, 1)),
        (Next("b"), (1, 2, 2, 1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_rule_decides_between_the_stored_and_the_incoming_value(rule: Rule, results: tuple[Any, ...]) -> None:
    pairs = [(1, 2), (2, 1), (None, 2), (1, None)]
    assert tuple(merged({"a": old}, {"a": new}, {"a": rule})["a"] for old, new in pairs) == results


@given(known=st.lists(parts(), min_size=1, max_size=4))
def test_parts_of_a_trace_add_up_in_any_order(known: list[dict[str, Any]]) -> None:
    for order in permutations(known):
        whole = _added_up(order)
        assert whole["start"] == min(part["start"] for part in known)
        assert whole["end"] == max(part["end"] for part in known)
        took = datetime.fromisoformat(whole["end"]) - datetime.fromisoformat(whole["start"])
        if len(known) > 1:
            assert whole["duration"] == took // timedelta(milliseconds=1)
        assert whole["session_id"] == ("s" if any(part["session_id"] for part in known) else None)
        assert rank(whole, STATUS.cases) == max(rank(part, STATUS.cases) for part in known)


def test_an_error_never_turns_back() -> None:
    failed = {"status": "ERROR"}
    for later in ("OK", "UNSET", "ERROR"):
        assert merged(failed, {"status": later}, {"status": STATUS})["status"] == "ERROR"


@pytest.mark.parametrize(
    ("guard", "owner", "writer", "admitted"),
    [
        (OwnerGuard("user", claim=False), "a", "a", True),
        (OwnerGuard("user", claim=False), "a", "b", False),
        (OwnerGuard("user", claim=False), "a", None, False),
        (OwnerGuard("user", claim=False), "a", "", False),
        (OwnerGuard("user", claim=False), None, None, True),
        (OwnerGuard("user", claim=False), None, "a", False),
        (OwnerGuard("user", claim=True), None, "a", True),
        (OwnerGuard("user", claim=True), "", "a", False),
        (OwnerGuard("user", claim=False, unscoped=True), "a", None, True),
        (OwnerGuard("user", claim=False, unscoped=True), "a", "b", False),
    ],
)
def test_a_guard_admits_the_owner_only(
    guard: OwnerGuard,
    owner: str | None,
    writer: str | None,
    admitted: bool,
) -> None:
    assert guard.admits({"user": owner}, {"user": writer}) is admitted


def _added_up(known: Any) -> dict[str, Any]:
    first, *others = known
    for part in others:
        first = merged(first, part, TRACE)
    return dict(first)
