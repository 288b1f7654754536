"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

import dbrouter
from dbrouter.cli.check import check
from dbrouter.cli.demo import demo
from dbrouter.cli.explain import explain
from dbrouter.cli.init import init
from dbrouter.cli.migrate import migrate
from dbrouter.cli.schema import schema
from dbrouter.cli.tables import tables
from dbrouter.cli.tenants import tenants

app = typer.Typer(
    name="dbrouter",
    help="One db= object for agno that is many databases underneath.",
    no_args_is_help=True,
    # Typer's tracebacks print local variables, and those may hold passwords.
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _told(version: bool) -> None:  # the option's value
    if version:
        typer.echo(dbrouter.__version__)
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[  # answered before any command
        bool, typer.Option("--version", help="Print the version.", callback=_told, is_eager=True)
    ] = False,
) -> None:
    """One db= object for agno that is many databases underneath."""


for command in (init, check, explain, tables, migrate, demo, schema):
    app.command()(command)
app.add_typer(tenants, name="tenants")
