"""Which errors of any client say that the database did not answer."""

from __future__ import annotations

from collections.abc import Iterator

NAMES = frozenset(
    {
        # SQLAlchemy and the DB-API
        *("OperationalError", "InterfaceError", "DisconnectionError"),
        # pymongo
        *("ConnectionFailure", "ServerSelectionTimeoutError", "AutoReconnect", "WaitQueueTimeoutError"),
        # redis, valkey, websockets, urllib3, requests, httpx
        *("ConnectionError", "TimeoutError", "ConnectionClosed", "ConnectionClosedError", "ClosingError"),
        *("MaxRetryError", "NewConnectionError", "ConnectTimeout", "ReadTimeout", "ConnectError", "TransportError"),
        # botocore, google
        *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedException"),
        *("ServiceUnavailable", "DeadlineExceeded", "RetryError", "GatewayTimeout"),
    }
)
"""Classes by their names: none of these clients need be installed."""

OF_STATEMENTS = ("no such", "near ", "unrecognized token", "unknown column", "has no column", "syntax error")
"""What an `OperationalError` says when the statement was wrong and not the connection."""


def is_outage(error: BaseException) -> bool:
    """Whether the error, or one that led to it, says that the database could not be reached or did not answer."""
    return any(_says_so(each) for each in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        here = here.__cause__ or (None if here.__suppress_context__ else here.__context__)


def _says_so(error: BaseException) -> bool:
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError | FileExistsError):
        return True
    named = any(each.__name__ in NAMES for each in type(error).__mro__)
    text = str(error).lower()
    return named and not any(each in text for each in OF_STATEMENTS)
