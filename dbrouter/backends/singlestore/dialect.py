"""The SQL of SingleStore: MySQL's, and of that only what SingleStore documents."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.mysql.dialect import MySqlDialect
from dbrouter.backends.mysql.flavour import Flavour, Server
from dbrouter.backends.singlestore.column_types import LENGTHS

SINGLESTORE = Flavour(
    name="SingleStore",
    oldest=(0,),  # it greets as a MySQL 5.7, whatever it is
    collation="utf8mb4_bin",
    inserts_return=False,
    names_incoming_row=False,
)


class SingleStoreDialect(MySqlDialect):
    """Tables in one SingleStore database."""

    name = "singlestore"
    keeps_uniques = False
    lengths = LENGTHS
    about = "SELECT @@max_allowed_packet, 0"

    def __init__(
        self, schema: str, server: Server, *, create_schema: bool = True, lock_wait: int = 10, together: bool = True
    ) -> None:
        # What it greets with says nothing, and nothing says that it takes several statements in a packet.
        del server, together
        super().__init__(
            schema, Server(self.flavour()), create_schema=create_schema, lock_wait=lock_wait, together=False
        )

    @classmethod
    def flavour(cls) -> Flavour:
        """What it can do."""
        return SINGLESTORE

    def compiler(self) -> Any:
        from dbrouter.backends.singlestore.tables import Sharding

        return Sharding()

    def options(self, table: TableSpec) -> dict[str, Any]:
        from dbrouter.backends.singlestore.tables import SORTED, order_on_disk

        return {**super().options(table), "info": {SORTED: order_on_disk(table)}}

    def code_points(self, expression: str) -> str:
        # Its columns compare by bytes as they are, and it has its own words for giving an expression a collation.
        return expression

    def json_at(self, expression: str, path: tuple[str, ...]) -> str:
        steps = "".join(", '" + each.replace("\\", "\\\\").replace("'", "''").replace("%", "%%") + "'" for each in path)
        return f"JSON_EXTRACT_STRING({expression}{steps})"

    def share_lock(self) -> str:
        return " FOR UPDATE"

    def before_ddl(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        return ((f"CREATE DATABASE IF NOT EXISTS {self.quoted(self.schema)}", ()),) if self.create_schema else ()

    def has_foreign_key(self, spec: TableSpec, parent: str) -> bool:
        return False

    def settings(self) -> tuple[str, ...]:
        return (
            "SET NAMES utf8mb4",
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES'",
            f"SET SESSION lock_wait_timeout = {self.lock_wait}",
        )

    def undoing(self) -> tuple[str, ...]:
        return ("ROLLBACK",)
