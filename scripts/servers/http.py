"""Whether a server speaks HTTP yet."""

from __future__ import annotations

import socket


def answers(port: int, *, starting: bytes = b"HTTP/1.") -> None:
    """Return if the server answers a request, else raise `OSError`; asked in plain HTTP, so no client is needed.

    starting: how its answer starts once it is ready.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        if not connection.recv(64).startswith(starting):
            raise ConnectionError("it is still starting up")
