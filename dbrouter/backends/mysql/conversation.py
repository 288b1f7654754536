"""A unit as it goes over the wire: all of its statements in one packet, one round trip, whatever the client.

The server stops at the first statement that fails. What was sent before it is undone with the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from dbrouter.backends.kernel.errors import TooLarge
from dbrouter.backends.mysql.failures import table_in
from dbrouter.backends.sql.connections import Unit
from dbrouter.backends.sql.statements import Outcome, Refusal, Requirement, RequirementMissed, Statement
from dbrouter.backends.sql.without_returning import asserting

Result: TypeAlias = tuple[Sequence[Any], int]
"""A statement's rows and how many it touched."""

BEGIN = Statement("START TRANSACTION", returns=False)
ONE_MOMENT = (
    Statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", returns=False),
    Statement("START TRANSACTION READ ONLY", returns=False),
)
"""For the next transaction alone: what it reads first is the moment that all of it sees."""
COMMIT = Statement("COMMIT", returns=False)
MARGIN = 1024
"""Bytes of a packet that are left for what stands around the text."""


@dataclass(frozen=True, slots=True)
class Packet:
    """Statements that are sent together, and their text."""

    statements: tuple[Statement, ...]
    text: str


def said(unit: Unit, *, autocommit: bool, together: bool) -> list[Statement]:
    """All that is sent for the unit, in order. together: in one packet, where nobody looks at it in between."""
    if unit.at_once:
        return [*ONE_MOMENT, *unit.statements, COMMIT]
    several = len(unit.statements) > 1 or any(len(each.parts) > 1 or each.after for each in unit.statements)
    in_transaction = unit.atomic or any(each.ahead or each.behind or each.after for each in unit.statements)
    if autocommit and not (several and in_transaction):
        return [part for each in unit.statements for part in each.parts]
    after = dict.fromkeys(each.after for each in unit.statements if each.after)
    return [
        BEGIN,
        *(part for each in unit.statements for part in (_held(each) if together else each.parts)),
        COMMIT,
        *(Statement(each, returns=False) for each in after),
    ]


def _held(statement: Statement) -> Iterator[Statement]:
    """The statement's parts, and right behind itself what fails the transaction if it did not give what it must."""
    yield from statement.ahead
    yield statement
    if statement.requires is not None:
        count = "FOUND_ROWS()" if statement.returns else "ROW_COUNT()"
        yield asserting(f"{count} {'>=' if statement.requires is Requirement.A_ROW else '<'} 1", Refusal.MISSED)
    yield from statement.behind


def require(statement: Statement, result: Result) -> None:
    """Raise `RequirementMissed` if a statement that was sent alone did not give what its transaction needs."""
    if statement.requires is None:
        return
    found = bool(result[0]) if statement.returns else result[1] > 0
    if found is not (statement.requires is Requirement.A_ROW):
        raise RequirementMissed


def packed(
    statements: Sequence[Statement], literal: Callable[[Any], str], *, most: int, together: bool
) -> Iterator[Packet]:
    """The statements in as few packets as they fit in. Raises `TooLarge`, naming the table, for one that fits in none.

    literal: a value as text, quoted. most: bytes of a packet. together: whether one may hold several statements.
    """
    texts = [each.sql % tuple(map(literal, each.params)) for each in statements]
    sizes = [_size(each) for each in texts]
    for statement, size in zip(statements, sizes, strict=True):
        if size > most - MARGIN:
            raise TooLarge(
                f"{table_in(statement)}: a statement of {size / 2**20:.1f} MB does not fit into the"
                f" {most / 2**20:.1f} MB that the server takes at once; store less in one record, or raise"
                " max_allowed_packet there; nothing was written"
            )
    if not statements:
        return
    start, taken = 0, 0
    for at, size in enumerate(sizes):
        if at > start and (not together or taken + size > most - MARGIN):
            yield Packet(tuple(statements[start:at]), "; ".join(texts[start:at]))
            start, taken = at, 0
        taken += size + 2
    yield Packet(tuple(statements[start:]), "; ".join(texts[start:]))


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def outcomes(unit: Unit, sent: Sequence[Statement], results: Sequence[Result]) -> list[Outcome]:
    """Each of the unit's statements with what it and its parts gave."""
    given = {id(statement): result for statement, result in zip(sent, results, strict=True)}
    found: list[Outcome] = []
    for statement in unit.statements:
        touched = given[id(statement)][1]
        rows: Sequence[Any] = ()
        for part in statement.parts:
            if part.returns:
                # What is read behind a write that found nothing is somebody else's.
                is_behind = any(part is each for each in statement.behind)
                rows = given[id(part)][0] if touched or not is_behind else ()
        found.append(Outcome(list(rows), touched))
    return found
