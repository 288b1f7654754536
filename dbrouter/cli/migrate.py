"""`dbrouter migrate`: bring what an older agno wrote to today's schema, in every database and for every tenant."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dbrouter.backends.kernel.errors import ConfigError, DbRouterError
from dbrouter.backends.kernel.migrating import Step
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store
from dbrouter.cli.databases import opened
from dbrouter.cli.known_tenants import Known, known_in
from dbrouter.cli.output import PROBLEMS, AsJson, FileOption, as_json, console, give_up, plain, problem, settings_in
from dbrouter.config.settings import Settings
from dbrouter.router.migrations.migrating import (
    AGNOS_OWN,
    migrated_by_agno,
    migration_of,
    planned,
    taken,
    without_plan,
)
from dbrouter.router.migrations.places import Place, tenant_places
from dbrouter.router.routes import Routes
from dbrouter.router.tenancy.stores import own_routes

LEFT = 3
"""The exit code of `--plan` where something is left to do. (2 is that of a command that is written wrong.)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is left to do in one place. note: why there are no steps, if it is not that all are taken."""

    place: Place
    steps: tuple[Step, ...]
    note: str | None = None


def migrate(
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Say what is left to do; exit code 3 if anything is.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. What was interrupted goes on where it was.")] = False,
    drop_legacy_runs: Annotated[
        bool,
        typer.Option("--drop-legacy-runs", help="Drop the backup of the runs that --apply copied out of sessions."),
    ] = False,
    database: Annotated[str | None, typer.Option(help="Only this database.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's places.")] = None,
    file: FileOption = None,
    json: AsJson = False,
) -> None:
    """Bring databases that an older agno wrote to today's schema. Nothing is dropped unless it is asked for."""
    if [plan, apply, drop_legacy_runs].count(True) != 1:
        raise typer.BadParameter("say one of --plan, --apply and --drop-legacy-runs")
    settings = settings_in(file)
    if database is not None and database not in settings.databases:
        give_up(f"there is no database {database!r}; there are {', '.join(settings.databases)}")
    failed = False
    plans: list[Plan] = []
    with opened(settings) as stores:
        places, wrong = _places(settings, stores, database, tenant)
        for error in wrong:
            failed = True
            problem(error)
        for place in places:
            try:
                plans.append(_planned(place))
            except DbRouterError as error:
                failed = True
                problem(f"databases.{place}: {error}")
        if plan:
            _show(plans, json=json)
        elif apply:
            # It tells every step of its own, at length.
            logging.getLogger("agno").setLevel(logging.WARNING)
            failed = not _applied(plans) or failed
        else:
            failed = not _forgotten(plans) or failed
    if failed:
        raise typer.Exit(PROBLEMS)
    if plan and any(each.steps for each in plans):
        raise typer.Exit(LEFT)


def _places(
    settings: Settings, stores: dict[str, Store | ConfigError], database: str | None, tenant: str | None
) -> tuple[list[Place], list[str]]:
    wanted = {name: each for name, each in stores.items() if database in (None, name)}
    open_ = {name: each for name, each in wanted.items() if not isinstance(each, ConfigError)}
    wrong = [str(each) for each in wanted.values() if isinstance(each, ConfigError)]
    if settings.tenancy is None:
        if tenant is not None:
            give_up("this file has no tenants; leave --tenant out")
        return [Place(database=name, store=each) for name, each in open_.items()], wrong
    known = known_in(settings)
    if not known.complete:
        wrong.append("tenants of the table are left out: it cannot be read")
    routes = Routes.of(settings)
    if tenant is not None:
        return _places_of(known, tenant, routes, open_), wrong
    everybodys = [Place(database=name, store=each) for name, each in open_.items()]
    return [*everybodys, *tenant_places(known.described.tenants.values(), routes, open_.get)], wrong


def _places_of(known: Known, name: str, routes: Routes, stores: dict[str, Store]) -> list[Place]:
    tenant = known.tenant(name)
    found = list(tenant_places([tenant], routes, stores.get))
    if found or tenant.isolation == "schema":
        return found
    # Where its rows are among others', those are migrated with it.
    own = own_routes(tenant, routes)
    names = dict.fromkeys(each for family in own.families for each in own.databases(family))
    return [Place(database=each, store=stores[each]) for each in names if each in stores]


def _planned(place: Place) -> Plan:
    note = without_plan(place.store)
    return Plan(place=place, steps=() if note else finish(planned(place)), note=note)


def _show(plans: list[Plan], *, json: bool) -> None:
    if json:
        as_json([_told(each) for each in plans])
        return
    out = console()
    for each in plans:
        if not each.steps:
            out.print(plain(f"{each.place}: {each.note or 'of today'}"))
            continue
        out.print(plain(f"{each.place}: {len(each.steps)} steps", "bold"))
        for step in each.steps:
            out.print(plain(f"  {step}"))
    if any(each.steps for each in plans):
        out.print("\n`dbrouter migrate --apply` takes them. Back the databases up before.")


def _told(plan: Plan) -> dict[str, Any]:
    steps = [{"table": each.physical, "work": each.work, "name": each.name, "rows": each.rows} for each in plan.steps]
    return {"database": plan.place.database, "tenant": plan.place.tenant, "steps": steps, "note": plan.note}


def _applied(plans: list[Plan]) -> bool:
    out, good = console(), True
    told = Console(file=sys.stderr, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=told, disable=not told.is_terminal) as progress:
        for each in plans:
            try:
                out.print(plain(_done(each, progress)))
            except DbRouterError as error:
                good = False
                problem(f"databases.{each.place}: {error}")
    return good


def _done(plan: Plan, progress: Progress) -> str:
    place = plan.place
    if plan.note == AGNOS_OWN:
        asyncio.run(migrated_by_agno(place))
        return f"{place}: migrated by its own class"
    if not plan.steps:
        return f"{place}: {plan.note or 'of today'}"
    task = progress.add_task(str(place), total=sum(max(1, step.rows) for step in plan.steps))
    for step in plan.steps:
        progress.update(task, description=f"{place}: {step}")
        finish(taken(place, step, lambda rows: progress.advance(task, rows)))
        if not step.rows:
            progress.advance(task)
    progress.update(task, description=str(place))
    left = finish(planned(place))
    if left:
        return f"{place}: {len(plan.steps)} steps taken, {len(left)} came up meanwhile; apply again"
    return f"{place}: {len(plan.steps)} steps taken"


def _forgotten(plans: list[Plan]) -> bool:
    out, good = console(), True
    for place, migration in _migrations(plans):
        try:
            dropped = finish(migration.forget_legacy_runs())
            out.print(plain(f"{place}: {'the old runs are dropped' if dropped else 'no old runs'}"))
        except DbRouterError as error:
            good = False
            problem(f"databases.{place}: {error}")
    return good


def _migrations(plans: list[Plan]) -> Iterator[tuple[Place, Any]]:
    for each in plans:
        migration = migration_of(each.place.store)
        if migration is not None:
            yield each.place, migration
