"""`python -m scripts.old_agno [RELEASE ...]`: databases as old releases of agno write them, kept as text for tests.

Each release is installed with uv into a folder that is gone afterwards, and writes a database of every kind. The text
goes to `tests/migrations/written_by`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.old_agno.dumps import mongo_dump, mysql_dump, postgres_dump, sqlite_dump
from scripts.old_agno.installing import environment
from scripts.old_agno.releases import RELEASES
from scripts.servers import STARTERS

KEPT = Path(__file__).parents[2] / "tests" / "migrations" / "written_by"
WRITES = Path(__file__).with_name("writes.py")
SCHEMA = "of_old_agno"
"""What the schema, or the database on a server, is called in the dumps."""


def main(names: Sequence[str]) -> None:
    """Write the dumps of these releases."""
    servers = {kind: STARTERS[kind]() for kind in ("postgres", "mariadb", "mongo")}
    try:
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                python = environment(Path(folder), name, RELEASES[name])
                target = KEPT / f"agno-{name}"
                target.mkdir(parents=True, exist_ok=True)
                _write(python, "sqlite", f"{folder}/agno.db")
                (target / "sqlite.sql").write_text(sqlite_dump(f"{folder}/agno.db"))
                url = servers["postgres"].url
                _write(python, "postgres", url.replace("postgresql:", "postgresql+psycopg:"), SCHEMA)
                (target / "postgres.sql").write_text(postgres_dump(url, SCHEMA))
                url = servers["mariadb"].url
                _write(python, "mysql", url.replace("mysql:", "mysql+pymysql:"), SCHEMA)
                (target / "mysql.sql").write_text(mysql_dump(url, SCHEMA))
                url = servers["mongo"].url
                _write(python, "mongo", url, SCHEMA)
                (target / "mongo.json").write_text(mongo_dump(url, SCHEMA))
            print(f"agno {name}: {target}")
    finally:
        for server in servers.values():
            server.stop()


def _write(python: str, *arguments: str) -> None:
    subprocess.run([python, str(WRITES), *arguments], check=True)


if __name__ == "__main__":
    main(sys.argv[1:] or tuple(RELEASES))
