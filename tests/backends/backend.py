"""What every suite that runs on all backends asks of one: how it is configured, emptied and read without our code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dbrouter.testing.candidates import Gap

Settings: TypeAlias = dict[str, Any]
"""An entry of `databases` in a configuration."""

Row: TypeAlias = tuple[str | None, str, Mapping[str, Any]]
"""The namespace a row is in (`None`: in none), where it is, for people, and the row itself, as it is kept."""


def _nothing(_url: str, _name: str) -> None:
    """Leave what is there: it ends with its server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One backend, or one flavour of it (a cluster, another vendor's server), as the suites use it.

    name: what it is called in tests and tables. kind: as in a configuration. server: the name of the server that it
    needs in `scripts.servers.STARTERS`, if it needs one; its URL is the `url` of the functions below, else a folder.
    settings: from a URL and a name (a-z, 0-9), the settings of a database of that name which nobody else uses; sends
    nothing. The suites call its tenants' namespaces `<name>_...`, for servers where a namespace is not inside it.
    prepare: makes such a database where the driver cannot (an empty one; the driver makes its tables itself).
    drop: removes all of it, namespaces too. empty: removes all its rows and leaves its tables, which is faster than new
    ones where making tables takes long; `None`: each test gets a new database. rows: every row of it, tenants'
    namespaces included, read with the vendor's client and no code of ours; `None` where that makes no sense.
    lasts: whether making tables takes so long that tests make few namespaces.
    one_store: whether a database is what one open store holds, so that a second one would see another.
    keeps: whether its server has its data still when it was killed and started again.
    slow: whether its server, an emulator, takes so long that tenants' ways to it run the core of the suite only.
    threaded: whether its async stores are blocking ones on threads although its kind has native ones.
    parts: the modules of the conformance suite that run on it, where it is slow and another flavour of its kind runs all
    of them by the same code; `None`: all.
    gaps: conformance test -> why it fails here.
    """

    name: str
    kind: str
    settings: Callable[[str, str], Settings]
    server: str | None = None
    prepare: Callable[[str, str], None] = _nothing
    drop: Callable[[str, str], None] = _nothing
    empty: Callable[[str, str], None] | None = None
    rows: Callable[[str, str], Iterator[Row]] | None = None
    lasts: bool = False
    one_store: bool = False
    keeps: bool = True
    slow: bool = False
    modes: tuple[str, ...] = ("blocking", "async")
    threaded: bool = False
    parts: AbstractSet[str] | None = None
    gaps: Mapping[str, Gap] = field(default_factory=dict[str, Gap])
