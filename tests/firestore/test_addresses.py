"""Document ids and index entries, without a server: legal, injective, and in the order of what they stand for."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbrouter.backends.firestore.addresses import Place, document_id
from dbrouter.backends.firestore.index_keys import LONGEST_ORDER, Entries
from dbrouter.backends.firestore.layout import Layout
from dbrouter.backends.kernel.emulation import SERVED_TABLES
from dbrouter.backends.kernel.filters import Field
from dbrouter.backends.kernel.ops import Order
from dbrouter.backends.kernel.ordered_form import behind
from dbrouter.backends.kernel.ordering import sort_records
from dbrouter.backends.kernel.tables import TableSpec

LONGEST_ID = 1500
MOST_INDEXED = 1500
TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="\x00\x01\ud800\udfffab~%/._", max_size=8),
    st.sampled_from(["", ".", "..", "__x__", "a/b", "a~b", "~", "%", "\x00", "a" * 2000, "a" * 1999 + "b", "é" * 900]),
)
NUMBERS = st.one_of(st.integers(-5, 5), st.integers(), st.floats(allow_nan=False), st.booleans())
KEYS = st.lists(st.one_of(TEXTS, st.integers(), st.dates()), min_size=1, max_size=3).map(tuple)


@settings(max_examples=300)
@given(KEYS, KEYS)
def test_no_two_keys_share_an_id_and_every_id_is_one_that_firestore_takes(one: Any, other: Any) -> None:
    assert (document_id(one) == document_id(other)) is (one == other)
    name = document_id(one)
    assert 0 < len(name.encode()) <= LONGEST_ID
    assert "/" not in name
    assert name not in (".", "..")
    assert not re.fullmatch("__.*__", name)


def test_a_key_is_found_by_what_it_equals() -> None:
    assert document_id((1,)) == document_id((True,)) == document_id((1.0,))
    assert document_id(("1",)) != document_id((1,))
    assert document_id(("2024-01-01",)) != document_id((date(2024, 1, 1),))


def test_a_namespace_is_beside_the_deployments_own_tables_and_never_inside() -> None:
    own, tenant = Place.of("p", "d", "dbrouter"), Place.of("p", "d", "dbrouter", "tables")
    assert own.path == "dbrouter/tables"
    assert tenant.path == "dbrouter_tenants/tables"


def entries_of(table: str, name: str) -> tuple[TableSpec, Entries]:
    layout = Layout(SERVED_TABLES[table], "c")
    return SERVED_TABLES[table], next(each for each in layout.entries if each.name == name)


def session(session_id: str, user_id: str | None, created_at: Any) -> dict[str, Any]:
    blank = dict.fromkeys(SERVED_TABLES["sessions"].column_names)
    return blank | {"session_id": session_id, "user_id": user_id, "created_at": created_at}


@settings(max_examples=200)
@given(st.lists(st.tuples(TEXTS, st.one_of(st.none(), NUMBERS)), max_size=8, unique_by=lambda each: each[0]))
def test_entries_sort_as_the_records_do(rows: list[tuple[str, Any]]) -> None:
    spec, entries = entries_of("sessions", "all__by__created_at")
    records = [each for each in (session(name, "u", at) for name, at in rows) if entries.is_exact(each)]
    expected = sort_records(records, (Order(Field("created_at")),), spec.key)
    assert sorted(records, key=lambda each: entries.of_record(each) or b"") == expected


@settings(max_examples=200)
@given(TEXTS, TEXTS, TEXTS)
def test_the_entries_of_a_path_are_those_that_begin_with_its_value(user: str, other: str, name: str) -> None:
    _, entries = entries_of("sessions", "user_id__by__created_at")
    entry = entries.of_record(session(name, user, 1))
    assert entry is not None
    assert len(entry) <= MOST_INDEXED
    prefix = entries.leading([other])
    assert (prefix <= entry < behind(prefix)) is (user == other)


def test_a_record_without_the_value_is_on_no_path_of_it() -> None:
    _, entries = entries_of("sessions", "user_id__by__created_at")
    assert entries.of_record(session("s", None, 1)) is None


def test_what_is_cut_stands_behind_what_ends_where_it_is_cut() -> None:
    _, entries = entries_of("sessions", "all__by__created_at")
    ends, goes_on = "a" * (LONGEST_ORDER - 2), "a" * (LONGEST_ORDER - 2) + "\x00b"
    first, second = session("z", "u", ends), session("a", "u", goes_on)
    assert entries.is_exact(first)
    assert not entries.is_exact(second)
    assert (entries.of_record(first) or b"") < (entries.of_record(second) or b"")


@pytest.mark.parametrize("table", SERVED_TABLES)
def test_no_entry_is_longer_than_what_firestore_indexes(table: str) -> None:
    layout = Layout(SERVED_TABLES[table], "c")
    longest = dict.fromkeys(SERVED_TABLES[table].column_names, "\x00" * 5000)
    assert layout.entries or SERVED_TABLES[table].family == "kernel"
    for entries in layout.entries:
        assert len(entries.of_record(longest) or b"") <= MOST_INDEXED
        assert re.fullmatch(r"[a-z][a-z0-9_]*", entries.name), "it stands in a field's path unquoted"
        assert not entries.is_exact(longest)
