"""`dbrouter demo`: the main job in one minute, on four SQLite files and a scripted model."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from dbrouter.cli.demo_app.ledger import FILES, Entry, entries
from dbrouter.cli.demo_app.unexpected import Unexpected
from dbrouter.cli.output import give_up
from dbrouter.config.loading import load as load_settings
from dbrouter.router.explain import explain as explanation
from dbrouter.router.routes import Component, Routes

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

    from dbrouter import DbRouter

SHOWN = 10
"""How many misplaced rows are named before the rest is only counted."""

MARK = "# Written by `dbrouter demo`"

CONFIGURATION = f"""\
{MARK}
id: support-desk
databases:
  primary: {{kind: sqlite, path: primary.db}}
  traces:  {{kind: sqlite, path: traces.db}}
  evals:   {{kind: sqlite, path: evals.db}}
  ops:     {{kind: sqlite, path: ops.db}}
agentos:
  db: primary
  trace_db: traces
  eval_db: evals
agents:
  ops-bot: {{db: ops}}      # what this agent stores goes to its own file
"""


def demo(
    *,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the server up when the conversations are over.")] = False,
    folder: Annotated[
        Path, typer.Option(help="Where the four files go; those of an earlier demo are replaced.")
    ] = Path("demo-data"),
) -> None:
    """Run a real AgentOS on four SQLite files, and show which row went where."""
    console = Console(highlight=False)
    config = _fresh(folder)
    console.print(f"\n[bold]1  The configuration[/]  {config}")
    console.print(Syntax(CONFIGURATION, "yaml", background_color="default"))
    with _desk(config) as (client, db):
        console.print(f"[bold]2  A real AgentOS[/] at {client.base_url}, on a scripted model: no network, no key\n")
        try:
            _talk(console, client, db)
        except Unexpected as surprise:
            console.print(f"[red]{escape(str(surprise))}[/]")
            raise typer.Exit(1) from surprise
        if serve:
            _stay(console, client)
    settle(console, folder, config)
    _explain(console, config)


def _fresh(folder: Path) -> Path:
    """Write the configuration, after removing the files of an earlier demo; anybody else's are left alone."""
    config = folder / "dbrouter.yaml"
    left = [
        path for name in FILES for ending in ("", "-wal", "-shm") if (path := folder / f"{name}.db{ending}").exists()
    ]
    ours = config.exists() and config.read_text().startswith(MARK)
    if not ours and (config.exists() or left):
        give_up(f"{config if config.exists() else left[0]} is not of a demo; name another --folder")
    try:
        for path in left:
            path.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        config.write_text(CONFIGURATION)
    except OSError as error:
        give_up(f"{folder} cannot be written: {error.strerror}; name another --folder")
    return config


@contextmanager
def _desk(config: Path) -> Generator[tuple[httpx.Client, DbRouter]]:
    """Run the support desk on the configuration; gives a client of its REST API, and the router it runs on."""
    try:
        import httpx

        from dbrouter import DbRouter
        from dbrouter.cli.demo_app import desk, server
    except ImportError as missing:
        give_up(f"the demo needs {missing.name}, which is not installed; pip install 'dbrouter[agentos,sqlite]'")

    desk.hush()
    port = server.free_port()
    url = f"http://127.0.0.1:{port}"
    db = DbRouter.from_yaml(config)
    app = desk.build(db, base_url=url).get_app()
    with server.serving(app, port=port):
        # agno asks every 30 seconds whether a scheduled run has ended; the demo has not got that long.
        app.state.scheduler_executor.poll_interval = 0.2
        with httpx.Client(base_url=url, timeout=60) as client:
            yield client, db
            desk.flush_traces()


def _talk(console: Console, client: httpx.Client, db: DbRouter) -> None:
    from dbrouter.cli.demo_app.errands import ERRANDS
    from dbrouter.cli.demo_app.playing import load, play

    for conversation in load():
        console.print(f"   [bold]{conversation.title}[/]  [dim]{conversation.to}[/]")
        for turn, answer in play(conversation, client):
            approval = f"  [yellow](approved by {turn.approved_by})[/]" if turn.approved_by else ""
            console.print(f"     [cyan]{turn.say}[/]{approval}\n     [green]{answer}[/]")
    console.print("   [bold]And the rest of the day[/]")
    for name, errand in ERRANDS.items():
        console.print(f"     {name:<10} [green]{errand(client, db)}[/]")


def _stay(console: Console, client: httpx.Client) -> None:
    console.print(f"""
[bold]The server stays up.[/] Open
  {client.base_url}/docs       every route, to try by hand
  {client.base_url}/sessions?type=agent   one list over primary.db and ops.db
  {client.base_url}/config     agno's own view: one database id
  os.agno.com                  agno's UI: connect it to {client.base_url}
Press Ctrl-C to stop it and see which row went where.""")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.print()


def settle(console: Console, folder: Path, config: Path) -> None:
    """Open the files and show what is in them; exit 1 if a row is in the wrong one, or a file has none."""
    rows = entries(folder)
    console.print("\n[bold]3  Which row went where[/], by opening the files with sqlite3\n")
    console.print(_ledger(rows, FILES))
    wrong = [entry for entry in rows if entry.found_in != entry.belongs_in]
    for entry in wrong[:SHOWN]:
        name = entry.table.default_name
        key = entry.table.key_of(entry.row)
        console.print(f"[red]{name} {key} is in {entry.found_in}.db and belongs in {entry.belongs_in}.db[/]")
    if len(wrong) > SHOWN:
        console.print(f"[red]... and {len(wrong) - SHOWN} more[/]")
    empty = set(FILES) - {entry.found_in for entry in rows}
    for name in sorted(empty):
        console.print(f"[red]{folder / name}.db has no row[/]")
    if wrong or empty:
        raise typer.Exit(1)
    console.print(f"\n[bold green]{len(rows)} rows, each in the file that {config} names.[/]\n")


def _explain(console: Console, config: Path) -> None:
    """Say which rule sent two of the rows where they are, as `dbrouter explain` does."""
    routes = Routes.of(load_settings(config))
    console.print("[bold]4  Why[/], as [cyan]dbrouter explain[/] says\n")
    asked = (
        ("sessions", Component("agent", "ops-bot")),
        ("sessions", Component("team", "front-office")),
        ("traces", None),
    )
    for family, component in asked:
        found = explanation(routes, family, component)
        whose = f" of {component}" if component else ""
        rule = found.rule
        console.print(
            f"   {family}{whose} [bold]-> {found.database}[/], because of {rule.source}\n      [dim]{rule.place}[/]"
        )
    console.print(f"""
   All rules:           [cyan]dbrouter explain --file {config}[/]
   Keep the server up:  [cyan]make demo SERVE=1[/]
   Your own file:       [cyan]dbrouter init[/]
""")


def _ledger(rows: list[Entry], files: tuple[str, ...]) -> Table:
    table = Table("family", "table", *(f"{name}.db" for name in files), box=None, pad_edge=False, padding=(0, 2))
    for column in table.columns[2:]:
        column.justify = "right"
    counts = Counter((entry.table.family, entry.table.default_name, entry.found_in) for entry in rows)
    families = dict.fromkeys((family, name) for family, name, _ in counts)
    for family, name in families:
        cells = (counts[family, name, file] for file in files)
        table.add_row(family, name, *(f"[bold]{count}[/]" if count else "[dim]·[/]" for count in cells))
    return table
