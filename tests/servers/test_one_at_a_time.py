"""Requests to moto wait for each other: what it looks at before a write is still so when it writes."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scripts.servers.one_at_a_time import OneAtATime

CLIENTS = 8

Environ = dict[str, Any]


def test_of_eight_writes_on_one_version_one_succeeds() -> None:
    version = 0

    def write_if_it_is_0(environ: Environ, start_response: Any) -> list[bytes]:
        nonlocal version
        found = version
        time.sleep(0.001)
        if found:
            return [b"changed"]
        version = 1
        return [b"written"]

    app = OneAtATime(write_if_it_is_0)
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(lambda _: app({}, None), range(CLIENTS)))

    assert sorted(answers) == [[b"changed"]] * (CLIENTS - 1) + [[b"written"]]


def test_a_client_that_stops_in_its_upload_keeps_nobody_waiting() -> None:
    goes_on = threading.Event()

    class Stopped(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert goes_on.wait(10)
            return super().read(size)

    def echo(environ: Environ, start_response: Any) -> list[bytes]:
        return [environ["wsgi.input"].read()]

    app = OneAtATime(echo)
    with ThreadPoolExecutor(1) as client:
        stopped = client.submit(app, {"CONTENT_LENGTH": "4", "wsgi.input": Stopped(b"late")}, None)
        assert app({"CONTENT_LENGTH": "4", "wsgi.input": io.BytesIO(b"soon")}, None) == [b"soon"]
        goes_on.set()
        assert stopped.result(10) == [b"late"]


def test_an_error_ends_the_turn() -> None:
    def fail(environ: Environ, start_response: Any) -> list[bytes]:
        raise ValueError

    app = OneAtATime(fail)
    for _ in range(2):
        with pytest.raises(ValueError):
            app({}, None)
