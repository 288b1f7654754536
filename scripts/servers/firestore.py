"""Firestore: Google's own emulator, the jar of the Cloud SDK, run by Java.

It keeps everything in memory: a restart loses it. Nothing but the SDK has it, so a machine may well be without.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from scripts.servers.http import answers
from scripts.servers.java import JVM
from scripts.servers.places import free_port, new_place
from scripts.servers.server import CannotStart, Server

JAR = "FIRESTORE_EMULATOR_JAR"
"""The environment variable that may name the jar."""
MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
BELOW_THE_SDK = Path("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
ROOTS = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/usr/local/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/snap/google-cloud-sdk/current",
    "/opt/homebrew/share/google-cloud-sdk",
    "~/google-cloud-sdk",
)


def start_firestore() -> Server:
    """A fresh emulator on a free loopback port; its URL is `http://127.0.0.1:port`, its data gone when it stops."""
    java = shutil.which("java")
    reasons = [] if java else ["there is no java on the PATH (Debian: default-jre-headless)"]
    tried: list[str] = []
    jar = next((each for each in _candidates(tried) if each.is_file()), None)
    if jar is None:
        reasons.append(
            f"no cloud-firestore-emulator.jar ({', '.join(tried)}); install the Google Cloud SDK with its component "
            f"cloud-firestore-emulator, or name the jar in {JAR}"
        )
    if java is None or jar is None:
        raise CannotStart("firestore", reasons, optional=True)
    return _started(java, jar)


def _candidates(tried: list[str]) -> Iterator[Path]:
    """Where the jar may be, noting each place for people."""
    named = os.environ.get(JAR)
    tried.append(f"{JAR}={named}" if named else f"{JAR} is not set")
    if named:
        yield Path(named)
    for root in _roots():
        tried.append(str(root))
        yield root / BELOW_THE_SDK


def _roots() -> Iterator[Path]:
    for variable in ("CLOUDSDK_ROOT", "CLOUDSDK_ROOT_DIR", "CLOUD_SDK_ROOT"):
        if root := os.environ.get(variable):
            yield Path(root)
    gcloud = shutil.which("gcloud")
    if gcloud is not None:
        yield Path(gcloud).resolve().parent.parent
    for root in ROOTS:
        yield Path(root).expanduser()


def _started(java: str, jar: Path) -> Server:
    with new_place("firestore") as folder:
        port = free_port()
        return Server(
            name="firestore",
            url=f"http://127.0.0.1:{port}",
            version=_version(jar),
            # What it says of an error depends on the language.
            command=[
                *(java, *JVM, "-Duser.language=en", f"-Djava.io.tmpdir={folder}", "-cp", str(jar)),
                *(MAIN_CLASS, "--host=127.0.0.1", f"--port={port}"),
            ],
            folder=folder,
            user=None,
            ready=lambda: answers(port, starting=b"HTTP/1.1 200"),
        )


def _version(jar: Path) -> str:
    """The SDK's: the jar has none."""
    try:
        return "SDK " + (jar.parents[2] / "VERSION").read_text().strip()
    except OSError:
        return "unknown"
