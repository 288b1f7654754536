"""Azure Blob Storage as Azurite plays it, Microsoft's own emulator out of npm, run by Node.

It keeps everything in memory: a restart empties it, a pause does not.
"""

from __future__ import annotations

from pathlib import Path

from scripts.servers.apt import program
from scripts.servers.cache import kept
from scripts.servers.http import answers
from scripts.servers.places import free_port, new_place, run
from scripts.servers.server import CannotStart, Server

PACKAGE = "azurite@3.37.0"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The one account of every Azurite, as Microsoft's documentation gives it."""
_BLOBS = Path("node_modules/azurite/dist/src/blob/main.js")


def start_azure() -> Server:
    """A fresh Blob Storage on a free loopback port, without a container; its URL is the account's."""
    try:
        node = program("node", "nodejs")
        home = kept(PACKAGE, _installed)
    except (OSError, LookupError) as error:
        raise CannotStart("azure", [str(error)]) from error
    with new_place("azure") as folder:
        port = free_port()
        return Server(
            name="azure",
            url=f"http://127.0.0.1:{port}/{ACCOUNT}",
            version=PACKAGE.replace("@", " "),
            command=[
                *(node, str(home / _BLOBS), "--blobHost", "127.0.0.1", "--blobPort", str(port)),
                # A client may know a later version of the protocol than the emulator, which then does what it knows.
                *("--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"),
            ],
            folder=folder,
            user=None,
            ready=lambda: answers(port),
        )


def _installed(fresh: Path) -> None:
    """The npm package and all that it needs, in this folder."""
    quietly = ("--no-audit", "--no-fund", "--no-package-lock", "--omit=optional", "--ignore-scripts")
    run([program("npm", "npm"), "install", *quietly, "--prefix", fresh, PACKAGE], seconds=600)
    if not (fresh / _BLOBS).is_file():
        raise LookupError(f"{PACKAGE} has no {_BLOBS}")
