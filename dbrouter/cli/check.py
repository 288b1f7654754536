"""`dbrouter check`: is the file right, do its databases answer, what can they do, what will be asked of several."""

from __future__ import annotations

import time
from collections.abc import Mapping

import typer
from rich.console import Console

from dbrouter.backends.kernel.errors import ConfigError, DbRouterError
from dbrouter.backends.kernel.running import BlockingRuntime, finish
from dbrouter.backends.kernel.store import Store
from dbrouter.cli.check_tenants import named_for_tenants, not_held_back, show_budgets, show_tenants
from dbrouter.cli.databases import opened
from dbrouter.cli.known_tenants import known_in
from dbrouter.cli.output import PROBLEMS, File, FileOption, console, plain, problem, settings_in, table
from dbrouter.config.budget import budgets
from dbrouter.config.choosing import chosen
from dbrouter.config.settings import Settings
from dbrouter.router.any_agno.described import described
from dbrouter.router.explain import LISTING, SEARCHING
from dbrouter.router.routes import Routes


def check(file: File = None, *, named: FileOption = None) -> None:
    """Validate the file, connect to its databases, and say what will be asked of several of them."""
    if file is not None and named is not None:
        raise typer.BadParameter("name the file once")
    file = file or named
    settings = settings_in(file)
    routes = Routes.of(settings)
    out = console()
    count = len(settings.databases)
    databases = "1 database" if count == 1 else f"{count} databases"
    out.print(plain(f"{chosen(file)} is valid: {databases}, id {settings.id}\n"))
    with opened(settings) as stores:
        answers = finish(_answers(stores))
        _show_databases(out, settings, stores, answers)
        known = None if settings.tenancy is None else known_in(settings)
        answering = {name: store for name, store in stores.items() if not isinstance(answers[name], Exception)}
        insecure = {} if known is None else not_held_back(known, routes, answering)
    _show_routes(out, settings, routes, frozenset() if known is None else named_for_tenants(known))
    _show_asked(out, routes)
    if known is not None:
        show_tenants(out, known)
    show_budgets(out, budgets(settings))
    failed = {name: error for name, error in {**answers, **insecure}.items() if isinstance(error, Exception)}
    for name, error in failed.items():
        problem(f"databases.{name}: {error}" if not isinstance(error, ConfigError) else str(error))
    if failed or (known is not None and not known.complete):
        raise typer.Exit(PROBLEMS)


async def _answers(stores: Mapping[str, Store | ConfigError]) -> dict[str, float | DbRouterError]:
    """Database -> seconds until it answered, or why it did not. All are asked at once."""

    async def ping(store: Store | ConfigError) -> float:
        if isinstance(store, ConfigError):
            raise store
        start = time.perf_counter()
        await store.ping()
        return time.perf_counter() - start

    runtime = BlockingRuntime()
    try:
        outcomes = await runtime.gather([lambda each=each: ping(each) for each in stores.values()])
    finally:
        runtime.close()
    answers: dict[str, float | DbRouterError] = {}
    for name, outcome in zip(stores, outcomes, strict=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, DbRouterError):
            raise outcome
        answers[name] = outcome
    return answers


def _show_databases(
    out: Console,
    settings: Settings,
    stores: Mapping[str, Store | ConfigError],
    answers: Mapping[str, float | DbRouterError],
) -> None:
    rows = table("database", "kind", "answers", "does itself", "is emulated")
    for name, answer in answers.items():
        store = stores[name]
        agnos = None if isinstance(store, ConfigError) else described(store)
        claims = {} if isinstance(store, ConfigError) else store.capabilities.as_dict()
        filters = claims.pop("filters", "")
        native = [word for word, claimed in claims.items() if claimed] + ([f"filters: {filters}"] if filters else [])
        emulated = [word for word, claimed in claims.items() if not claimed]
        rows.add_row(
            plain(name, "bold"),
            plain(settings.databases[name].kind),
            plain("no", "bold red") if isinstance(answer, DbRouterError) else plain(f"{answer * 1000:.1f} ms", "green"),
            plain(agnos[0] if agnos else "everything" if claims and not emulated else ", ".join(native)),
            plain(agnos[1] if agnos else ", ".join(emulated) or "-"),
        )
    out.print(rows)


def _show_routes(out: Console, settings: Settings, routes: Routes, of_tenants: frozenset[str]) -> None:
    out.print(plain("\nWhere families go", "bold"))
    rows = table("family", "database", "for some components")
    for family in routes.families:
        first, *others = routes.databases(family)
        rows.add_row(plain(family), plain(first), plain(", ".join(others)))
    out.print(rows)
    named = {rule.database for rule in routes.rules} | of_tenants
    idle = [name for name in settings.databases if name not in named]
    if idle:
        out.print(plain(f"\nNothing goes to {', '.join(idle)}: no route names it.", "yellow"))


def _show_asked(out: Console, routes: Routes) -> None:
    spread = [family for family in routes.families if len(routes.databases(family)) > 1]
    if not spread:
        out.print(plain("\nEvery family has one database: no call asks several."))
        return
    out.print(plain("\nFamilies in several databases", "bold"))
    for family in spread:
        databases = ", ".join(routes.databases(family))
        out.print(plain(f"{family} in {databases}. Without a component (`db.bind` names one):"))
        if SEARCHING[family]:
            out.print(plain(f"  asked all, if the id was not seen before: {', '.join(SEARCHING[family])}"))
        out.print(plain(f"  read all, and merged: {', '.join(LISTING[family])}"))
