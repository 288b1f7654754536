"""S3 as moto plays it, from the `moto` wheel. It keeps everything in memory: a restart empties it, a pause does not."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from importlib.metadata import version
from importlib.util import find_spec

from scripts.servers.places import free_port, new_place
from scripts.servers.server import CannotStart, Server

BUCKET = "dbrouter"
"""The bucket that is there when the server has started. Any key and secret open it."""


def start_s3() -> Server:
    """A fresh S3 on a free loopback port, with one bucket."""
    if find_spec("moto") is None or find_spec("flask") is None:
        raise CannotStart("s3", ["the package moto[server] is not installed"])
    with new_place("s3") as folder:
        port = free_port()
        return Server(
            name="s3",
            url=f"http://127.0.0.1:{port}",
            version=f"moto {version('moto')}",
            command=[sys.executable, "-m", "scripts.servers.one_at_a_time", "-H", "127.0.0.1", "-p", str(port)],
            folder=folder,
            user=None,
            ready=lambda: _make_bucket(port),
        )


def _make_bucket(port: int) -> None:
    """Make the bucket, else raise `OSError`. moto checks no signature, so no client is needed."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{BUCKET}", data=b"", method="PUT")
    request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=any/20200101/us-east-1/s3/aws4_request")
    with urllib.request.urlopen(request, timeout=5):  # noqa: S310  # our own loopback address
        return
