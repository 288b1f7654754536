"""Statements that all namespaces share, sent with the name of one of them."""

from __future__ import annotations

from dbrouter.backends.sql.connections import Connections, Unit
from dbrouter.backends.sql.layout import ANY_SCHEMA
from dbrouter.backends.sql.statements import Outcome, Statement


class InSchema:
    """The connections of a database, for the tables of one schema in it. Closing it closes nothing: they are shared.

    schema: quoted as the database wants it. No session is ever set to it, so a pooler may give every statement another.
    """

    def __init__(self, connections: Connections, schema: str) -> None:
        self._connections = connections
        self._schema = schema

    async def run(self, unit: Unit) -> list[Outcome]:
        """Each statement's outcome, in order."""
        return await self._connections.run(Unit([self._named(each) for each in unit.statements], unit.atomic))

    async def close(self) -> None:
        """Leave the connections to the store they belong to."""

    def _named(self, statement: Statement) -> Statement:
        return Statement(
            statement.sql.replace(_QUOTED, self._schema),
            statement.params,
            statement.writes,
            statement.returns,
            statement.requires,
            statement.answers,
        )


_QUOTED = f'"{ANY_SCHEMA}"'
