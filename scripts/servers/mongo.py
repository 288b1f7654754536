"""MongoDB: a `mongod` that is installed, else SecantusDB, which is one in all that its protocol shows, from its wheel.

Both as a replica set of one, which has transactions, or alone, without.
"""

from __future__ import annotations

import re
import shutil
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from scripts.servers.places import free_port, new_place, run
from scripts.servers.server import CannotStart, Server

SET = "dbrouter"
"""The replica set's name where we may choose it."""
SECANTUS_SET = "secantus"
"""The name that SecantusDB gives its own."""
PROGRAM = "scripts.servers.secantus_in_haste"


def start_mongo(*, lasting: bool = False) -> Server:
    """A fresh replica set of one on a free loopback port, without users.

    lasting: what it acknowledged is there after it was killed; that costs SecantusDB a wait for the disk each time.
    """
    return _first("mongo", alone=False, lasting=lasting)


def start_mongo_alone(*, lasting: bool = False) -> Server:
    """A fresh server that belongs to no replica set, and so has no transactions."""
    return _first("mongo alone", alone=True, lasting=lasting)


def _first(name: str, *, alone: bool, lasting: bool) -> Server:
    reasons: list[str] = []
    for source, start in _SOURCES.items():
        try:
            with new_place(name) as folder:
                return start(name, folder, alone, lasting)
        except (OSError, LookupError, CannotStart) as error:
            reasons.append(f"{source}: {error}")
    raise CannotStart(name, reasons)


def _mongod(name: str, folder: Path, alone: bool, lasting: bool) -> Server:  # two forms of the same server
    del lasting  # its journal always is
    program = shutil.which("mongod")
    if program is None:
        raise LookupError("there is no mongod on the PATH")
    data, port = folder / "data", free_port()
    data.mkdir()
    options = ["--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    server = Server(
        name=name,
        url=f"mongodb://127.0.0.1:{port}/" + ("" if alone else f"?replicaSet={SET}"),
        version=_number(run([program, "--version"])),
        command=[program, *options, *([] if alone else ["--replSet", SET])],
        folder=folder,
        user=None,
        ready=lambda: hello(port),
    )
    if not alone:
        _initiate(port)
    return server


def _secantus(name: str, folder: Path, alone: bool, lasting: bool) -> Server:  # two forms of the same server
    if find_spec("secantus") is None:
        raise LookupError("the package secantusdb is not installed")
    data, port = folder / "data", free_port()
    options = ["--port", str(port), "--storage-path", str(data), "--log-level", "ERROR", "--cache-size", "256M"]
    synced = ["--sync-on-commit"] if lasting else []
    return Server(
        name=name,
        url=f"mongodb://127.0.0.1:{port}/" + ("" if alone else f"?replicaSet={SECANTUS_SET}"),
        version="secantusdb",
        command=[sys.executable, "-m", PROGRAM, *options, *synced, *(["--standalone"] if alone else [])],
        folder=folder,
        user=None,
        ready=lambda: hello(port),
    )


def _number(text: str) -> str:
    match = re.search(r"v(\d+[.\d]*)", text)
    if match is None:
        raise LookupError(f"no version in {text!r}")
    return match[1]


def hello(port: int) -> None:
    """Return if the server answers, else raise `OSError`; asked in the wire protocol, so no client is needed."""
    # {hello: 1, $db: "admin"} as OP_MSG.
    body = b"\x10hello\0\1\0\0\0\x02$db\0\6\0\0\0admin\0"
    document = struct.pack("<i", len(body) + 5) + body + b"\0"
    message = struct.pack("<iiiiIB", 21 + len(document), 1, 0, 2013, 0, 0) + document
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(message)
        if not connection.recv(16):
            raise ConnectionError("it is still starting up")


def _initiate(port: int) -> None:
    """Make a lone server the only member of its set, and wait until it may be written to."""
    import pymongo
    from pymongo.errors import PyMongoError

    members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
    with pymongo.MongoClient("127.0.0.1", port, directConnection=True) as client:
        admin: Any = client.admin
        try:
            admin.command({"replSetInitiate": {"_id": SET, "members": members}})
            for _ in range(200):
                if admin.command("hello")["isWritablePrimary"]:
                    return
                time.sleep(0.05)
        except PyMongoError as error:
            raise OSError(f"the replica set could not be made: {error}") from error
    raise OSError("the replica set elected no primary")


_SOURCES: Mapping[str, Callable[[str, Path, bool, bool], Server]] = {"mongod": _mongod, "secantusdb": _secantus}
