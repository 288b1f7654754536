"""Firestore's errors in our words. gRPC is not imported: a status is its name and its text."""

from __future__ import annotations

from dbrouter.backends.kernel.errors import Conflict, Duplicate, StoreError, Throttled, TooLarge, Unavailable


class Taken(Duplicate):
    """A document exists that a write of a commit expected not to be there; the writer knows which record it is."""


class Contended(Throttled):
    """Firestore gave up on a commit that met others; nothing was written, and it may be sent again."""


_TOO_LARGE = ("longer than", "exceeds the limit", "exceeds the maximum", "exceeds maximum size", "too large", "too big")


def translated(status: str, text: str, place: str) -> StoreError:
    """The error for a call that ended with this status."""
    # Firestore's texts may go on for lines, with links.
    said = text.splitlines()[0] if text else status
    match status:
        case "ALREADY_EXISTS":
            return Taken(f"{place}: {said}")
        case "NOT_FOUND" if "database" in said and "does not exist" in said:
            return StoreError(f"{place}: {said}; create it in native mode, or name another in project and database")
        case "FAILED_PRECONDITION" if "index" in said:
            return StoreError(f"{place}: {said}; deploy firestore.indexes.json (docs/backends/firestore.md)")
        case "FAILED_PRECONDITION" if "Datastore" in said:
            return StoreError(f"{place}: {said}; dbrouter needs a database in native mode")
        case "FAILED_PRECONDITION" | "NOT_FOUND":
            return Conflict(f"{place}: the stored version is not the expected one; read it again")
        case "ABORTED":
            return Contended(f"{place}: {said}")
        case "INVALID_ARGUMENT" | "RESOURCE_EXHAUSTED" | "OUT_OF_RANGE" if any(
            each in said.lower() for each in _TOO_LARGE
        ):
            return TooLarge(f"{place}: {said}; nothing was written")
        case "RESOURCE_EXHAUSTED":
            return Throttled(f"{place}: {said}")
        case "DEADLINE_EXCEEDED":
            return Unavailable(f"{place}: no answer within the deadline; check that it can be reached")
        case "UNAUTHENTICATED" | "PERMISSION_DENIED":
            return Unavailable(f"{place}: {said}; check the credentials and that they may use this database")
        case "UNAVAILABLE" | "CANCELLED" | "INTERNAL" | "UNKNOWN" | "DATA_LOSS":
            return Unavailable(f"{place}: {said}; check that it runs and can be reached")
        case _:
            return StoreError(f"{place}: {status}: {said}")
