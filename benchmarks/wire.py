"""A proxy in front of a Postgres server that counts round trips and statements on the wire."""

from __future__ import annotations

import select
import socket
import threading
from typing import Self
from urllib.parse import urlsplit, urlunsplit

EXECUTIONS = (b"E", b"Q")
"""Frontend messages that run a statement: Execute, and a simple Query."""


ENCRYPTION_REQUESTS = ((80877103).to_bytes(4, "big"), (80877104).to_bytes(4, "big"))
"""Codes of SSLRequest and GSSENCRequest."""


class RoundTrips:
    """Counts while entered. A round trip is a turn of the conversation: the client spoke after the server did."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        where = f"{parts.username or 'postgres'}{':' + parts.password if parts.password else ''}@127.0.0.1"
        self.url = urlunsplit(parts._replace(netloc=f"{where}:{self._listener.getsockname()[1]}"))
        self._counting = False
        self.round_trips = 0
        self.statements = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        self.round_trips = self.statements = 0
        self._counting = True
        return self

    def __exit__(self, *_: object) -> None:
        self._counting = False

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            spoke: socket.socket | None = None
            pending = b""
            starting = True
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 20)
                    if not data:
                        return
                    if ready is client:
                        if spoke is not client and self._counting:
                            self.round_trips += 1
                        if not starting:
                            pending = self._count(pending + data)
                        # Up to the start-up message packets have no type byte; requests for encryption precede it.
                        starting = starting and data[4:8] in ENCRYPTION_REQUESTS
                    spoke = ready
                    (server if ready is client else client).sendall(data)

    def _count(self, data: bytes) -> bytes:
        while len(data) >= 5 and len(data) > int.from_bytes(data[1:5], "big"):
            length = int.from_bytes(data[1:5], "big") + 1
            if data[:1] in EXECUTIONS and self._counting:
                self.statements += 1
            data = data[length:]
        return data
