"""The commands, put together."""

from __future__ import annotations

import typer

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
for command in (init, check, explain, tables, migrate, demo, schema):
    app.command()(command)
app.add_typer(tenants, name="tenants")
