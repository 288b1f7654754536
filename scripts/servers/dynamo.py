"""DynamoDB: Amazon's own emulator, DynamoDB Local, out of an npm package and run by Java; else moto's imitation.

The emulator keeps its tables in memory, or in its folder for who wants them after a restart, which takes it ten times
as long.
"""

from __future__ import annotations

import importlib.util
import re
import signal
import sys
import tarfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from scripts.servers.apt import program
from scripts.servers.cache import kept
from scripts.servers.http import answers
from scripts.servers.java import JVM
from scripts.servers.places import free_port, new_place, run
from scripts.servers.server import CannotStart, Server

PACKAGE = "amplify-dynamodb-simulator@2.9.30"
"""The npm package that carries Amazon's DynamoDBLocal.jar."""
JAR = Path("package/emulator/DynamoDBLocal.jar")
LIBRARIES = Path("package/emulator/DynamoDBLocal_lib")


def start_dynamo(*, lasting: bool = False) -> Server:
    """A fresh server on a free loopback port; its URL is the endpoint, and it takes any credentials and region.

    lasting: what it holds is there again when it was killed and started again. moto cannot do that.
    """
    reasons: list[str] = []
    for source, start in (("DynamoDB Local", _local), ("moto", _moto)):
        try:
            return start(lasting)
        except (OSError, LookupError, tarfile.TarError, CannotStart) as error:
            reasons.append(f"{source}: {error}")
    raise CannotStart("dynamo", reasons)


def _local(lasting: bool) -> Server:
    java = program("java", "default-jre-headless")
    home = kept(PACKAGE, _unpacked)

    def command(port: int, folder: Path) -> list[str]:
        return [
            *(java, *JVM, f"-Djava.io.tmpdir={folder}", f"-Djava.library.path={home / LIBRARIES}"),
            *("-jar", str(home / JAR), "-sharedDb", "-port", str(port)),
            *(("-dbPath", str(folder)) if lasting else ("-inMemory",)),
        ]

    return _started(command, f"DynamoDB Local {_version(home)}")


def _moto(lasting: bool) -> Server:
    if lasting:
        raise LookupError("it keeps everything in memory")
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        raise LookupError("the package moto[server] is not installed")

    def command(port: int, _folder: Path) -> list[str]:
        return [sys.executable, "-m", "scripts.servers.one_at_a_time", "-H", "127.0.0.1", "-p", str(port)]

    return _started(command, f"moto {version('moto')}")


def _started(command: Callable[[int, Path], list[str]], what: str) -> Server:
    with new_place("dynamo") as folder:
        port = free_port()
        return Server(
            name="dynamo",
            url=f"http://127.0.0.1:{port}",
            version=what,
            command=command(port, folder),
            folder=folder,
            user=None,
            ready=lambda: answers(port),
            # DynamoDB Local acknowledges a write before it is on disk, which DynamoDB never does: at SIGKILL it forgets
            # what it acknowledged last.
            kill_signal=signal.SIGTERM,
        )


def _unpacked(fresh: Path) -> None:
    """The npm package, in this folder."""
    run([program("npm", "npm"), "pack", PACKAGE], cwd=fresh, seconds=300)
    (archive,) = fresh.glob("*.tgz")
    with tarfile.open(archive) as packed:
        packed.extractall(fresh, filter="data")
    archive.unlink()
    if not (fresh / JAR).is_file():
        raise LookupError(f"{PACKAGE} holds no {JAR}")


def _version(home: Path) -> str:
    """The emulator's, which its notes name first."""
    notes = home / "package" / "emulator" / "README.txt"
    match = re.search(r"\((\d+\.\d+\.\d+)\)", notes.read_text(errors="replace") if notes.is_file() else "")
    return match[1] if match else f"of {PACKAGE}"
