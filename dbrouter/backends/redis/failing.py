"""What the server and its client say when something is wrong, as the kernel's errors. Words never carry a password."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.errors import StoreError, Throttled, TooLarge, Unavailable
from dbrouter.backends.secrets import masked

_AWAY = (
    "LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "NOREPLICAS", "TRYAGAIN", "MOVED", "ASK",
    "NOAUTH", "WRONGPASS", "NOPERM", "DENIED", "UNKILLABLE", "OOM",
)  # fmt: skip
"""Refusals of a server that is not ready to serve, by their first word. Nothing was written."""
_BUSY = ("BUSY", "max number of clients reached")
_TOO_LARGE = ("proto-max-bulk-len", "invalid bulk length", "string exceeds maximum allowed size", "max request size")


def refused(place: str, error: Any) -> StoreError:
    """The error for what a server answered instead of a result."""
    answered = said(error)
    words = f"{place}: {masked(answered)}"
    if any(each in answered for each in _TOO_LARGE):
        return too_large(place, masked(answered))
    if any(each in answered for each in _BUSY):
        return Throttled(words)
    if answered.startswith(_AWAY):
        return Unavailable(words)
    return StoreError(words)


def too_large(place: str, words: str) -> TooLarge:
    """The error for a value that the server does not take."""
    return TooLarge(f"{place}: {words}; nothing was written")


def lost(place: str, error: BaseException | str, *, writes: bool) -> Unavailable:
    """The error for a connection that broke or stayed silent after something was sent."""
    unknown = "; whether it was written is unknown" if writes else ""
    return Unavailable(f"{place}: {masked(said(error))}{unknown}")


def unreachable(place: str, error: BaseException) -> StoreError:
    """The error for a connection that could not be opened. Nothing was sent."""
    if any(each in said(error) for each in _BUSY):
        return Throttled(f"{place}: {masked(said(error))}")
    return Unavailable(f"{place}: {masked(said(error))}")


def server_said(error: Any) -> bool:
    """Whether it is the server's own refusal, in answer to a command: then the command was not executed."""
    return isinstance(getattr(error, "status_code", None), str) or type(error).__name__ in _CODES


def said(error: Any) -> str:
    """The error's words, with the first one that redis-py strips from those it has classes for."""
    words = str(error)
    code = getattr(error, "status_code", None)
    name = str(getattr(code, "value", code) or _CODES.get(type(error).__name__, ""))
    return words if not name or words.startswith(name) else f"{name} {words}"


_CODES = {
    "BusyLoadingError": "LOADING",
    "ReadOnlyError": "READONLY",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "OutOfMemoryError": "OOM",
    "NoPermissionError": "NOPERM",
    "AuthenticationError": "NOAUTH",
    "AuthenticationWrongNumberOfArgsError": "NOAUTH",
    "TryAgainError": "TRYAGAIN",
    "MovedError": "MOVED",
    "AskError": "ASK",
    "NoScriptError": "NOSCRIPT",
}
