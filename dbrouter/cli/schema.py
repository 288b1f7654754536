"""`dbrouter schema`: the JSON Schema of a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbrouter.cli.output import give_up
from dbrouter.config.schema import schema_text


def schema(
    out: Annotated[
        Path | None, typer.Argument(help="The file to write; printed if not given.", show_default=False)
    ] = None,
) -> None:
    """Write the JSON Schema of a configuration file, for editors."""
    if out is None:
        typer.echo(schema_text(), nl=False)
        return
    try:
        out.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        give_up(f"{out} cannot be written: {error.strerror}; name another file")
    typer.echo(f"Wrote {out}. First line for your YAML: # yaml-language-server: $schema={out}")
