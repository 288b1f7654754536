"""Every query has its index in what ships: checked in all suites that run on Firestore, by the rules tested here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import dbrouter.backends.firestore
from dbrouter.backends.firestore.index_keys import Entries
from dbrouter.backends.firestore.indexes import definitions
from dbrouter.backends.firestore.layout import COLUMNS, ENTRIES, Layout
from dbrouter.backends.firestore.messages import GREATER_OR_EQUAL, LESS, StructuredQuery, query_of
from dbrouter.backends.kernel.emulation import SERVED_TABLES
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.listings import listings
from dbrouter.router.agno_types import AgentSession
from dbrouter.router.sync_db import SyncDb
from tests.firestore import index_rules

MOST_SETTINGS = 200
"""Single-field index settings of a database; https://firebase.google.com/docs/firestore/quotas"""


def test_the_file_that_ships_is_that_of_the_tables() -> None:
    file = Path(dbrouter.backends.firestore.__file__ or "").with_name("firestore.indexes.json")
    assert json.loads(file.read_text()) == definitions()


def test_a_database_takes_as_many_settings() -> None:
    assert 0 < len(definitions()["fieldOverrides"]) <= MOST_SETTINGS


def test_the_settings_follow_the_names_of_the_tables() -> None:
    groups = {each["collectionGroup"] for each in definitions({"sessions": "talks"})["fieldOverrides"]}
    assert {"talks", "tenants_talks"} <= groups
    assert "agno_sessions" not in groups


@pytest.mark.parametrize("table", SERVED_TABLES)
def test_every_walk_that_the_driver_offers_has_its_index_both_ways(table: str) -> None:
    spec = SERVED_TABLES[table]
    layout = Layout(spec, spec.default_name)
    assert {each.listing for each in layout.entries} == set(listings(spec))
    for entries in layout.entries:
        for descending in (False, True):
            assert index_rules.check(walk(layout, entries, descending=descending), definitions())


def walk(layout: Layout, entries: Entries, *, descending: bool) -> Any:
    bounds = [(GREATER_OR_EQUAL, b"a"), (LESS, b"b")]
    field = f"{ENTRIES}.{entries.name}"
    return query_of(layout.collection, field=field, ranges=[bounds, bounds], descending=descending, limit=1)


def ordered_by(collection: str, *fields: str) -> Any:
    source = StructuredQuery.CollectionSelector(collection_id=collection)
    orders = [
        StructuredQuery.Order(field=StructuredQuery.FieldReference(field_path=each), direction=1) for each in fields
    ]
    return StructuredQuery(from_=[source], order_by=orders)


def test_the_rules_refuse_a_query_on_what_is_not_indexed() -> None:
    with pytest.raises(index_rules.NoIndex, match="exempt"):
        index_rules.check(ordered_by("agno_sessions", f"{COLUMNS}.created_at"), definitions())


def test_the_rules_refuse_a_query_on_two_fields_without_an_index_of_both() -> None:
    query = ordered_by("agno_sessions", "i.a", "i.b")
    with pytest.raises(index_rules.NoIndex, match="composite"):
        index_rules.check(query, definitions())
    fields = [{"fieldPath": "i.a", "order": "ASCENDING"}, {"fieldPath": "i.b", "order": "ASCENDING"}]
    has_it = definitions() | {"indexes": [{"collectionGroup": "agno_sessions", "fields": fields}]}
    assert index_rules.check(query, has_it) == ("i.a", "i.b")


def test_the_queries_of_a_run_are_looked_at(firestore: Any) -> None:
    before = len(index_rules.CHECKED)
    db = SyncDb(firestore, id="watched")
    db.upsert_session(AgentSession(session_id="s", agent_id="a", user_id="u"))
    assert db.get_session("s") is not None
    assert len(db.get_sessions(user_id="u", limit=5)) == 1
    asked = {collection for collection, _ in index_rules.CHECKED[before:]}
    assert {"agno_sessions", "agno_runs"} <= asked
    db.close()


def test_a_query_without_its_index_fails_the_test_that_sends_it(
    firestore: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbrouter.backends.firestore import reading
    from dbrouter.backends.kernel.ops import Scan
    from dbrouter.backends.kernel.running import finish

    finish(firestore.ping())
    monkeypatch.setattr(reading, "ENTRIES", COLUMNS)
    with pytest.raises(index_rules.NoIndex):
        finish(firestore.execute(Scan(table="sessions", where=eq("user_id", "u"))))
    finish(firestore.close())
