"""What MySQL's errors mean, for both clients."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import (
    Conflict,
    MissingParent,
    StoreError,
    Throttled,
    TooLarge,
    Unavailable,
    Unstorable,
)
from dbrouter.backends.sql.connections import MissingTable
from dbrouter.backends.sql.driver import Aftermath, Failure
from dbrouter.backends.sql.statements import Refusal, RequirementMissed, Statement

ColumnsOf: TypeAlias = Callable[[str, str], tuple[str, ...]]
"""From a table's physical name and an index's to the index's columns; empty if unknown."""

MORE_THAN_ONE_ROW = 1242
"""How an assertion of ours fails: a sub-select that gives two rows where one is wanted."""

DUPLICATE = frozenset({1062, 1586})
MISSING_PARENT = frozenset({1216, 1217, 1451, 1452})
MISSING_TABLE = frozenset({1049, 1146})
RACED = frozenset({1007, 1020, 1050, 1061, 1213, 1412, 3058})
"""Deadlocks, and tables and databases that somebody else makes this very moment."""
LOCKED = frozenset({1205, 1206, 3572})
TOO_MANY = frozenset({1040, 1203, 1226})
TOO_LARGE = frozenset({1118, 1153, 1301, 1071, 2020})
UNSTORABLE = frozenset({1048, 1264, 1265, 1292, 1364, 1366, 1406, 3140, 3141, 3157, 4025})
UNMATCHED = frozenset({1005, 1215, 3780})
STOPPED = frozenset({1317, 1907, 1969, 3024})
"""Interrupted by the server."""
SPENT = frozenset({3, 20, 1021, 1026, 1030, 1037, 1038, 1041, 1114, 1135})
"""The server has no room, no memory, or a disk that fails."""
READ_ONLY = frozenset({1290, 1792, 1836})
"""The server takes no writes: one that was the primary until a failover, most often."""
GONE = frozenset({0, 1043, 1044, 1045, 1047, 1053, 1080, 1129, 1130, 1152, 1158, 1159, 1160, 1161, 1698, 1927, 4031})
"""Not let in, thrown out, or asking a node of a cluster that has lost the others (1047)."""
CLIENTS_OWN = range(2000, 3000)
"""Errors of the client about the connection."""

_INDEX = re.compile(r"for key '(?:[^']*\.)?([^'.]+)'\s*$")
_TABLE = re.compile(r"(?:INTO|UPDATE|FROM) `(?:[^`]|``)*`\.`((?:[^`]|``)*)`")


class AtStatement(Exception):  # internal: a vendor's error and the statement that it came from
    """An error and where it came from. Its cause is the vendor's."""

    def __init__(self, statement: Statement) -> None:
        super().__init__()
        self.statement = statement


def translated(error: BaseException, place: str, columns_of: ColumnsOf) -> Failure:
    """A client's error (bare, or wrapped by SQLAlchemy or by `AtStatement`) in our words."""
    statement = error.statement if isinstance(error, AtStatement) else None
    inner = error.__cause__ if isinstance(error, AtStatement) else error
    cause = getattr(inner, "orig", None) or inner
    if isinstance(cause, StoreError | RequirementMissed):
        return Failure(cause, Aftermath.SOUND)
    if isinstance(cause, TimeoutError):
        return Failure(Unavailable(f"{place}: no answer within the deadline"), Aftermath.BROKEN)
    code, text = _told(cause)
    if code is None:
        return Failure(Unavailable(f"{place}: {cause}"), Aftermath.BROKEN)
    if code == MORE_THAN_ONE_ROW and statement is not None and statement.refusal is not None:
        return _refused(statement, place)
    table = table_in(statement)
    if code in DUPLICATE:
        index = _INDEX.search(text)
        return Failure(
            duplicate(table, columns_of(table, index[1]) if index else (), _as_exception(cause)), Aftermath.SOUND
        )
    return _by_code(code, f"{place}: {text}", text, table)


def _by_code(code: int, where: str, text: str, table: str) -> Failure:
    if code in MISSING_PARENT:
        needs = "still needs this one" if code in (1217, 1451) else "is not stored"
        return Failure(
            MissingParent(f"{table}: a related record {needs} ({text}); nothing was written"), Aftermath.SOUND
        )
    if code in MISSING_TABLE:
        return Failure(MissingTable(where), Aftermath.SOUND)
    if code in RACED:
        return Failure(Conflict(where), Aftermath.AGAIN)
    if code in LOCKED:
        what = f"{where}; another transaction holds what this call needs, look for a long one"
        return Failure(Unavailable(what), Aftermath.AGAIN)
    if code in TOO_MANY:
        return Failure(Throttled(f"{where}; lower pool_size or raise max_connections"), Aftermath.BROKEN)
    if code in TOO_LARGE:
        return Failure(TooLarge(f"{where}; nothing was written"), Aftermath.BROKEN)
    if code in UNSTORABLE:
        return Failure(Unstorable(f"{where}; nothing was written"), Aftermath.SOUND)
    if code in UNMATCHED:
        advice = "if the tables it refers to have another collation, bring those to utf8mb4 and that of the new ones"
        return Failure(StoreError(f"{where}; {advice} with ALTER TABLE ... CONVERT TO CHARACTER SET"), Aftermath.SOUND)
    if code in SPENT:
        return Failure(Unavailable(f"{where}; nothing was written"), Aftermath.SOUND)
    if code in STOPPED:
        return Failure(Unavailable(where), Aftermath.SOUND)
    if code in READ_ONLY:
        what = f"{where}; nothing was written: if this goes on, the address leads to a replica"
        return Failure(Unavailable(what), Aftermath.DEMOTED)
    if code in GONE or code in CLIENTS_OWN:
        what = f"{where}; check that the server runs, can be reached and lets this user in"
        return Failure(Unavailable(what), Aftermath.BROKEN)
    return Failure(StoreError(where), Aftermath.SOUND)


def _refused(statement: Statement, place: str) -> Failure:
    table = table_in(statement)
    match statement.refusal:
        case Refusal.TAKEN:
            return Failure(duplicate(table, ()), Aftermath.SOUND)
        case Refusal.MOVED:
            return Failure(Conflict(f"{place}: records came to match while they were changed"), Aftermath.AGAIN)
        case Refusal.HELD:
            return Failure(Unavailable(f"{place}: another writer kept the lock of the parent record"), Aftermath.AGAIN)
        case _:
            return Failure(RequirementMissed(), Aftermath.SOUND)


def _told(error: Any) -> tuple[int | None, str]:
    """The vendor's number and text; no number for what is no vendor's error."""
    arguments = getattr(error, "args", ())
    if len(arguments) > 1 and isinstance(arguments[0], int) and not isinstance(error, OSError):
        return arguments[0], str(arguments[1])
    # A vendor's error without a number comes from the client's own checks of a connection.
    is_vendors = any(each.__name__ == "MySQLError" for each in type(error).__mro__)
    return (0 if is_vendors else None), str(error) or type(error).__name__


def table_in(statement: Statement | None) -> str:
    """The physical name of the table that a statement is about."""
    found = _TABLE.search(statement.sql) if statement is not None else None
    return found[1].replace("``", "`").replace("%%", "%") if found else "table"


def _as_exception(error: Any) -> BaseException | None:
    return error if isinstance(error, BaseException) else None
