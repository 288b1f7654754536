"""`import dbrouter` is cheap: no vendor client and no agno before they are used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CLIENTS = (
    *("sqlalchemy", "psycopg", "psycopg_pool", "sqlite3", "aiosqlite", "asyncpg", "pymysql", "asyncmy"),
    *("pymongo", "motor", "redis", "boto3", "botocore", "obstore", "google", "grpc", "chdb", "surrealdb"),
)
APPLICATIONS = ("agno", "fastapi", "pytest", "typer", "rich", "opentelemetry")


@pytest.mark.parametrize(
    "module",
    ["dbrouter", "dbrouter.backends", "dbrouter.backends.kernel.emulation", "dbrouter.backends.kernel.agno_tables"],
)
def test_importing_loads_no_client_and_no_application(module: str) -> None:
    code = f"import {module}, sys, json; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in json.loads(printed)}
    assert loaded.isdisjoint((*CLIENTS, *APPLICATIONS))


def test_the_configuration_of_a_backend_loads_no_client() -> None:
    modules = ("dbrouter.backends.postgres.settings", "dbrouter.backends.sqlite.settings", "dbrouter.config")
    code = f"import {', '.join(modules)}, sys, json; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in json.loads(printed)}
    assert loaded.isdisjoint(CLIENTS)
