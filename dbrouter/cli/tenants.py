"""`dbrouter tenants`: who they are and where their rows are; adding, suspending and resuming those of the table."""

from __future__ import annotations

import json as jsons
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, cast

import typer

from dbrouter.backends.kernel.errors import ConfigError, DbRouterError
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.kernel.running import finish
from dbrouter.cli.known_tenants import Known, known_in, shown, table_of
from dbrouter.cli.output import (
    PROBLEMS,
    AsJson,
    FileOption,
    as_json,
    console,
    give_up,
    plain,
    problem,
    settings_in,
    table,
)
from dbrouter.policies.limits.limits import Limits
from dbrouter.router.tenancy.catalog_table import add, add_among, set_suspended
from dbrouter.router.tenancy.description import CatalogRow
from dbrouter.router.tenancy.explaining import namespace_in
from dbrouter.router.tenancy.tenants import EVERY_OTHER, Tenant

tenants = typer.Typer(help="Who the tenants are, and where their rows are.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The tenant's name.")]
Quoted = Annotated[
    bool,
    typer.Option("--quoted", help="NAME is JSON text in quotes, for names that a shell cannot pass."),
]


@tenants.command("list")
def list_(*, file: FileOption = None, json: AsJson = False) -> None:
    """List the tenants of the file and of the table."""
    known = known_in(settings_in(file))
    if json:
        as_json([_told(known, each) for each in known.described.tenants.values()])
    else:
        _show_all(tuple(known.described.tenants.values()))
    _end(known)


@tenants.command()
def show(name: Name, *, quoted: Quoted = False, file: FileOption = None, json: AsJson = False) -> None:
    """Say how a tenant is kept apart, where its rows are, and what it may use."""
    known = known_in(settings_in(file))
    tenant = known.tenant(_named(name, quoted=quoted))
    if json:
        as_json(_told(known, tenant))
    else:
        _show(known, tenant)
    _end(known)


@tenants.command()
def create(
    name: Name,
    *,
    isolation: Annotated[Isolation | None, typer.Option(help="How its rows are kept apart from others'.")] = None,
    db: Annotated[str | None, typer.Option(help="The database for its rows.")] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "--schema", help="With --isolation schema: what its schema is called.")
    ] = None,
    suspended: Annotated[bool, typer.Option("--suspended", help="Refuse its calls until it is resumed.")] = False,
    quoted: Quoted = False,
    file: FileOption = None,
    json: AsJson = False,
) -> None:
    """Add a tenant to the table. What is not said holds as `"*"` says."""
    known = _complete(known_in(settings_in(file)))
    chosen = _named(name, quoted=quoted)
    if known.in_file(chosen):
        give_up(f"tenant {shown(chosen)} is in the file already: {_line(known, chosen)}")
    given = {"isolation": isolation and isolation.value, "db": db, "namespace": namespace}
    row = CatalogRow(name=chosen, spec={key: each for key, each in given.items() if each}, suspended=suspended)
    if chosen in known.rows:
        give_up(f"there is a tenant {shown(chosen)} already")
    judged: list[Known] = []

    def judge(rows: Sequence[CatalogRow]) -> None:
        described = known.tenancy.source.read(rows)
        judged.append(replace(known, described=described, rows={each.name: each for each in rows}))

    with table_of(known.settings) as store:
        if not _done(add_among(store, row, judge)):
            give_up(f"there is a tenant {shown(chosen)} already")
    if json:
        as_json(_told(judged[-1], judged[-1].described.tenants[chosen]))
    else:
        typer.echo(f"Created tenant {shown(chosen)}. Running processes serve it within {_poll(known)}.")


@tenants.command()
def suspend(name: Name, *, quoted: Quoted = False, file: FileOption = None) -> None:
    """Refuse a tenant's calls from now on. Its rows stay."""
    _set(_complete(known_in(settings_in(file))), _named(name, quoted=quoted), suspended=True)


@tenants.command()
def resume(name: Name, *, quoted: Quoted = False, file: FileOption = None) -> None:
    """Serve a suspended tenant's calls again."""
    _set(_complete(known_in(settings_in(file))), _named(name, quoted=quoted), suspended=False)


def _set(known: Known, name: str, *, suspended: bool) -> None:
    word = "suspended" if suspended else "resumed"
    if known.in_file(name):
        truth = "true" if suspended else "false"
        give_up(f"tenant {shown(name)} is in the file: write suspended: {truth} on {_line(known, name)}")
    provisioned = name not in known.rows and known.tenancy.rules.unknown == "provision"
    if name not in known.rows and not (provisioned and suspended):
        known.tenant(name)
    with table_of(known.settings) as store:
        if provisioned and not _done(add(store, CatalogRow(name=name, spec={}, suspended=suspended))):
            provisioned = False
        if not provisioned and not _done(set_suspended(store, name, suspended=suspended)):
            give_up(f"there is no tenant {shown(name)} any more")
    typer.echo(f"Tenant {shown(name)} is {word}. Running processes know within {_poll(known)}.")


def _done(call: Any) -> bool:
    try:
        return bool(finish(call))
    except ConfigError as error:
        give_up(str(error))
    except DbRouterError as error:
        give_up(f"the table of tenants cannot be written: {error}")


def _complete(known: Known) -> Known:
    if known.tenancy.table is None:
        with table_of(known.settings):
            pass
    if not known.complete:
        raise typer.Exit(PROBLEMS)
    return known


def _named(name: str, *, quoted: bool) -> str:
    meant = _unquoted(name) if quoted else name
    if meant in {"", EVERY_OTHER}:
        raise typer.BadParameter("a tenant's name is a text that is neither empty nor *")
    return meant


def _unquoted(name: str) -> str:
    try:
        meant: Any = jsons.loads(name)
    except ValueError:
        meant = None
    if not isinstance(meant, str):
        raise typer.BadParameter("with --quoted, a name is JSON text, such as '\"a\\u0000b\"'")
    return meant


def _end(known: Known) -> None:
    if not known.complete:
        problem("what is shown are the tenants of the file only")
        raise typer.Exit(PROBLEMS)


def _line(known: Known, name: str) -> str:
    return known.settings.where("tenants", name) or known.described.tenants[name].source


def _poll(known: Known) -> str:
    return f"{known.tenancy.table.poll:g} seconds" if known.tenancy.table is not None else "10 seconds"


def _told(known: Known, tenant: Tenant) -> dict[str, Any]:
    return {
        "name": tenant.name,
        "isolation": tenant.isolation.value,
        "isolation_because": known.isolation_because(tenant.name),
        "db": tenant.db,
        "families": dict(tenant.families),
        "namespace": namespace_in(tenant),
        "suspended": tenant.suspended,
        "limits": _limits(tenant.limits),
        "source": tenant.source,
        "place": tenant.place,
    }


def _limits(limits: Limits) -> dict[str, Any]:
    said = {
        "requests_per_second": limits.requests_per_second,
        "bytes_per_second": limits.bytes_per_second,
        "concurrent": limits.concurrent,
        "rows": dict(limits.rows),
        "bytes": dict(limits.bytes),
    }
    return {key: each for key, each in said.items() if each}


def _databases(tenant: Tenant) -> str:
    special = [f"{family}: {name}" for family, name in tenant.families.items()]
    return ", ".join([tenant.db or "as routed", *special])


def _show_all(found: Sequence[Tenant]) -> None:
    out = console()
    if not found:
        out.print("No tenants yet: `dbrouter tenants create` adds one.")
        return
    rows = table("tenant", "isolation", "database", "schema", "", "said by")
    for each in found:
        rows.add_row(
            plain(shown(each.name), "bold"),
            plain(each.isolation.value),
            plain(_databases(each)),
            plain(namespace_in(each) or ""),
            plain("suspended" if each.suspended else "", "yellow"),
            plain(each.place or each.source),
        )
    out.print(rows)


def _show(known: Known, tenant: Tenant) -> None:
    rows = table("", "")
    rows.show_header = False
    told = _told(known, tenant) | {"name": shown(tenant.name)}
    said = {key: each for key, each in told.items() if each and key not in {"families", "limits"}}
    for key, each in {**said, **tenant.families, **_limits(tenant.limits)}.items():
        rows.add_row(plain(key.replace("_", " "), "bold"), plain(_in_words(each)))
    console().print(rows)


def _in_words(value: object) -> str:
    match value:
        case True:
            return "yes"
        case dict():
            return ", ".join(f"{key}: {each}" for key, each in cast("dict[str, int]", value).items())
        case _:
            return str(value)
