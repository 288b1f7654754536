"""Proxies in front of a server that count round trips on the wire, whatever is spoken; for Postgres, statements too."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit, urlunsplit

EXECUTIONS = (b"E", b"Q")
"""Frontend messages that run a statement: Execute, and a simple Query."""


ENCRYPTION_REQUESTS = ((80877103).to_bytes(4, "big"), (80877104).to_bytes(4, "big"))
"""Codes of SSLRequest and GSSENCRequest."""


class Turns:
    """Counts while entered. A round trip is a turn of a conversation: the client spoke after the server did.

    What a client says on several connections at once is several round trips; what it says in one breath is one.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.counting = False
        self.round_trips = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        self.round_trips = 0
        self.counting = True
        return self

    def __exit__(self, *_: object) -> None:
        self.counting = False

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def listener(self) -> Callable[[bytes], None] | None:
        """What hears all that the client says on one more connection."""
        return None

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        hear = self.listener()
        with client, socket.create_connection(self._target) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            spoke: socket.socket | None = None
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 20)
                    if not data:
                        return
                    if ready is client:
                        if spoke is not client and self.counting:
                            self.round_trips += 1
                        if hear is not None:
                            hear(data)
                    spoke = ready
                    (server if ready is client else client).sendall(data)


class RoundTrips(Turns):
    """In front of a Postgres server, by its URL: counts statements too."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        super().__init__(parts.hostname or "127.0.0.1", parts.port or 5432)
        where = f"{parts.username or 'postgres'}{':' + parts.password if parts.password else ''}@127.0.0.1"
        self.url = urlunsplit(parts._replace(netloc=f"{where}:{self.port}"))
        self.statements = 0

    def __enter__(self) -> Self:
        self.statements = 0
        return super().__enter__()

    def listener(self) -> Callable[[bytes], None]:
        """What counts the statements of one connection."""
        return _Statements(self).heard


class _Statements:
    def __init__(self, counts: RoundTrips) -> None:
        self._counts = counts
        self._pending = b""
        self._starting = True

    def heard(self, data: bytes) -> None:
        # Up to the start-up message packets have no type byte; requests for encryption precede it.
        if self._starting:
            self._starting = data[4:8] in ENCRYPTION_REQUESTS
            return
        data = self._pending + data
        while len(data) >= 5 and len(data) > int.from_bytes(data[1:5], "big"):
            length = int.from_bytes(data[1:5], "big") + 1
            if data[:1] in EXECUTIONS and self._counts.counting:
                self._counts.statements += 1
            data = data[length:]
        self._pending = data
