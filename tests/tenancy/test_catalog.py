"""The catalog: tenants of a file and of a table, while both change under it."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.errors import ConfigError, TenantSuspended, Unavailable, UnknownTenant
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.running import finish
from dbrouter.config import load
from dbrouter.router.opening import open_store
from dbrouter.router.tenancy.catalog import Catalog
from dbrouter.router.tenancy.catalog_table import add, set_suspended
from dbrouter.router.tenancy.description import CatalogRow

if TYPE_CHECKING:
    from dbrouter.backends.kernel.store import Store
    from scripts.servers import Server

POLL = 0.05
LONG = 10.0
"""Seconds in which a change must have been taken over."""

HEAD = """\
databases:
  main: {{kind: sqlite, path: main.db}}
  table: {{{table}, deadline: 2}}
  silo: {{kind: sqlite, path: silo.db}}
agentos: {{db: main}}
"""


class Place:
    """A configuration file that a test rewrites, the database with the table, and the catalogs opened on them."""

    def __init__(self, folder: Path, table: str) -> None:
        self.file = folder / "dbrouter.yaml"
        self._head = HEAD.format(table=table)
        self._open: list[Catalog] = []
        self._stores: list[Store] = []

    def write(self, text: str, *, head: str = "") -> None:
        """Put a new file in the place of the old one, as editors do; its time is one that counts as settled."""
        new = self.file.with_suffix(".new")
        new.write_text((head or self._head) + text, encoding="utf-8")
        a_while_ago = time.time() - 1
        os.utime(new, (a_while_ago, a_while_ago))
        new.replace(self.file)

    def catalog(self, *, poll: float = POLL) -> Catalog:
        """A catalog of the file as it is."""
        settings = load(self.file)
        tenancy = settings.tenancy
        assert tenancy is not None
        made = Catalog(tenancy, self.store() if tenancy.table is not None else None, poll=poll)
        self._open.append(made)
        return made

    def store(self) -> Store:
        """A blocking store of the database with the table."""
        made = open_store("table", load(self.file).databases["table"], blocking=True)
        self._stores.append(made)
        return made

    def close(self) -> None:
        """Close all that was opened."""
        for each in (*self._open, *self._stores):
            finish(each.close())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A file, and a table in SQLite."""
    made = Place(tmp_path, "kind: sqlite, path: table.db")
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A file, and a table in a database of each kind."""
    table = "kind: sqlite, path: table.db"
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        table = f"kind: postgres, url: '{server.url}', schema: {request.getfixturevalue('postgres_schema')}"
    made = Place(tmp_path, table)
    yield made
    made.close()


def soon(happens: Callable[[], object]) -> None:
    """Wait until it happens. Fails after ten seconds."""
    end = time.monotonic() + LONG
    while not happens():
        assert time.monotonic() < end, "it did not happen within ten seconds"
        time.sleep(0.01)


def refuses(catalog: Catalog, name: str, error: type[Exception]) -> bool:
    """Whether the tenant is refused with this error."""
    try:
        catalog.get(name)
    except error:
        return True
    return False


ROWS = "tenants: {acme: {isolation: rows}}\n"


def test_a_tenant_of_the_file_is_known_and_another_is_not(place: Place) -> None:
    place.write(ROWS)
    catalog = place.catalog()
    assert catalog.get("acme").isolation is Isolation.ROWS
    for name in ("acm", "acme ", "Acme", "", "*", "acme\0", "\ud800"):
        with pytest.raises(UnknownTenant):
            catalog.get(name)


def test_a_tenant_added_to_the_file_is_served_while_the_process_runs(place: Place) -> None:
    place.write(ROWS)
    catalog = place.catalog()
    assert catalog.names() == ("acme",)
    place.write("tenants: {acme: {isolation: rows}, globex: {isolation: schema}}\n")
    soon(lambda: catalog.names() == ("acme", "globex"))
    assert catalog.get("globex").isolation is Isolation.SCHEMA


def test_a_tenant_suspended_in_the_file_is_refused_while_the_process_runs(place: Place) -> None:
    place.write(ROWS)
    catalog = place.catalog()
    catalog.get("acme")
    place.write("tenants: {acme: {isolation: rows, suspended: true}}\n")
    soon(lambda: refuses(catalog, "acme", TenantSuspended))
    assert catalog.names() == ("acme",)
    assert catalog.active() == ()


@pytest.mark.parametrize(
    "broken",
    [
        "tenants: {acme: {isolation: rows}, globex: {isolation: shema}}\n",
        "tenants: {acme: {db: main}, globex: {isolation: rows}}\n",
        "tenants: {globex: [\n",
        "tenants: {globex: {isolation: rows}}\nagents: {x: {db: nowhere}}\n",
    ],
)
def test_a_file_with_one_error_changes_nothing_and_is_told_once(
    place: Place, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    place.write(ROWS)
    catalog = place.catalog(poll=60)
    before = catalog.get("acme")
    place.write(broken)
    for _ in range(5):
        catalog.look()
    assert catalog.get("acme") is before
    assert catalog.names() == ("acme",)
    [told] = [each.getMessage() for each in caplog.records if each.name == "dbrouter.tenancy"]
    assert told.startswith("the tenants of the file stay as they were: ")
    assert "dbrouter.yaml:" in told
    place.write("tenants: {globex: {isolation: rows}}\n")
    catalog.look()
    assert catalog.names() == ("globex",)


def test_a_file_that_is_away_changes_nothing(place: Place) -> None:
    place.write(ROWS)
    catalog = place.catalog(poll=60)
    catalog.get("acme")
    place.file.unlink()
    catalog.look()
    assert catalog.names() == ("acme",)


def test_a_file_that_is_still_being_written_is_left_alone(place: Place) -> None:
    place.write("tenants: {acme: {isolation: rows}, globex: {isolation: rows}}\n")
    catalog = place.catalog(poll=60)
    catalog.get("acme")
    # Valid, and half of what it will be.
    whole = place.file.read_text()
    place.file.write_text(whole.replace(", globex: {isolation: rows}", ""))
    catalog.look()
    assert catalog.names() == ("acme", "globex")
    soon(lambda: catalog.look() or catalog.names() == ("acme",))


def test_what_needs_a_restart_is_told_and_the_tenants_count(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.write(ROWS)
    catalog = place.catalog(poll=60)
    catalog.get("acme")
    place.write("tenants: {globex: {isolation: rows}}\ntraces: {buffer: false}\ntenancy: {unknown: refuse}\n")
    catalog.look()
    catalog.look()
    assert catalog.names() == ("globex",)
    told = [each.getMessage() for each in caplog.records if each.name == "dbrouter.tenancy"]
    assert [each.partition(": ")[2].partition(" ")[0] for each in told] == ["traces", "tenancy"]
    assert all(each.endswith("takes effect when the process is started again") for each in told)


def test_a_database_that_is_new_in_the_file_cannot_be_used_before_a_restart(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.write(ROWS)
    catalog = place.catalog(poll=60)
    catalog.get("acme")
    head = HEAD.format(table="kind: sqlite, path: table.db").replace("silo: {", "fresh: {kind: memory}\n  silo: {")
    place.write("tenants: {acme: {db: fresh}}\n", head=head)
    catalog.look()
    assert catalog.get("acme").isolation is Isolation.ROWS
    assert "there is no database 'fresh'" in caplog.text


def test_whoever_asked_is_told_which_tenants_are_gone_or_moved(place: Place) -> None:
    place.write("tenants: {a: {isolation: rows}, b: {isolation: rows}, c: {isolation: rows}, d: {isolation: rows}}\n")
    catalog = place.catalog(poll=60)
    told: list[frozenset[str]] = []
    catalog.on_change(told.append)
    catalog.get("a")
    place.write(
        "tenants: {a: {isolation: rows, suspended: true}, b: {isolation: schema}, d: {db: silo}, e: {isolation: rows}}\n"
    )
    catalog.look()
    assert told == [frozenset({"b", "c", "d"})]


def test_a_callback_that_fails_keeps_nothing_from_being_taken_over(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.write(ROWS)
    catalog = place.catalog(poll=60)

    def fail(_: frozenset[str]) -> None:
        raise ValueError("a callback's own fault")

    told: list[frozenset[str]] = []
    catalog.on_change(fail)
    catalog.on_change(told.append)
    catalog.get("acme")
    place.write("tenants: {globex: {isolation: rows}}\n")
    catalog.look()
    assert catalog.names() == ("globex",)
    assert told == [frozenset({"acme"})]
    assert "a callback's own fault" in caplog.text


def test_readers_see_one_state_while_the_file_changes(place: Place) -> None:
    names = [f"t{number}" for number in range(30)]

    def text(isolation: str) -> str:
        return "tenants:\n" + "".join(f"  {name}: {{isolation: {isolation}}}\n" for name in names)

    place.write(text("rows"))
    catalog = place.catalog(poll=0.01)
    seen: set[frozenset[Isolation]] = set()
    ended = threading.Event()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not ended.is_set():
                tenants = catalog.tenants()
                assert len(tenants) == len(names)
                seen.add(frozenset(each.isolation for each in tenants))
        except BaseException as failure:
            failures.append(failure)
            raise

    readers = [threading.Thread(target=read) for _ in range(4)]
    for each in readers:
        each.start()
    for isolation in ("schema", "rows", "schema"):
        place.write(text(isolation))
        soon(lambda isolation=isolation: catalog.get("t0").isolation == isolation)
    ended.set()
    for each in readers:
        each.join()
    assert not failures
    assert seen == {frozenset({Isolation.ROWS}), frozenset({Isolation.SCHEMA})}


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
    soon(lambda: len(catalog.names()) == 7)
    assert catalog.get("a\0b").isolation is Isolation.SCHEMA
    assert catalog.get("\ud800").name == "\ud800"
    initech = catalog.get("initech")
    assert (initech.isolation, initech.db, initech.limits.concurrent) == (Isolation.DATABASE, "silo", 2)
    assert (initech.source, initech.place) == ("the table dbrouter_tenants of 'table'", "")
    assert finish(set_suspended(table, "globex", suspended=True))
    soon(lambda: refuses(catalog, "globex", TenantSuspended))
    assert finish(set_suspended(table, "globex", suspended=False))
    soon(lambda: not refuses(catalog, "globex", TenantSuspended))


def test_a_row_is_added_once(place: Place) -> None:
    place.write(TABLE)
    table = place.store()
    assert finish(add(table, CatalogRow(name="globex", spec={})))
    assert not finish(add(table, CatalogRow(name="globex", spec={"isolation": "rows"})))
    assert not finish(set_suspended(table, "initech", suspended=True))


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
    soon(lambda: not refuses(catalog, "acme", Unavailable))
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


def test_a_tenant_is_provisioned_as_all_others_say_and_is_in_the_table_then(place: Place) -> None:
    place.write(
        "tenancy: {unknown: provision, catalog: {db: table}, limits: {concurrent: 3}}\n"
        "tenants: {'*': {isolation: rows, suspended: false}}\n"
    )
    catalog, other = place.catalog(), place.catalog()
    assert other.names() == ()
    made = catalog.get("a\0b")
    assert (made.name, made.isolation, made.limits.concurrent) == ("a\0b", Isolation.ROWS, 3)
    assert catalog.get("a\0b") == made
    assert catalog.names() == ("a\0b",)
    soon(lambda: other.names() == ("a\0b",))
    finish(set_suspended(place.store(), "a\0b", suspended=True))
    soon(lambda: refuses(catalog, "a\0b", TenantSuspended))
    for name in ("", "*"):
        with pytest.raises(UnknownTenant):
            catalog.get(name)


def test_what_is_said_of_all_others_changes_provisioned_tenants_too(place: Place) -> None:
    text = "tenancy: {{unknown: provision}}\ntenants: {{'*': {{isolation: {}}}}}\n"
    place.write(text.format("rows"))
    catalog = place.catalog(poll=60)
    told: list[frozenset[str]] = []
    catalog.on_change(told.append)
    assert catalog.get("acme").isolation is Isolation.ROWS
    place.write(text.format("schema"))
    catalog.look()
    assert catalog.get("acme").isolation is Isolation.SCHEMA
    assert told == [frozenset({"acme"})]


def test_an_unknown_tenant_is_the_default_one(place: Place) -> None:
    place.write("tenancy: {unknown: default, default: acme}\n" + ROWS)
    assert place.catalog().get("whoever").name == "acme"


def test_a_coroutine_waits_for_the_first_look_without_holding_the_loop_up(place: Place) -> None:
    place.write(TABLE)
    catalog = place.catalog()

    async def call() -> str:
        await catalog.ready()
        return catalog.get("acme").name

    async def both() -> set[str]:
        return set(await asyncio.gather(call(), call()))

    assert asyncio.run(both()) == {"acme"}


def test_a_catalog_that_nobody_holds_ends_its_thread(place: Place) -> None:
    place.write(ROWS)
    settings = load(place.file)
    assert settings.tenancy is not None
    before = set(threading.enumerate())
    catalog = Catalog(settings.tenancy, poll=60)
    catalog.get("acme")
    [thread] = set(threading.enumerate()) - before
    del catalog
    gc.collect()
    thread.join(LONG)
    assert not thread.is_alive()


def test_a_closed_catalog_looks_again_when_it_is_used(place: Place) -> None:
    place.write(ROWS)
    catalog = place.catalog(poll=0.05)
    catalog.get("acme")
    finish(catalog.close())
    place.write("tenants: {globex: {isolation: rows}}\n")
    time.sleep(0.1)
    assert catalog.get("globex").name == "globex"


def test_a_forked_child_looks_for_itself(place: Place) -> None:
    place.write(ROWS)
    catalog = place.catalog()
    catalog.get("acme")
    answer, told = os.pipe()
    child = os.fork()
    if child == 0:
        place.write("tenants: {globex: {isolation: rows}}\n")
        end = time.monotonic() + LONG
        while refuses(catalog, "globex", UnknownTenant) and time.monotonic() < end:
            time.sleep(0.01)
        os.write(told, b"new" if not refuses(catalog, "globex", UnknownTenant) else b"old")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(answer, 3) == b"new"
    os.close(answer)
    os.close(told)
    soon(lambda: catalog.names() == ("globex",))
