"""Tenants' names in the names of hosts: one label of small letters, digits, `-` and `_`, as DNS has them."""

from __future__ import annotations

import re

LONGEST = 253
"""Characters of a host's name, by DNS."""

_HOST = re.compile(rb"([A-Za-z0-9._-]+?)\.?(?::[0-9]*)?")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")


def host_in(value: bytes) -> str | None:
    """The host that a Host header names, in small letters, without its port and the dot of its root.

    `None` for what is no host's name: an address in brackets, other characters, nothing.
    """
    found = _HOST.fullmatch(value.strip())
    if found is None or len(found[1]) > LONGEST:
        return None
    return found[1].decode("ascii").lower()


def is_label(name: str) -> bool:
    """Whether a host can have this as one part of its name."""
    return _LABEL.fullmatch(name) is not None


def in_hosts(name: str) -> str | None:
    """How a client writes this name in a host: in small letters, and by punycode beyond ASCII. `None` if it cannot."""
    try:
        written = name.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return written if is_label(written) else None
