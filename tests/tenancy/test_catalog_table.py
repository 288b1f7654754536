"""Tenants of a table: they come to those of the file, and change live."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.errors import ConfigError, TenantSuspended, Unavailable, UnknownTenant
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.running import finish
from dbrouter.config import load
from dbrouter.router.tenancy.catalog_table import add, add_among, rows_in, set_suspended
from dbrouter.router.tenancy.description import CatalogRow
from dbrouter.testing.minimal import MinimalStore
from tests.tenancy.catalogs import LONG, Place, refuses
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbrouter.backends.kernel.store import Store

TABLE = "tenancy: {catalog: {db: table}}\ntenants: {acme: {isolation: rows}, '*': {isolation: schema}}\n"


def test_tenants_of_the_table_come_to_those_of_the_file_and_change_live(any_place: Place) -> None:
    place = any_place
    place.write(TABLE)
    catalog = place.catalog()
    assert catalog.names() == ("acme",)
    table = place.store()
    for name in ("globex", "a/b", "a\0b", "\ud800", "'; drop table x; --"):
        assert finish(add(table, CatalogRow(name=name, spec={})))
    assert finish(add(table, CatalogRow(name="initech", spec={"db": "silo", "limits": {"concurrent": 2}})))
    until(lambda: len(catalog.names()) == 7)
    assert catalog.get("a\0b").isolation is Isolation.SCHEMA
    assert catalog.get("\ud800").name == "\ud800"
    initech = catalog.get("initech")
    assert (initech.isolation, initech.db, initech.limits.concurrent) == (Isolation.DATABASE, "silo", 2)
    assert (initech.source, initech.place) == ("the table dbrouter_tenants of 'table'", "")
    assert finish(set_suspended(table, "globex", suspended=True))
    until(lambda: refuses(catalog, "globex", TenantSuspended))
    assert finish(set_suspended(table, "globex", suspended=False))
    until(lambda: not refuses(catalog, "globex", TenantSuspended))


def test_a_row_is_added_once(place: Place) -> None:
    place.write(TABLE)
    table = place.store()
    assert finish(add(table, CatalogRow(name="globex", spec={})))
    assert not finish(add(table, CatalogRow(name="globex", spec={"isolation": "rows"})))
    assert not finish(set_suspended(table, "initech", suspended=True))


def test_of_two_that_cannot_both_be_there_one_is_added(any_place: Place) -> None:
    place = any_place
    place.write(TABLE)
    stores = [place.store() for _ in range(2)]
    tenancy = load(place.file).tenancy
    assert tenancy is not None
    both = threading.Barrier(2)
    outcomes: dict[str, object] = {}

    def create(name: str, store: Store) -> None:
        looks = 0

        def judge(rows: Sequence[CatalogRow]) -> None:
            nonlocal looks
            looks += 1
            tenancy.source.read(rows)
            if looks == 1:
                # Both have looked at the table before either adds its row.
                both.wait(LONG)

        try:
            outcomes[name] = finish(add_among(store, CatalogRow(name=name, spec={"db": "silo"}), judge))
        except ConfigError as error:
            outcomes[name] = error

    threads = [threading.Thread(target=create, args=each) for each in zip(("globex", "initech"), stores, strict=True)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LONG)
    [winner] = [name for name, outcome in outcomes.items() if outcome is True]
    [refused] = [outcome for outcome in outcomes.values() if isinstance(outcome, ConfigError)]
    assert f"'silo' is also tenant {winner!r}" in str(refused)
    assert [each.name for each in finish(rows_in(stores[0]))] == [winner]
    assert place.catalog().names() == ("acme", winner)


def test_where_no_turn_can_be_taken_two_that_cannot_both_be_there_are_not(place: Place) -> None:
    place.write(TABLE)
    tenancy = load(place.file).tenancy
    assert tenancy is not None
    alone = Emulated(MinimalStore())
    assert not alone.capabilities.commits
    looks = 0

    def judge(rows: Sequence[CatalogRow]) -> None:
        nonlocal looks
        looks += 1
        tenancy.source.read(rows)
        if looks == 1:
            # Another comes between the look and the insert.
            assert finish(add(alone, CatalogRow(name="globex", spec={"db": "silo"})))

    with pytest.raises(ConfigError, match="'silo' is also tenant"):
        finish(add_among(alone, CatalogRow(name="initech", spec={"db": "silo"}), judge))
    assert [each.name for each in finish(rows_in(alone))] == ["globex"]
    assert finish(add_among(alone, CatalogRow(name="umbrella", spec={}), tenancy.source.read))
    assert not finish(add_among(alone, CatalogRow(name="umbrella", spec={}), tenancy.source.read))


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ({"isolation": "rowz"}, "tenants.globex.isolation: this value is not known here"),
        ({"db": "main"}, "'main' is also the deployment's"),
        ({"db": "nowhere"}, "there is no database 'nowhere'"),
        ("rows", "a mapping is needed"),
        ({"db": "${HOME}"}, "there is no database '${HOME}'"),
    ],
)
def test_a_row_with_an_error_changes_nothing(
    place: Place, spec: object, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    place.write(TABLE)
    catalog = place.catalog(poll=60)
    table = place.store()
    catalog.get("acme")
    finish(add(table, CatalogRow(name="globex", spec=spec)))
    finish(add(table, CatalogRow(name="good", spec={})))
    catalog.look()
    catalog.look()
    assert catalog.names() == ("acme",)
    [told] = [each.getMessage() for each in caplog.records if each.name == "dbrouter.tenancy"]
    assert what in told
    assert "the table dbrouter_tenants of 'table'" in told


def test_rows_with_an_error_are_an_error_of_the_first_call(place: Place) -> None:
    place.write(TABLE)
    finish(add(place.store(), CatalogRow(name="globex", spec={"isolation": "rowz"})))
    catalog = place.catalog()
    for _ in range(2):
        with pytest.raises(ConfigError, match="this value is not known here"):
            catalog.get("acme")


def test_of_a_name_in_both_the_file_counts_and_that_is_told(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.write(TABLE)
    finish(add(place.store(), CatalogRow(name="acme", spec={"isolation": "schema"}, suspended=True)))
    assert place.catalog(poll=60).get("acme").isolation is Isolation.ROWS
    assert "'acme' is in the table dbrouter_tenants of 'table' and on " in caplog.text
    assert "the file counts" in caplog.text


def test_a_broken_file_does_not_keep_a_row_from_being_suspended(place: Place) -> None:
    place.write(TABLE)
    table = place.store()
    finish(add(table, CatalogRow(name="globex", spec={})))
    catalog = place.catalog(poll=60)
    catalog.get("globex")
    place.write("tenancy: {catalog: {db: table}}\ntenants: [\n")
    finish(set_suspended(table, "globex", suspended=True))
    catalog.look()
    assert refuses(catalog, "globex", TenantSuspended)


def test_a_table_that_was_never_read_is_an_outage_and_no_unknown_tenant(place: Place, tmp_path: Path) -> None:
    place.write(TABLE)
    # A folder where the file should be.
    (tmp_path / "table.db").mkdir()
    catalog = place.catalog()
    for name in ("acme", "globex"):
        with pytest.raises(Unavailable, match="tenants are not known yet: the table dbrouter_tenants of 'table'"):
            catalog.get(name)
    with pytest.raises(Unavailable):
        catalog.tenants()
    (tmp_path / "table.db").rmdir()
    until(lambda: not refuses(catalog, "acme", Unavailable))
    with pytest.raises(UnknownTenant):
        catalog.get("globex")


def test_a_table_that_is_away_leaves_what_was_read_last(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place.write(TABLE)
    table = place.store()
    finish(add(table, CatalogRow(name="globex", spec={})))
    catalog = place.catalog(poll=60)
    catalog.get("globex")
    finish(table.close())
    finish(catalog.close())
    kept = tmp_path / "kept.db"
    (tmp_path / "table.db").rename(kept)
    for each in tmp_path.glob("table.db-*"):
        each.unlink()
    (tmp_path / "table.db").mkdir()
    catalog.look()
    catalog.look()
    assert catalog.get("globex").name == "globex"
    with pytest.raises(Unavailable, match="tenant 'initech' is not known, and the table"):
        catalog.get("initech")
    told = [each.getMessage() for each in caplog.records if each.name == "dbrouter.tenancy"]
    assert len(told) == 1
    assert "what was read last holds" in told[0]
    (tmp_path / "table.db").rmdir()
    kept.rename(tmp_path / "table.db")
    catalog.look()
    with pytest.raises(UnknownTenant):
        catalog.get("initech")
