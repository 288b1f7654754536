"""SingleStore on MariaDB, which speaks its protocol and what we use of its SQL, with tables as MariaDB takes them.

There is no SingleStore to run tests on. All that is sent but the DDL, the collation's name and paths into JSON is what
SingleStore would get; those three are compared with files (`tests/singlestore`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dbrouter.backends.mysql.dialect import MySqlDialect
from dbrouter.backends.mysql.flavour import MARIADB, Flavour
from dbrouter.backends.mysql.tables import Compiling
from dbrouter.backends.singlestore.dialect import SINGLESTORE, SingleStoreDialect
from dbrouter.backends.singlestore.store import AsyncSingleStoreStore, SingleStoreStore
from tests.backends.backend import Backend, Settings
from tests.backends.mysql import drop, empty, rows


class TablesOfMariaDb(SingleStoreDialect):
    """SingleStore's dialect, over tables without shard and sort keys."""

    @classmethod
    def flavour(cls) -> Flavour:
        """As SingleStore's, with a collation in which MariaDB, too, takes blanks at the end for characters."""
        return replace(SINGLESTORE, collation=MARIADB.collation)

    def compiler(self) -> Any:
        """MySQL's."""
        return Compiling()

    def json_at(self, expression: str, path: tuple[str, ...]) -> str:
        """MySQL's."""
        return MySqlDialect.json_at(self, expression, path)


for _store in (SingleStoreStore, AsyncSingleStoreStore):
    # For the whole run: stores are opened from configurations, which cannot say this.
    _store.KIND = TablesOfMariaDb


def _settings(url: str, name: str) -> Settings:
    return {"kind": "singlestore", "url": url, "schema": name}


BACKENDS = (
    Backend(
        name="singlestore",
        kind="singlestore",
        server="mariadb",
        settings=_settings,
        drop=drop,
        empty=empty,
        rows=rows,
        lasts=True,
    ),
)
