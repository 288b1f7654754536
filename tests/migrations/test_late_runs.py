"""What an older agno writes into the sessions after they were migrated is not dropped with the backup."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dbrouter import DbRouter
from dbrouter.backends.kernel.legacy_runs import records_of, uncopied_since
from tests.migrations.conftest import MakeOld, Migrate, configured, on
from tests.migrations.old import Old

EVERYWHERE = on("sqlite", "postgres", "mysql", "mongo")


def connected(old: Old) -> Any:
    """A connection to a database of SQL, and what its statements say for a parameter that is JSON."""
    if old.kind == "sqlite":
        return sqlite3.connect(old.entry["path"], isolation_level=None), "?", "?"
    if old.kind == "postgres":
        import psycopg

        options = f"-c search_path={old.entry['schema']}"
        return psycopg.connect(old.entry["url"], options=options, autocommit=True), "%s", "cast(%s as jsonb)"
    import pymysql

    where = urlsplit(old.entry["url"])
    arguments: Any = {"host": where.hostname, "port": where.port, "user": "root", "charset": "utf8mb4"}
    return pymysql.connect(**arguments, database=old.entry["schema"], autocommit=True), "%s", "%s"


def written_by_an_older_agno(old: Old, session: str, run: dict[str, Any], *, is_new: bool) -> None:
    """Put a run where a release before 3 keeps it."""
    if old.kind == "mongo":
        from pymongo import MongoClient

        with MongoClient[dict[str, Any]](old.entry["url"]) as client:
            sessions = client[old.entry["database"]]["agno_sessions"]
            made = {"session_type": "agent", "created_at": run["created_at"]} if is_new else {}
            sessions.update_one({"session_id": session}, {"$push": {"runs": run}, "$set": made}, upsert=is_new)
        return
    connection, hole, as_json = connected(old)
    with closing(connection), closing(connection.cursor()) as cursor:
        if is_new:
            columns = "session_id, session_type, created_at, runs"
            text = f"insert into agno_sessions ({columns}) values ({hole}, 'agent', {hole}, {as_json})"
            cursor.execute(text, (session, run["created_at"], json.dumps([run])))
            return
        cursor.execute(f"select runs from agno_sessions where session_id = {hole}", (session,))
        runs = cursor.fetchone()[0]
        while isinstance(runs, str):
            runs = json.loads(runs)
        text = f"update agno_sessions set runs = {as_json} where session_id = {hole}"
        cursor.execute(text, (json.dumps([*runs, run]), session))


def a_run(run_id: str, **more: Any) -> dict[str, Any]:
    """A run that has just begun."""
    return {"run_id": run_id, "agent_id": "a1", "content": run_id, "created_at": int(time.time()), **more}


@EVERYWHERE
def test_runs_that_an_older_agno_wrote_since_the_migration_are_copied_before_the_backup_goes(
    old: MakeOld, tmp_path: Path, migrate: Migrate
) -> None:
    ours = old("2.9.0")
    file = configured(tmp_path, ours)
    assert migrate(file, "--apply").exit_code == 0
    written_by_an_older_agno(ours, "s3", a_run("s3-late"), is_new=False)
    written_by_an_older_agno(ours, "new", a_run("new-0"), is_new=True)

    done = migrate(file, "--drop-legacy-runs")
    assert (done.exit_code, "dropped" in done.stdout) == (0, True), done.output
    db = DbRouter.from_yaml(file)
    found = {name: [run.run_id for run in db.get_session(name, session_type="agent").runs] for name in ("s3", "new")}
    db.close()
    assert found == {"s3": ["s3-0", "s3-1", "s3-2", "s3-late"], "new": ["new-0"]}
    assert "no old runs" in migrate(file, "--drop-legacy-runs").stdout


@EVERYWHERE
def test_a_run_that_was_deleted_since_the_migration_does_not_come_back_when_the_backup_goes(
    old: MakeOld, tmp_path: Path, migrate: Migrate
) -> None:
    file = configured(tmp_path, old("2.9.0"))
    assert migrate(file, "--apply").exit_code == 0
    db = DbRouter.from_yaml(file)
    db.delete_run("s3-1")
    assert "dropped" in migrate(file, "--drop-legacy-runs").stdout
    assert [run.run_id for run in db.get_session("s3", session_type="agent").runs] == ["s3-0", "s3-2"]
    db.close()


@pytest.mark.parametrize("stamped", [None, "yesterday", ""])
def test_where_nobody_knows_when_runs_were_copied_any_run_is_copied_again(stamped: object) -> None:
    assert uncopied_since(stamped) is None
    runs = [a_run("old", created_at=1), {"run_id": "undated"}]
    copied = records_of(runs, session_id="s", user_id=None, now=2, since=uncopied_since(stamped))
    assert [each["run_id"] for each in copied] == ["old", "undated"]


def test_a_run_whose_beginning_nobody_knows_is_copied_again() -> None:
    now = time.time()
    runs = [a_run("old", created_at=1), {"run_id": "undated"}, a_run("new")]
    copied = records_of(runs, session_id="s", user_id=None, now=2, since=uncopied_since(int(now)))
    assert [each["run_id"] for each in copied] == ["undated", "new"]
