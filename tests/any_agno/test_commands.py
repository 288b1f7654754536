"""What the command line says of agno databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dbrouter.cli.app import app

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

FILE = """\
databases:
  ours: {kind: memory}
  theirs: {kind: agno, class: agno.db.json.JsonDb, args: {db_path: json}}
  awaited: {kind: agno, class: agno.db.sqlite.AsyncSqliteDb, args: {db_file: async.db}}
agentos: {db: ours, families: {memories: theirs, learnings: awaited}}
agents:
  bot: {families: {sessions: theirs}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dbrouter.yaml").write_text(FILE, encoding="utf-8")
    return tmp_path


def run(*words: str) -> Any:
    return CliRunner().invoke(app, [*words])


def test_check_asks_each_and_says_what_its_class_serves(folder: Path) -> None:
    result = run("check")
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: " ".join(line.split()) for line in result.stdout.splitlines() if line.split()}
    assert "agno" in lines["theirs"]
    assert "as JsonDb: sessions, memories, knowledge, evals, metrics, traces" in " ".join(result.stdout.split())
    assert "cancel_pending_run" in result.stdout
    assert "as AsyncSqliteDb" in lines["awaited"]


def test_check_names_one_that_is_away(folder: Path) -> None:
    away = FILE.replace("db_file: async.db", 'db_url: "sqlite+aiosqlite:////proc/nobodys/x.db"')
    (folder / "dbrouter.yaml").write_text(away, encoding="utf-8")
    result = run("check")
    assert result.exit_code == 1
    assert "databases.awaited: awaited: AsyncSqliteDb.get_session: OperationalError" in result.stderr


def test_tables_are_counted_where_the_class_counts(folder: Path) -> None:
    from agno.db.json import JsonDb
    from agno.db.schemas.memory import UserMemory

    held = JsonDb(db_path=str(folder / "json"))
    for number in range(3):
        held.upsert_user_memory(UserMemory(memory="x", memory_id=f"m{number}", user_id="u"))
    result = run("tables", "--json")
    assert result.exit_code == 0, result.output
    counts = {(each["database"], each["table"]): each["rows"] for each in json.loads(result.stdout)}
    assert counts["theirs", "memories"] == 3
    assert counts["theirs", "sessions"] == 0
    # The table is not there yet.
    assert ("awaited", "learnings") not in counts


def test_explain_knows_them(folder: Path) -> None:
    result = run("explain", "--family", "sessions", "--agent", "bot", "--json")
    told = json.loads(result.stdout)
    assert (told["database"], told["databases"]) == ("theirs", ["ours", "theirs"])
    assert "get_session" in told["asked_without_component"]
