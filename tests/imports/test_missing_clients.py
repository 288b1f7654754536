"""A database whose client is not installed: said when it is opened, with what to install, and not by the first call."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

KINDS = {
    "{kind: sqlite, path: x.db}": ("sqlalchemy", "aiosqlite", "sqlite"),
    "{kind: postgres, url: 'postgresql://h/d'}": ("psycopg", "psycopg", "postgres"),
    "{kind: mysql, url: 'mysql://h'}": ("pymysql", "asyncmy", "mysql"),
    "{kind: singlestore, url: 'singlestoredb://h'}": ("pymysql", "asyncmy", "singlestore"),
    "{kind: mongo, url: 'mongodb://h'}": ("pymongo", "pymongo", "mongo"),
    "{kind: redis, url: 'redis://h'}": ("redis", "redis", "redis"),
    "{kind: dynamo, region: eu-central-1}": ("boto3", "boto3", "dynamo"),
    "{kind: objects, url: 's3://bucket/agents'}": ("obstore", "obstore", "objects"),
    "{kind: objects, url: 'gs://bucket/agents'}": ("google.cloud.storage", "google.cloud.storage", "gcs"),
}
CODE = """
import json, sys
from pathlib import Path

for name in json.loads(sys.argv[2]):
    sys.modules[name] = None

from dbrouter import AsyncDbRouter, ConfigError, DbRouter

told = []
for said in json.loads(sys.argv[1]):
    Path("dbrouter.yaml").write_text(f"databases: {{one: {said}, two: {{kind: memory}}}}\\nagentos: {{db: one}}\\n")
    for router in (DbRouter, AsyncDbRouter):
        try:
            router.from_yaml("dbrouter.yaml")
        except ConfigError as error:
            told.append(str(error))
print(json.dumps(told))
"""


def test_a_missing_client_is_told_when_a_database_is_opened(tmp_path: Path) -> None:
    clients = sorted({client for *both, _ in KINDS.values() for client in both})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE, json.dumps([*KINDS]), json.dumps(clients)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    wanted = [
        f"databases.one: {said.split()[1].rstrip(',')} needs {client}, which is not installed; "
        f"pip install 'dbrouter[{extra}]'"
        for said, (*both, extra) in KINDS.items()
        for client in both
    ]
    assert json.loads(done.stdout) == wanted
