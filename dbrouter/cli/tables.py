"""`dbrouter tables`: how many rows of which family are in which database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import typer

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import ConfigError, DbRouterError, Unsupported
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.ops import Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.cli.databases import opened
from dbrouter.cli.known_tenants import Known, known_in
from dbrouter.cli.output import PROBLEMS, AsJson, FileOption, as_json, console, plain, problem, settings_in, table
from dbrouter.router.routes import SCHEMA_VERSIONS, Routes
from dbrouter.router.tenancy.stores import own_routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The rows of one table of one database. routed: whether calls for its family can go there."""

    database: str
    family: str
    table: str
    physical_name: str
    rows: int
    routed: bool


def tables(*, file: FileOption = None, json: AsJson = False) -> None:
    """Count the rows of each family in each database."""
    settings = settings_in(file)
    known = None if settings.tenancy is None else known_in(settings)
    leads = _leading(Routes.of(settings), known)
    counts: list[Count] = []
    failed = known is not None and not known.complete
    with opened(settings) as stores:
        for name, store in stores.items():
            try:
                if isinstance(store, ConfigError):
                    raise store
                counts.extend(_counts(name, store, leads))
            except DbRouterError as error:
                failed = True
                problem(str(error) if isinstance(error, ConfigError) else f"databases.{name}: {error}")
    if json:
        as_json(
            [
                {
                    "database": each.database,
                    "family": each.family,
                    "table": each.table,
                    "physical_name": each.physical_name,
                    "rows": each.rows,
                    "routed": each.routed,
                }
                for each in counts
            ]
        )
    else:
        _show(counts, has_tenants=known is not None)
    if failed:
        raise typer.Exit(PROBLEMS)


def _leading(routes: Routes, known: Known | None) -> Callable[[str, str], bool]:
    """Whether calls for a family can go to its own tables in a database, those of tenants with a database included."""
    if known is None:
        return lambda database, family: database in routes.databases(family)
    shared = known.tenancy.rules.shared
    places = {(name, family) for family in shared for name in routes.databases(family)}
    for tenant in known.described.tenants.values():
        if tenant.isolation is Isolation.DATABASE:
            own = own_routes(tenant, routes)
            places |= {(name, family) for family in own.families for name in own.databases(family)}
    # Of tenants that could not be read nobody knows where they lead.
    return lambda database, family: not known.complete or (database, family) in places


def _counts(name: str, store: Store, leads: Callable[[str, str], bool]) -> Iterator[Count]:
    existing = finish(store.existing_tables())
    for spec in TABLES.values():
        physical = store.physical_name(spec.name)
        if physical in existing:
            try:
                page = finish(store.execute(Scan(table=spec.name, limit=0, total=True)))
            except Unsupported:
                # A class of agno's has a method that counts for some tables only.
                continue
            yield Count(
                database=name,
                family=spec.family,
                table=spec.name,
                physical_name=physical,
                rows=page.total or 0,
                routed=spec.family == SCHEMA_VERSIONS or leads(name, spec.family),
            )


def _show(counts: list[Count], *, has_tenants: bool) -> None:
    out = console()
    if not counts:
        out.print("No tables yet: they are made when something is first written.")
    else:
        _show_all(counts)
    if has_tenants:
        out.print("Rows of tenants with isolation: schema or rows are in tables apart, which are not counted.")


def _show_all(counts: list[Count]) -> None:
    rows = table("database", "family", "table", "rows", "")
    rows.columns[3].justify = "right"
    for each in counts:
        stray = "" if each.routed or not each.rows else "no route leads here"
        rows.add_row(each.database, each.family, each.physical_name, str(each.rows), plain(stray, "yellow"))
    console().print(rows)
