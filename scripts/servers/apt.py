"""Debian's packages: installed without starting the services that they bring, or only unpacked in a folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from scripts.servers.places import run

POLICY = Path("/usr/sbin/policy-rc.d")
"""What Debian asks whether a package may start its service."""


def install(package: str) -> None:
    """Install a package. Raises `LookupError` where only somebody else can do that, `OSError` if it failed."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise LookupError(f"install the package {package} (apt-get and root do it by themselves)")
    run([apt, "update", "-q"], seconds=300)
    quietly: list[str | Path] = ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive"]
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        run([*quietly, apt, "install", "-q", "-y", "--no-install-recommends", package], seconds=600)
    finally:
        if ours:
            POLICY.unlink()


def program(name: str, package: str) -> str:
    """Where a program is; its package is installed if need be. Raises as `install` does."""
    found = shutil.which(name)
    if found is not None:
        return found
    install(package)
    found = shutil.which(name)
    if found is None:
        raise LookupError(f"apt installed {package}, and there is still no {name} on the PATH")
    return found


def unpack(package: str, release: str, into: Path) -> None:
    """Unpack a package of another release of Debian's, with all that it needs, in a folder; nothing is installed.

    Needs no root. Raises `LookupError` where apt is missing or knows no archive of Debian's, `OSError` if it failed.
    """
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        raise LookupError("there is no apt-get with its dpkg-deb")
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder)
        archives = own / "archives"
        for each in (archives / "partial", own / "lists" / "partial"):
            each.mkdir(parents=True)
        (own / "sources.list").write_text(f"deb {_archive(apt)} {release} main\n")
        (own / "status").touch()
        options = {
            "Dir::Etc::SourceList": own / "sources.list",
            "Dir::Etc::SourceParts": own / "none",
            "Dir::State": own,
            "Dir::State::Status": own / "status",  # nothing is installed: all that it needs comes with it
            "Dir::Cache": own,
            "APT::Sandbox::User": "",
        }
        asking = [apt, "-q", "-y", *(f"-o{name}={value}" for name, value in options.items())]
        run([*asking, "update"], seconds=300)
        run([*asking, "install", "--download-only", "--no-install-recommends", package], seconds=600)
        for each in sorted(archives.glob("*.deb")):
            run([dpkg, "-x", each, into])


def _archive(apt: str) -> str:
    """Where this machine gets Debian's packages from."""
    asking: list[str | Path] = [apt, "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"]
    named = run([*asking, "Created-By: Packages"])
    if not named and os.geteuid() == 0:
        # A machine that never asked for its lists, as a fresh one.
        run([apt, "update", "-q"], seconds=300)
        named = run([*asking, "Created-By: Packages"])
    for line in named.splitlines():
        origin, label, *uri = line.split()
        if (origin, label) == ("Debian", "Debian") and uri:
            return uri[0]
    raise LookupError("apt knows no archive of Debian's here")
