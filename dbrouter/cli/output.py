"""How commands speak: results to stdout, problems to stderr, passwords nowhere."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.secrets import masked
from dbrouter.config.choosing import chosen
from dbrouter.config.loading import load
from dbrouter.config.settings import Settings

PIPED_WIDTH = 160
"""Columns of a table that goes to a file or another program."""

_UNENCODABLE = re.compile("[\ud800-\udfff]")

PROBLEMS = 1
"""The exit code of a command that found problems."""

File = Annotated[
    Path | None,
    typer.Argument(help="The configuration file; DBROUTER_CONFIG or dbrouter.yaml if not given.", show_default=False),
]
FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        help="The configuration file; DBROUTER_CONFIG or dbrouter.yaml if not given.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def console() -> Console:
    """Where results go."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)


def table(*headings: str) -> Table:
    """An empty table without lines."""
    return Table(*headings, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")


def plain(text: str, style: str = "") -> Text:
    """Text that is printed as it is, with no markup in it, passwords hidden."""
    return Text(masked(text), style=style)


def problem(text: str) -> None:
    """Print a problem, one a line, as editors and CI read them."""
    typer.echo(masked(text), err=True)


def give_up(text: str) -> NoReturn:
    """Print the problem and end with exit code 1."""
    problem(text)
    raise typer.Exit(PROBLEMS)


def settings_in(file: Path | None) -> Settings:
    """The settings of the file; its problems are printed and end the command."""
    try:
        return load(chosen(file))
    except ConfigError as error:
        found = error
    # Passwords are hidden in each of its parts; the key `password` before a colon is none.
    typer.echo(str(found), err=True) if found.problems else problem(str(found))
    raise typer.Exit(PROBLEMS)


def as_json(value: Any) -> None:
    """Print a value as JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # Half of a surrogate pair is in some names, and in no encoding.
    typer.echo(text if _UNENCODABLE.search(text) is None else json.dumps(value, indent=2))
