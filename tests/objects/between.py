"""A server between a client and the real one, which can be told to answer, cut off or wait in its place."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.waiting import PATIENCE

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


class Between:
    """url: how a client reaches it. asked: what was asked, `PUT /bucket/name`, in order.

    rule: for each request, with its method and path: `None` (pass it on), a status (answer it with `body`), "lost"
    (pass it on and cut the connection), "spoiled" (change the answer), "cut" (cut it at once) or "wait" (for ever).
    """

    def __init__(self, port: int, path: str) -> None:
        self.url = f"http://127.0.0.1:{port}{path}"
        self.asked: list[str] = []
        self.rule: Callable[[str, str], int | str | None] = lambda _method, _path: None
        self.body = SLOW_DOWN
        self.stripped: tuple[str, ...] = ()


@contextmanager
def between(url: str) -> Iterator[Between]:
    """A stand-in before the server at this URL."""
    target = urlsplit(url)
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            said.asked.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            match said.rule(self.command, self.path):
                case None:
                    self._answer(*self._passed_on(body))
                case int() as status:
                    self._answer(status, {}, said.body)
                case "lost":
                    self._passed_on(body)
                    self.close_connection = True
                case "spoiled":
                    status, headers, content = self._passed_on(body)
                    self._answer(status, headers, content[:-1] + b"?")
                case "cut":
                    self.close_connection = True
                case _:
                    over.wait(PATIENCE)
                    self.close_connection = True

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815  # http.server's names

        def _passed_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in said.stripped}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, dict(answer.getheaders()), content

        def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Listener(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that went away is no error here."""

    server = Listener(("127.0.0.1", 0), Handler)
    said = Between(server.server_address[1], target.path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield said
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
        time.sleep(0)
