"""MariaDB from Debian, installed by apt where it is missing; and MySQL itself, this machine's or Debian sid's."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from scripts.servers.apt import install, unpack
from scripts.servers.cache import kept
from scripts.servers.places import free_port, new_place, ordinary_user, run
from scripts.servers.server import CannotStart, Server

MYSQLD = "MYSQLD"
"""The environment variable that names a `mysqld` of MySQL's, or a script that starts one with what it is given."""

PACKAGE = "mysql-server-core"
"""Debian's package of MySQL's server, without its clients and services."""

SETTINGS = {
    "bind-address": "127.0.0.1",
    "innodb-buffer-pool-size": "64M",
    "innodb-flush-log-at-trx-commit": "1",  # tests of durability kill the server
    # What is written outlives the server, not the machine: making tables is three times as fast.
    "innodb-flush-method": "nosync",
    "max-connections": "300",
}
OF_MARIADB = {"sync-frm": "0", "skip-log-bin": "1"}
OF_MYSQL = {"loose-mysqlx": "OFF", "secure-file-priv": "", "disable-log-bin": "1"}


def start_mariadb(**settings: str) -> Server:
    """A fresh MariaDB on a free loopback port, with one user `root` that needs no password.

    settings: its own, with underscores, beside those that all have.
    """
    own = OF_MARIADB | {name.replace("_", "-"): value for name, value in settings.items()}
    reasons: list[str] = []
    for source, find in (("installed", _installed), ("apt", _by_apt)):
        try:
            server, installer = find()
            return _started("mariadb", [server], [installer, "--no-defaults", *_INSTALLING], own)
        except (OSError, LookupError, CannotStart) as error:
            reasons.append(f"{source}: {error}")
    raise CannotStart("mariadb", reasons)


def start_mysql() -> Server:
    """A fresh MySQL: the one that `MYSQLD` names or the PATH has, else that of Debian's sid, unpacked.

    Optional, for sid is no release: what is in it today may not be there, or not work, tomorrow.
    """
    reasons: list[str] = []
    for source, find in (("installed", _mysqld), ("sid", _of_sid)):
        try:
            server = find()
            return _started("mysql", server, [*server, "--no-defaults", "--initialize-insecure"], OF_MYSQL)
        except (OSError, LookupError, CannotStart) as error:
            reasons.append(f"{source}: {error}")
    raise CannotStart("mysql", reasons, optional=True)


_INSTALLING = ("--auth-root-authentication-method=normal", "--skip-test-db")


def _started(name: str, server: Sequence[str | Path], making: Sequence[str | Path], own: dict[str, str]) -> Server:
    user = ordinary_user("mysql")
    with new_place(name, user) as folder:
        version = _version(run([*server, "--version"], user=user, cwd=folder))
        data = [f"--datadir={folder / 'data'}", *([] if user is None else [f"--user={user.name}"])]
        run([*making, *data], user=user, cwd=folder, seconds=120)
        port = free_port()
        settings = [f"--{setting}={value}" for setting, value in (SETTINGS | own).items()]
        return Server(
            name=name,
            url=f"mysql://root@127.0.0.1:{port}",
            version=version,
            command=[*map(str, server), "--no-defaults", *data, f"--port={port}", _socket(folder), *settings],
            folder=folder,
            user=user,
            ready=lambda: answers(port),
        )


def _socket(folder: Path) -> str:
    return f"--socket={folder / 'socket'}"


def _version(text: str) -> str:
    match = re.search(r"Ver (\d+[.\d]*)", text)
    if match is None:
        raise LookupError(f"no version in {text!r}")
    return match[1]


def _installed() -> tuple[Path, Path]:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
    server, installer = shutil.which("mariadbd", path=path), shutil.which("mariadb-install-db", path=path)
    if server is None or installer is None:
        raise LookupError("there is no mariadbd with its mariadb-install-db on the PATH or in /usr/sbin")
    return Path(server), Path(installer)


def _by_apt() -> tuple[Path, Path]:
    install("mariadb-server")
    return _installed()


def _mysqld() -> list[str | Path]:
    named = os.environ.get(MYSQLD) or shutil.which("mysqld", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not named:
        raise LookupError(f"there is no mysqld on the PATH, and {MYSQLD} names none")
    if "MariaDB" in run([named, "--version"]):
        raise LookupError(f"{named} is MariaDB; name MySQL's in {MYSQLD}")
    return [named]


def _of_sid() -> list[str | Path]:
    """The server of sid, begun by the loader that came with it: this machine's C library is an older one."""
    home = kept(f"{PACKAGE} of sid", lambda folder: unpack(PACKAGE, "sid", folder))
    loader = next((home / "usr" / "lib").glob("*/ld-linux*.so.*"), None)
    server = home / "usr" / "sbin" / "mysqld"
    if loader is None or not server.is_file():
        raise LookupError(f"{PACKAGE} holds no mysqld that can be begun by a loader; remove {home} to fetch it again")
    return [loader, "--library-path", loader.parent, server]


def answers(port: int) -> None:
    """Return if the server greets, else raise `OSError`; in its protocol the server speaks first."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        greeting = connection.recv(5)
        if len(greeting) < 5 or greeting[4] == 0xFF:  # an error instead of a greeting
            raise ConnectionError("it is still starting up")
