"""Sockets of event loops that are closed: nothing can be awaited there any more, and they would stay open."""

from __future__ import annotations

from contextlib import suppress
from typing import Any


def abandon(transport: Any) -> None:
    """Close a transport's socket without its loop, which would have to run for that."""
    with suppress(RuntimeError):
        # It says that it is closing and, since its loop is closed, goes no further.
        transport.abort()
    encrypted: Any = getattr(transport, "_ssl_protocol", None)
    below: Any = transport if encrypted is None else encrypted._transport  # noqa: SLF001
    socket: Any = getattr(below, "_sock", None)
    if socket is not None:
        socket.close()
        below._sock = None  # noqa: SLF001
