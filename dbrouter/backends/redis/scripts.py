"""The scripts that run in the server, and what is sent to run one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from dbrouter.backends.redis.layout import Layout

Argument: TypeAlias = bytes | str | int


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the name that the server knows it by once it has run."""

    text: str
    sha: str


@dataclass(frozen=True, slots=True)
class Request:
    """Commands for the server that has `base`, in one exchange. script: that of the first, if it runs one.

    writes: whether sending it again could do something twice.
    """

    base: bytes
    commands: Sequence[Sequence[Argument]]
    script: Script | None = None
    writes: bool = False


def script_for(layout: Layout, body: str, tables: Iterable[str]) -> Script:
    """The script of that name for these tables and their families."""
    return _script(body, layout.for_lua(tables))


def running(script: Script, bases: Sequence[bytes], arguments: Sequence[Argument], *, writes: bool) -> Request:
    """The request that runs a script on keys with these beginnings."""
    return Request(bases[0], (("EVALSHA", script.sha, len(bases), *bases, *arguments),), script, writes)


def in_full(command: Sequence[Argument], script: Script) -> Sequence[Argument]:
    """The same command for a server that does not know the script yet."""
    return ("EVAL", script.text, *command[2:])


_PARTS: Mapping[str, Sequence[str]] = {"read": ("shared", "read"), "write": ("shared", "staging", "write")}
"""Name of a script -> the files that it is made of."""


@cache
def _script(body: str, tables: str) -> Script:
    sources = "\n".join(map(_source, _PARTS[body]))
    text = f"local DESCRIBED = {tables}\n{sources}"
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


@cache
def _source(name: str) -> str:
    return (files("dbrouter.backends.redis") / f"{name}.lua").read_text(encoding="utf-8")
