"""`dbrouter tables`: how many rows of which family are in which database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import typer

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import ConfigError, DbRouterError, Unsupported
from dbrouter.backends.kernel.ops import Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.cli.databases import opened
from dbrouter.cli.output import PROBLEMS, AsJson, FileOption, as_json, console, plain, problem, settings_in, table
from dbrouter.router.routes import SCHEMA_VERSIONS, Routes


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
    routes = Routes.of(settings)
    counts: list[Count] = []
    failed = False
    with opened(settings) as stores:
        for name, store in stores.items():
            try:
                if isinstance(store, ConfigError):
                    raise store
                counts.extend(_counts(name, store, routes))
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
        _show(counts)
    if failed:
        raise typer.Exit(PROBLEMS)


def _counts(name: str, store: Store, routes: Routes) -> Iterator[Count]:
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
                routed=spec.family == SCHEMA_VERSIONS or name in routes.databases(spec.family),
            )


def _show(counts: list[Count]) -> None:
    out = console()
    if not counts:
        out.print("No tables yet: they are made when something is first written.")
        return
    rows = table("database", "family", "table", "rows", "")
    rows.columns[3].justify = "right"
    for each in counts:
        stray = "" if each.routed or not each.rows else "no route leads here"
        rows.add_row(each.database, each.family, each.physical_name, str(each.rows), plain(stray, "yellow"))
    out.print(rows)
