"""Statements that all namespaces share, sent with the name of one of them."""

from __future__ import annotations

from dataclasses import replace

from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.layout import ANY_SCHEMA
from dbrouter.backends.sql.statements import Outcome, Statement


class InSchema:
    """The connections of a database, for the tables of one schema in it. Closing it closes nothing: they are shared.

    schema: its name; the dialect quotes it. No session is ever set to it, so a pooler may give every statement another.
    """

    def __init__(self, connections: Connections, dialect: Dialect, schema: str) -> None:
        self._connections = connections
        self._any = dialect.quoted(ANY_SCHEMA)
        self._schema = dialect.quoted(schema)

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        return await self._connections.run(
            Unit([self._named(each) for each in unit.statements], unit.atomic, unit.at_once)
        )

    async def close(self) -> None:
        """Leave the connections to the store they belong to."""

    def _named(self, statement: Statement) -> Statement:
        sql = statement.sql.replace(self._any, self._schema)
        if not (statement.ahead or statement.behind):
            return replace(statement, sql=sql)
        ahead, behind = tuple(map(self._named, statement.ahead)), tuple(map(self._named, statement.behind))
        return replace(statement, sql=sql, ahead=ahead, behind=behind)
