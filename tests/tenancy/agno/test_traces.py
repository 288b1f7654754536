"""Traces with real agno: an exporter's thread has no tenant, and each trace is stored as its own tenant's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tenancy.agno.conftest import TENANTS
from tests.tenancy.deployments import sqlite_in

ROOT = Path(__file__).parents[3]


# Each starts a process. In these four every two of the choices meet.
@pytest.mark.parametrize(
    ("mode", "processing", "how"),
    [
        ("blocking", "simple", "requests"),
        ("blocking", "batch", "views"),
        ("async", "simple", "views"),
        ("async", "batch", "requests"),
    ],
)
def test_each_tenant_sees_the_traces_of_its_own_runs(tmp_path: Path, mode: str, processing: str, how: str) -> None:
    databases = sqlite_in(tmp_path)
    settings: dict[str, Any] = {
        "id": "house",
        "databases": {name: dict(databases(name)) for name in ("primary", "silo")},
        "agentos": {"db": "primary"},
        "tenancy": {"resolve": ["binding", "context", "request"], "header": "X-Tenant"},
        "tenants": TENANTS,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.tenancy.agno.traced_os", mode, processing, how, json.dumps(settings)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    seen = json.loads(ran.stdout.strip().splitlines()[-1])
    turns = 3 if how == "requests" else 1
    for whose, found in seen.items():
        assert found["total"] == turns, (whose, found, ran.stderr[-2000:])
        assert found["users"] == [whose]
        assert found["sessions"] == [f"{whose}-{turn}" for turn in range(turns)]
        assert found["spans"] >= 2 * turns
        assert found["stamps"] == [whose]
