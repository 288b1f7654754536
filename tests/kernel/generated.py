"""Hypothesis strategies for filters, records and orders over one made-up table."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    And,
    Compare,
    Comparison,
    Contains,
    Field,
    Filter,
    HasItem,
    In,
    IsNull,
    Like,
    Not,
    Or,
    StartsWith,
)
from dbrouter.backends.kernel.ops import Order

TEXTS = st.sampled_from(["", "a", "A", "ab", "B", "b%", "_", "é", "\x00", "\U0001f600", "\uffff"])
NUMBERS = st.integers(-2, 2)
DOCUMENTS = st.sampled_from(
    [{}, {"name": "ab"}, {"name": "A", "deep": {"n": 1}}, {"name": None}, ["a", "b%"], [], {"deep": {"n": "1"}}, ["A"]]
)
COMPARISONS = st.sampled_from(list(Comparison))


def records() -> st.SearchStrategy[dict[str, Any]]:
    """Rows with nulls in every column but the key."""
    return st.fixed_dictionaries(
        {
            "text": st.none() | TEXTS,
            "number": st.none() | NUMBERS,
            "flag": st.none() | st.booleans(),
            "document": st.none() | DOCUMENTS,
        }
    )


def tables() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Some rows with different keys (`left`, `right`)."""
    return st.lists(
        st.tuples(st.integers(0, 5), TEXTS, records()).map(lambda row: {"left": row[0], "right": row[1], **row[2]}),
        unique_by=lambda row: (row["left"], row["right"]),
        max_size=15,
    )


def orders() -> st.SearchStrategy[tuple[Order, ...]]:
    """Sort terms, some with a fallback or a path into the document."""
    plain = st.builds(Order, st.sampled_from(["text", "number", "flag", "right"]).map(Field), st.booleans())
    falling_back = st.builds(Order, st.just(Field("number")), st.booleans(), st.just("left"))
    inside = st.builds(Order, st.just(Field("document", ("name",))), st.booleans())
    return st.lists(plain | falling_back | inside, max_size=3).map(tuple)


def leaves() -> st.SearchStrategy[Filter]:
    """Filters without parts."""
    text = st.sampled_from([Field("text"), Field("document", ("name",)), Field("document", ("deep", "n"))])
    number, flag = st.just(Field("number")), st.just(Field("flag"))
    anything = text | number | flag | st.just(Field("document"))
    return st.one_of(
        st.just(EVERYTHING),
        st.builds(Compare, text, COMPARISONS, TEXTS),
        st.builds(Compare, number, COMPARISONS, NUMBERS),
        st.builds(Compare, flag, COMPARISONS, st.booleans()),
        st.builds(In, text, st.lists(TEXTS, max_size=3).map(tuple)),
        st.builds(In, number, st.lists(NUMBERS, max_size=3).map(tuple)),
        st.builds(IsNull, anything),
        st.builds(Contains, text, TEXTS),
        st.builds(StartsWith, text, TEXTS),
        st.builds(Like, st.just("document"), st.sampled_from(["%", "%ab%", '{"name"%', "[_a%", "%b\\%%", ""])),
        st.builds(HasItem, st.just("document"), TEXTS),
    )


def filters() -> st.SearchStrategy[Filter]:
    """Filters of every kind but `Related`."""

    def combined(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
        several = st.lists(parts, max_size=3).map(tuple)
        return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, parts)

    return st.recursive(leaves(), combined, max_leaves=8)


def kinds_of(where: Filter) -> set[type[Filter]]:
    """The kinds of filter that a filter is made of."""
    match where:
        case And(filters=parts) | Or(filters=parts):
            return {type(where)}.union(*map(kinds_of, parts))
        case Not(filter=part):
            return {Not} | kinds_of(part)
        case _:
            return {type(where)}
