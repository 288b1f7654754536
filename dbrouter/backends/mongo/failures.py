"""pymongo's errors as the kernel's, translated once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import bson.errors
from pymongo import errors

from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import Conflict, StoreError, Throttled, TooLarge, Unavailable, Unstorable
from dbrouter.backends.mongo.layout import Layout, unique_sets

DUPLICATE: Final = frozenset({11000, 11001, 12582})
_TOO_LARGE: Final = frozenset({10334, 17419, 17420, 17280})
_TOO_DEEP: Final = frozenset({15})
_BUSY: Final = frozenset({16500, 50915, 462})
_AWAY: Final = frozenset(
    {6, 7, 18, 24, 43, 50, 63, 89, 91, 133, 134, 150, 175, 189, 202, 234, 262, 317, 358}
    | {9001, 10058, 10107, 11600, 11601, 11602, 13388, 13435, 13436}
)
"""The server stops, elects, is out of time or refuses the credentials: nothing is known about what it holds."""
_WRITE_CONFLICT: Final = frozenset({112, 251})
_NO_TRANSACTIONS: Final = frozenset({20, 263})

CANNOT_ENCODE: Final = (bson.errors.BSONError, OverflowError, UnicodeEncodeError)


def is_duplicate(error: Any) -> bool:
    """Whether a unique index refused a document."""
    return isinstance(error, errors.OperationFailure) and error.code in DUPLICATE


def has_no_transactions(error: Any) -> bool:
    """Whether the server refused because it is alone: transactions need a replica set."""
    return isinstance(error, errors.OperationFailure) and error.code in _NO_TRANSACTIONS


def may_run_again(error: Any) -> bool:
    """Whether a transaction failed in a way that left nothing behind and may not fail again."""
    return isinstance(error, errors.PyMongoError) and error.has_error_label("TransientTransactionError")


def outcome_is_unknown(error: Any) -> bool:
    """Whether a commit may have happened: it can be asked for again."""
    return isinstance(error, errors.PyMongoError) and error.has_error_label("UnknownTransactionCommitResult")


def taken_columns(details: Any) -> frozenset[str]:
    """The columns of the unique index that a duplicate's details name."""
    found: Any = details or {}
    pattern: Any = found.get("keyPattern") or {}
    if pattern:
        return frozenset(pattern)
    # Before 4.2, and behind some proxies, the index's name is all there is.
    name = str(found.get("errmsg", "")).partition("index: ")[2].partition(" ")[0]
    return frozenset(part for part in name.replace("_-1", "_1").split("_1") if part.strip("_")) if name else frozenset()


def duplicate_of(layout: Layout, table: str, details: Any) -> StoreError:
    """The error for a unique index that refused a document."""
    spec = layout.spec(table)
    taken = {column.strip("_") for column in taken_columns(details)}
    columns = next((each for each in unique_sets(spec) if set(each) == taken), tuple(taken))
    return duplicate(table, columns)


def translated(error: Exception, place: str, tables: Collection[str], layout: Layout) -> StoreError:
    """The kernel's error for one of pymongo's."""
    said = f"{place}: {_in_words(error)}"
    match error:
        case errors.BulkWriteError():
            return _bulk(error, place, tables, layout)
        case errors.OperationFailure() if is_duplicate(error):
            return duplicate_of(layout, next(iter(tables), ""), error.details)
        case errors.DocumentTooLarge():
            return TooLarge(f"{said}; nothing was written: MongoDB takes 16 MiB in a document")
        case errors.OperationFailure(code=code) if code in _TOO_LARGE:
            return TooLarge(f"{said}; nothing was written: MongoDB takes 16 MiB in a document")
        case errors.OperationFailure(code=code) if code in _TOO_DEEP:
            return Unstorable(f"{said}; nothing was written")
        case errors.OperationFailure(code=code) if code in _BUSY:
            return Throttled(said)
        case errors.OperationFailure(code=code) if code in _WRITE_CONFLICT:
            return Conflict(f"{said}; nothing was written")
        case errors.OperationFailure(code=code) if code in _AWAY:
            return Unavailable(said)
        case errors.ConnectionFailure() | errors.ConfigurationError():
            return Unavailable(said)
        case errors.WriteConcernError():
            return Unavailable(f"{said}; it is written, and lost if the server fails before others have it")
        case errors.InvalidOperation() if "after close" in said:
            return Unavailable(f"{place}: closed while it was asked")
        case errors.PyMongoError() if error.timeout:
            return Unavailable(said)
        case errors.PyMongoError() if error.has_error_label("SystemOverloadedError"):
            return Throttled(said)
        case bson.errors.InvalidDocument() | OverflowError() | UnicodeEncodeError():
            return Unstorable(f"{said}; nothing was written")
        case _:
            return StoreError(said)


def _bulk(error: Any, place: str, tables: Collection[str], layout: Layout) -> StoreError:
    details: Any = error.details or {}
    if details.get("writeConcernErrors"):
        # Not all of the replica set that should have it has it.
        return Unavailable(f"{place}: {details['writeConcernErrors']}")
    for each in details.get("writeErrors", ()):
        if each.get("code") in DUPLICATE:
            return duplicate_of(layout, next(iter(tables), ""), each)
        return translated(errors.OperationFailure(str(each.get("errmsg")), each.get("code")), place, tables, layout)
    return StoreError(f"{place}: {_in_words(error)}")


def _in_words(error: Exception) -> str:
    # A failure to select a server carries a description of the whole topology behind its first words.
    return str(error).partition(", Timeout:")[0].partition(", full error:")[0] or type(error).__name__
