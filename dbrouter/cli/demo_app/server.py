"""A real HTTP server around an AgentOS: uvicorn on a free port of this machine, in a thread."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Generator

    from fastapi import FastAPI

START_SECONDS = 30.0


def free_port() -> int:
    """Return a port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(app: FastAPI, *, port: int) -> Generator[None]:
    """Serve `app` until the block ends; returns only after the app's own shutdown, which closes its databases."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    # Not `daemon`: an interpreter that leaves must not cut the shutdown short.
    thread = threading.Thread(target=server.run, name="demo-server")
    thread.start()
    try:
        _wait_for(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the demo's AgentOS did not start; its log is above")
        time.sleep(0.02)
