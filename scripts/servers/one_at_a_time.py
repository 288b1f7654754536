"""moto's server, one request at a time: `python -m scripts.servers.one_at_a_time -H HOST -p PORT`.

moto answers each request on a thread of its own and locks nothing: between its look at If-Match and its write another
request may write, so that two conditional writes on one version both succeed, which S3 and DynamoDB never let happen.

What it does besides for every request took more than half of its time: a connection with a thread of its own, a line in
the log, a look through its folders for what it can play, and the search for garbage.
"""

from __future__ import annotations

import gc
import io
import logging
import sys
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from moto import backends, server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.serving import WSGIRequestHandler

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class OneAtATime:
    """A WSGI app whose requests wait for each other."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._turn = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The app's answer, whole."""
        # Read before the turn: a client that stops in the middle of its upload keeps nobody else waiting.
        if length := int(environ.get("CONTENT_LENGTH") or 0):
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with self._turn:
            return list(self._app(environ, start_response))


def main() -> None:
    """Serve as `moto.server` does, which makes its app itself."""
    gc.set_threshold(50_000, 20, 20)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    WSGIRequestHandler.protocol_version = "HTTP/1.1"  # connections are used again
    WSGIRequestHandler.disable_nagle_algorithm = True  # or the second part of an answer waits for the client's thanks
    server.DomainDispatcherApplication = lambda create: OneAtATime(DomainDispatcherApplication(create))  # type: ignore[assignment, misc]
    server.main(sys.argv[1:])


if __name__ == "__main__":
    main()
