"""`dbrouter init`: a first configuration file, with comments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbrouter.cli.output import give_up

STARTER = """\
# What goes where. `dbrouter check` validates this file, `dbrouter explain` says why something goes where it goes,
# `dbrouter schema dbrouter.schema.json` writes the schema that the next line gives to your editor.
# yaml-language-server: $schema=dbrouter.schema.json

# The one id that agno sees. Keep it: agno's links and stored configurations carry it.
id: my-os

databases:
  primary: {kind: sqlite, path: data/primary.db}
  traces: {kind: sqlite, path: data/traces.db}
  # A password belongs in the environment or in a file:
  # primary: {kind: postgres, url: "${PRIMARY_URL}"}
  # reports: {kind: postgres, host: db.internal, user: agents, password: "${file:/run/secrets/pg}", database: agents}

# The defaults of the whole deployment.
agentos:
  db: primary            # everything that nothing below names
  trace_db: traces       # traces and their spans
  # eval_db: primary     # eval runs
  # families:            # sessions, memories, knowledge ...: `dbrouter explain` lists them all
  #   knowledge: primary

# One agent, team or workflow, or one family of it, can go elsewhere.
# agents:
#   ops-bot: {db: traces}
# workflows:
#   nightly-digest: {families: {sessions: traces}}

# traces:
#   buffer: true         # written in batches, off the thread that made them
#   max_delay_ms: 200
#   max_rows: 10000

# session_state:
#   on_conflict: merge   # or last_writer, or raise

# Customers whose rows nobody else may see. `dbrouter explain --tenant acme` says where they go.
# tenancy:
#   claim: org.id        # of the JWT that AgentOS has verified
#   catalog: {db: primary}   # more tenants, from a table: `dbrouter tenants create`
# tenants:
#   acme: {isolation: schema}
#   "*": {isolation: rows}   # tenants that say nothing else
"""


def init(
    file: Annotated[Path, typer.Argument(help="The file to write. It must not exist yet.")] = Path("dbrouter.yaml"),
) -> None:
    """Write a first configuration file, with comments."""
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(STARTER)
    except FileExistsError:
        give_up(f"{file} exists already; remove it, or name another file")
    except OSError as error:
        give_up(f"{file} cannot be written: {error.strerror}; name another file")
    typer.echo(f"Wrote {file}. Now edit it, and run: dbrouter check {file}")
