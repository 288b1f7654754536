"""Databases as older releases of agno wrote them (`scripts/old_agno`), loaded from their text, and read as a whole."""

from __future__ import annotations

import itertools
import sqlite3
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agno.db.base import SessionType

WRITTEN = Path(__file__).with_name("written_by")
NAME = "of_old_agno"
"""What the schema, or the database on a server, is called in the texts."""
RELEASES = ("2.3.0", "2.5.0", "2.9.0", "3.0.0")
OLDER = RELEASES[:3]
"""Those that kept runs inside their session."""

SESSIONS = {"s0": 0, "s1": 1, "s2": 2, "s3": 3, "t1": 2, "w1": 1, "today": 1}
"""Session -> how many runs it has."""

WITHOUT = {("2.3.0", "mysql"): {"s1", "s2", "t1", "w1", "today"}}
"""What could not be written: on a server that says latin1, 2.3 loses in silence what it cannot write."""

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Old:
    """A database of an older release. entry: as in a configuration. agno: opens today's class of agno's on it."""

    release: str
    kind: str
    entry: dict[str, Any]
    agno: Callable[[], Any]
    drop: Callable[[], None]


def in_sqlite(release: str, folder: Path) -> Old:
    """A file."""
    from agno.db.sqlite import SqliteDb

    file = folder / f"old{next(_numbers)}.db"
    load_sqlite(release, file)
    return Old(
        release=release,
        kind="sqlite",
        entry={"kind": "sqlite", "path": str(file)},
        agno=lambda: SqliteDb(db_file=str(file)),
        drop=lambda: None,
    )


def load_sqlite(release: str, file: Path) -> None:
    """Write the file."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(_text(release, "sqlite.sql"))


def in_postgres(release: str, url: str) -> Old:
    """A schema."""
    import psycopg
    from agno.db.postgres import PostgresDb

    schema = f"old{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_text(release, "postgres.sql").replace(NAME, schema).encode())

    def drop() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"drop schema {schema} cascade".encode())

    return Old(
        release=release,
        kind="postgres",
        entry={"kind": "postgres", "url": url, "schema": schema},
        agno=lambda: PostgresDb(db_url=url.replace("postgresql:", "postgresql+psycopg:"), db_schema=schema),
        drop=drop,
    )


def in_mysql(release: str, url: str) -> Old:
    """A database of MariaDB."""
    import pymysql
    from agno.db.mysql import MySQLDb

    schema = f"old{next(_numbers)}"
    where = urlsplit(url)

    def run(*texts: str) -> None:
        arguments: Any = {"host": where.hostname, "port": where.port, "user": "root", "charset": "utf8mb4"}
        connection = pymysql.connect(**arguments, autocommit=True)
        with connection, connection.cursor() as cursor:
            for each in texts:
                cursor.execute(each)

    run(f"create database {schema}", f"use {schema}", *_text(release, "mysql.sql").splitlines())
    return Old(
        release=release,
        kind="mysql",
        entry={"kind": "mysql", "url": url, "schema": schema},
        agno=lambda: MySQLDb(db_url=url.replace("mysql:", "mysql+pymysql:"), db_schema=schema),
        drop=lambda: run(f"drop database {schema}"),
    )


def in_mongo(release: str, url: str) -> Old:
    """A database of MongoDB."""
    from agno.db.mongo import MongoDb
    from bson import json_util
    from pymongo import MongoClient

    name = f"old{next(_numbers)}"
    with MongoClient[dict[str, Any]](url) as client:
        for collection, held in json_util.loads(_text(release, "mongo.json")).items():
            if held["documents"]:
                client[name][collection].insert_many(held["documents"])
            for index in held["indexes"]:
                key = [tuple(each) for each in index.pop("key")]
                client[name][collection].create_index(key, **index)

    def drop() -> None:
        with MongoClient[dict[str, Any]](url) as client:
            client.drop_database(name)

    return Old(
        release=release,
        kind="mongo",
        entry={"kind": "mongo", "url": url, "database": name},
        agno=lambda: MongoDb(db_url=url, db_name=name),
        drop=drop,
    )


def _text(release: str, file: str) -> str:
    return (WRITTEN / f"agno-{release}" / file).read_text("utf-8")


def read_by_agno(old: Old) -> dict[str, Any]:
    """What today's class of agno's answers about it."""
    db = old.agno()
    try:
        return everything(db)
    finally:
        db.close()


def everything(db: Any) -> dict[str, Any]:
    """What a db answers about all that the older release wrote, without the times at which it was migrated."""
    with warnings.catch_warnings():
        # SQLAlchemy deprecates some of what agno does; that is not ours to fail on.
        warnings.simplefilter("ignore")
        sessions = {name: db.get_session(name, session_type=_kind(name)) for name in SESSIONS}
        found: dict[str, Any] = {name: each.to_dict() for name, each in sessions.items() if each is not None}
        found["listed"] = sorted(
            (each["session_id"], each["user_id"], len(each["runs"] or []))
            for each in db.get_sessions(deserialize=False)[0]
        )
        found["memories"] = _undated(each.to_dict() for each in db.get_user_memories())
        found["evals"] = [_said(each) for each in db.get_eval_runs(deserialize=False)[0]]
        found["knowledge"] = [each.model_dump() for each in db.get_knowledge_contents()[0]]
        found["metrics"] = sorted(map(_dated, db.get_metrics()[0]), key=str)
        for name, call in _LATER.items():
            try:
                found[name] = call(db)
            except NotImplementedError:  # a release that does not have it yet
                found[name] = None
        return found


def _kind(session: str) -> SessionType:
    return {"t": SessionType.TEAM, "w": SessionType.WORKFLOW}.get(
        session[0] if session != "today" else "", SessionType.AGENT
    )


def _dated(metric: dict[str, Any]) -> dict[str, Any]:
    # The newest day was not over: it is computed anew by whoever reads it.
    dropped = {"id", "created_at", "updated_at", "_id"}
    # A document of MongoDB's that nobody owned has no owner at all.
    return {"date": "", "user_id": ""} | {key: str(each) for key, each in metric.items() if key not in dropped}


def _said(row: dict[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in row.items() if each is not None and key != "_id"}


def _undated(rows: Any) -> list[str]:
    dropped = {"created_at", "updated_at", "_id"}
    return sorted(str(sorted((key, each) for key, each in _said(row).items() if key not in dropped)) for row in rows)


_LATER: dict[str, Callable[[Any], Any]] = {
    "traces": lambda db: [(each.trace_id, each.name, each.session_id, each.duration_ms) for each in db.get_traces()[0]],
    "spans": lambda db: [(each.span_id, each.attributes) for each in db.get_spans(trace_id="tr1")],
    "learnings": lambda db: _undated(db.get_learnings()),
    "schedules": lambda db: _undated(
        db.get_schedules()[0] if isinstance(db.get_schedules(), tuple) else db.get_schedules()
    ),
    "approvals": lambda db: _undated(db.get_approvals()[0]),
    "component": lambda db: db.get_component("desk"),
}
