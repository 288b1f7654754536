"""Round trips of everyday calls on each backend, counted on the wire, beside agno's class for the same server.

`python -m benchmarks.round_trips [backend ...]`. Sizes are those that matter: 10,000 sessions, 5,000 traces, 50 spans.
"""

from __future__ import annotations

import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from agno.run.agent import RunOutput
from agno.session import AgentSession
from agno.tracing.schemas import create_trace_from_spans

from benchmarks.conversation import EARLIER_RUNS, fill, run, turn
from benchmarks.traces import export, spans
from benchmarks.wire import Turns
from dbrouter import DbRouter
from dbrouter.config import load_mapping
from scripts.servers import STARTERS, CannotStart

SESSIONS, TRACES, USERS = 10_000, 5_000, 50
AT_ONCE = 200
FEWER = 10
"""agno's database is filled with this part: its round trips do not depend on it, but for the classes that read all."""
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Subject:
    """A backend. settings: of ours, from the server's URL. agno: agno's object at the same server, if it has one.

    prepare: makes at the server's URL what neither makes itself.
    """

    name: str
    server: str
    settings: Callable[[str], dict[str, Any]]
    agno: Callable[[str], Any] | None = None
    prepare: Callable[[str], None] = lambda _: None


def _agno_postgres(url: str) -> Any:
    from agno.db.postgres import PostgresDb

    return PostgresDb(db_url=url.replace("postgresql://", "postgresql+psycopg://"), db_schema="agno_trips")


def _agno_mysql(url: str) -> Any:
    from agno.db.mysql import MySQLDb

    return MySQLDb(db_url=url.replace("mysql://", "mysql+pymysql://"), db_schema="agno_trips")


def _direct(url: str) -> str:
    """Not by way of the address that the set gives of itself, which leads past the counter."""
    return f"{url}{'&' if '?' in url else '?'}directConnection=true"


def _agno_mongo(url: str) -> Any:
    from agno.db.mongo import MongoDb

    return MongoDb(db_url=_direct(url), db_name="agno_trips")


def _agno_redis(url: str) -> Any:
    from agno.db.redis import RedisDb

    return RedisDb(db_url=url, db_prefix="agno_trips")


def _agno_dynamo(url: str) -> Any:
    import boto3
    from agno.db.dynamo import DynamoDb

    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    client = boto3.client("dynamodb", endpoint_url=url, region_name="us-east-1", **keys)
    return DynamoDb(db_client=client, **{f"{each}_table": f"trips_{each}" for each in ("session", "traces", "spans")})


def _agno_firestore(url: str) -> Any:
    from agno.db.firestore import FirestoreDb
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.firestore import Client

    os.environ["FIRESTORE_EMULATOR_HOST"] = url.removeprefix("http://")
    return FirestoreDb(db_client=Client(project="agno-trips", credentials=AnonymousCredentials()))


def _google(url: str) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    return storage.Client(project="trips", credentials=AnonymousCredentials(), client_options={"api_endpoint": url})


def _google_buckets(url: str) -> None:
    for name in ("trips", "agno-trips"):
        _google(url).create_bucket(name)


def _agno_gcs(url: str) -> Any:
    from agno.db.gcs_json import GcsJsonDb
    from google.auth.credentials import AnonymousCredentials

    db = GcsJsonDb(bucket_name="agno-trips", prefix="x/", project="trips", credentials=AnonymousCredentials())
    # Its constructor takes no endpoint.
    db.client = _google(url)
    db.bucket = db.client.bucket("agno-trips")
    return db


S3_KEYS = {"access_key_id": "test", "secret_access_key": "test"}


def _s3_bucket(url: str) -> None:
    import boto3

    keys = {f"aws_{key}": value for key, value in S3_KEYS.items()}
    boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys).create_bucket(Bucket="trips")


SUBJECTS = (
    Subject("postgres", "postgres", lambda url: {"kind": "postgres", "url": url, "schema": "trips"}, _agno_postgres),
    Subject("mysql", "mariadb", lambda url: {"kind": "mysql", "url": url, "schema": "trips"}, _agno_mysql),
    Subject("mongo", "mongo", lambda url: {"kind": "mongo", "url": _direct(url), "database": "trips"}, _agno_mongo),
    Subject("redis", "redis", lambda url: {"kind": "redis", "url": url, "prefix": "trips"}, _agno_redis),
    Subject(
        "dynamo",
        "dynamo",
        lambda url: {
            "kind": "dynamo",
            "endpoint_url": url,
            "table": "trips",
            "region": "us-east-1",
            "access_key_id": "local",
            "secret_access_key": "local",
        },
        _agno_dynamo,
    ),
    Subject(
        "firestore",
        "firestore",
        lambda url: {"kind": "firestore", "project": "trips", "emulator_host": url.removeprefix("http://")},
        _agno_firestore,
    ),
    Subject(
        "s3",
        "s3",
        lambda url: {"kind": "objects", "url": "s3://trips/x", "endpoint": url, "region": "us-east-1", **S3_KEYS},
        prepare=_s3_bucket,
    ),
    Subject(
        "gcs",
        "gcs",
        lambda url: {"kind": "objects", "url": "gs://trips/x", "endpoint": url, "anonymous": True},
        _agno_gcs,
        _google_buckets,
    ),
)


def sessions(count: int) -> Iterator[AgentSession]:
    """Sessions of fifty users, one a second."""
    for number in range(count):
        yield AgentSession(
            session_id=f"s{number}",
            agent_id="bench-agent",
            user_id=f"u{number % USERS}",
            session_data={"session_state": {"n": number}},
            created_at=1_700_000_000 + number,
        )


def fill_lists(db: Any, count: int, traces: int) -> None:
    """So many sessions, and traces with a span each."""
    every = list(sessions(count))
    for start in range(0, count, AT_ONCE):
        db.upsert_sessions(every[start : start + AT_ONCE])
    root = spans()[0]
    for number in range(traces):
        began = START + timedelta(seconds=number)
        db.upsert_trace(
            create_trace_from_spans([replace(root, trace_id=f"t{number}", start_time=began, end_time=began)])
        )


def calls(db: Any) -> dict[str, Callable[[], Any]]:
    """What is counted, by name."""
    # Several of agno's classes do not know this argument, and read the runs all the same.
    lean = {"include_runs": False} if "include_runs" in inspect.signature(db.get_sessions).parameters else {}
    page = {"limit": 20, "page": 2, "sort_by": "created_at", "sort_order": "desc", "deserialize": False, **lean}
    return {
        "chat turn": lambda: turn(db, run(EARLIER_RUNS)),
        "a run saved": lambda: db.upsert_run(RunOutput(run_id="one", session_id="s1", agent_id="bench-agent"), "s1"),
        "20 of the sessions": lambda: db.get_sessions(**page),
        "20 of a user's": lambda: db.get_sessions(user_id="u3", **page),
        "a trace of 50 spans": lambda: export(db, spans()),
        "20 of the traces": lambda: db.get_traces(limit=20, page=2),
    }


def counted(db: Any, wire: Turns) -> dict[str, str]:
    """Call -> round trips and milliseconds, after it was made twice."""
    found: dict[str, str] = {}
    for name, call in calls(db).items():
        # A chat turn ends with a method that many of agno's classes lack; agno then goes on without it.
        for _ in range(2):
            with suppress(NotImplementedError):
                call()
        start = time.perf_counter()
        with wire, suppress(NotImplementedError):
            call()
        found[name] = f"{wire.round_trips:5} {(time.perf_counter() - start) * 1000:9.1f} ms"
    return found


def through(url: str) -> tuple[Turns, str]:
    """A counter in front of the server, and the URL that goes through it."""
    parts = urlsplit(url)
    wire = Turns(parts.hostname or "127.0.0.1", parts.port or 0)
    who = parts.netloc.rpartition("@")[0]
    return wire, urlunsplit(parts._replace(netloc=f"{who}{'@' if who else ''}127.0.0.1:{wire.port}"))


def measure(subject: Subject) -> None:
    """Print one backend's table."""
    try:
        server = STARTERS[subject.server]()
    except CannotStart as error:
        print(f"\n{subject.name}: not run: {error}")
        return
    try:
        subject.prepare(server.url)
        wire, url = through(server.url)
        described = {"databases": {"all": subject.settings(url)}, "agentos": {"db": "all"}}
        with closing(DbRouter.from_settings(load_mapping(described))) as ours:
            ours._create_all_tables()  # noqa: SLF001  # as AgentOS does at its start
            fill(ours)
            fill_lists(ours, SESSIONS, TRACES)
        # Written behind, traces would be counted at another time.
        at_once = load_mapping({**described, "traces": {"buffer": False}})
        with closing(DbRouter.from_settings(at_once)) as ours:
            mine = counted(ours, wire)
        theirs: dict[str, str] = {}
        if subject.agno is not None:
            agno_wire, agno_url = through(server.url)
            db = subject.agno(agno_url)
            with suppress(NotImplementedError):
                fill(db)
            fill_lists(db, SESSIONS // FEWER, TRACES // FEWER)
            theirs = counted(db, agno_wire)
        print(f"\n{subject.name} ({server.version})\n{'':22}{'dbrouter':>18}{'agno':>22}", flush=True)
        for name, value in mine.items():
            print(f"{name:22}{value:>18}{theirs.get(name, '-'):>22}", flush=True)
    finally:
        server.stop()


def main() -> None:
    """The backends that are named, else all."""
    wanted = sys.argv[1:] or [each.name for each in SUBJECTS]
    for subject in SUBJECTS:
        if subject.name in wanted:
            measure(subject)


if __name__ == "__main__":
    main()
