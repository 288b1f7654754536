"""PgBouncer in front of a PostgreSQL server: Debian's package, installed by apt where it is missing and we are root."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from scripts.servers.places import free_port, new_place, ordinary_user, run
from scripts.servers.postgres import answers
from scripts.servers.server import CannotStart, Server

POOL = 3
"""Server connections: fewer than the clients of any test, so that each transaction gets whichever is free."""

SETTINGS = {
    "listen_addr": "127.0.0.1",
    "unix_socket_dir": "",
    "auth_type": "trust",
    "pool_mode": "transaction",
    "default_pool_size": str(POOL),
    "max_db_connections": str(POOL),
    "max_client_conn": "500",
    "server_round_robin": "1",  # the other server each time: what a session was set to is missed at once
    "ignore_startup_parameters": "extra_float_digits",
}


def start_pgbouncer(server_url: str, *, roles: Sequence[str] = ("postgres",)) -> Server:
    """A PgBouncer on a free loopback port that shares three connections to this server's databases by transaction.

    roles: those that may connect, without a password.
    """
    try:
        return _started(server_url, roles)
    except (OSError, LookupError) as error:
        raise CannotStart("pgbouncer", [str(error)]) from error


def _started(server_url: str, roles: Sequence[str]) -> Server:
    user = ordinary_user("postgres")
    with new_place("pgbouncer", user) as folder:
        binary = _found()
        # Its first line is "PgBouncer 1.18.0".
        version = run([binary, "--version"]).split()[1]
        behind = urlsplit(server_url)
        port = free_port()
        users = folder / "users.txt"
        users.write_text("".join(f'"{role}" ""\n' for role in roles))
        lines = ["[databases]", f"* = host={behind.hostname} port={behind.port}", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in SETTINGS.items()]
        lines += [f"auth_file = {users}", f"listen_port = {port}"]
        configuration = folder / "pgbouncer.ini"
        configuration.write_text("\n".join([*lines, ""]))
        return Server(
            name="pgbouncer",
            url=f"postgresql://{behind.username}@127.0.0.1:{port}{behind.path}",
            version=version,
            command=[str(binary), str(configuration)],
            folder=folder,
            user=user,
            ready=lambda: answers(port),
        )


def _found() -> Path:
    """The program, installed if need be."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
    binary = shutil.which("pgbouncer", path=path)
    if binary is None:
        _install()
        binary = shutil.which("pgbouncer", path=path)
    if binary is None:
        raise LookupError("apt installed pgbouncer, and there is none in /usr/sbin or on the PATH")
    return Path(binary)


def _install() -> None:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise LookupError("there is no pgbouncer; install the package pgbouncer (apt-get and root do it by themselves)")
    run([apt, "update", "-q"], seconds=300)
    quietly: list[str | Path] = ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive"]
    # Its package would start one on port 6432, for nobody.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        run([*quietly, apt, "install", "-q", "-y", "--no-install-recommends", "pgbouncer"], seconds=600)
    finally:
        if ours:
            policy.unlink()
