"""The catalog: tenants of a file and of a table, while both change under it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
import time

import pytest

from dbrouter.backends.kernel.errors import TenantSuspended, UnknownTenant
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.running import finish
from dbrouter.config import load
from dbrouter.router.tenancy.catalog import Catalog
from dbrouter.router.tenancy.catalog_table import set_suspended
from tests.tenancy.catalogs import HEAD, LONG, Place, refuses
from tests.waiting import until

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
    until(lambda: catalog.names() == ("acme", "globex"))
    assert catalog.get("globex").isolation is Isolation.SCHEMA


def test_a_tenant_suspended_in_the_file_is_refused_while_the_process_runs(place: Place) -> None:
    place.write(ROWS)
    catalog = place.catalog()
    catalog.get("acme")
    place.write("tenants: {acme: {isolation: rows, suspended: true}}\n")
    until(lambda: refuses(catalog, "acme", TenantSuspended))
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
    until(lambda: catalog.look() or catalog.names() == ("acme",))


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
        until(lambda isolation=isolation: catalog.get("t0").isolation == isolation)
    ended.set()
    for each in readers:
        each.join()
    assert not failures
    assert seen == {frozenset({Isolation.ROWS}), frozenset({Isolation.SCHEMA})}


TABLE = "tenancy: {catalog: {db: table}}\ntenants: {acme: {isolation: rows}, '*': {isolation: schema}}\n"


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
    until(lambda: other.names() == ("a\0b",))
    finish(set_suspended(place.store(), "a\0b", suspended=True))
    until(lambda: refuses(catalog, "a\0b", TenantSuspended))
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
        with contextlib.suppress(AssertionError):
            until(lambda: not refuses(catalog, "globex", UnknownTenant))
        os.write(told, b"new" if not refuses(catalog, "globex", UnknownTenant) else b"old")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(answer, 3) == b"new"
    os.close(answer)
    os.close(told)
    until(lambda: catalog.names() == ("globex",))
