"""What each backend does itself and what each family serves, as Markdown tables."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from generators.outcome import Stale
from pydantic import TypeAdapter

from dbrouter.backends.kernel.capabilities import Capabilities, no_walks

WORDS = {
    "filters": "filters",
    "order": "sorting and paging",
    "counts": "a page's total in the same request",
    "loads": "a session and its runs in one request",
    "upserts": "merging writes with owner guards",
    "positions": "the next run index under a lock",
    "updates": "conditional changes",
    "claims": "claiming one of many",
    "deletes": "deletes with their cascade",
    "aggregates": "statistics",
    "percentiles": "95th percentiles",
    "batches": "a batch of writes in one request",
    "uniques": "unique sets",
    "parents": "parents that must exist",
    "commits": "several records in one transaction",
    "isolations": "tenants in one database, by",
}
"""Capability -> what it means to a user."""

EXAMPLES: Mapping[str, dict[str, str]] = {
    "sqlite": {"path": "agents.db"},
    "postgres": {"url": "postgresql://localhost/agents"},
    "mysql": {"url": "mysql://localhost/agents"},
    "singlestore": {"url": "mysql://localhost/agents"},
    "mongo": {"url": "mongodb://localhost/agents?replicaSet=rs0"},
    "redis": {"url": "redis://localhost"},
    "firestore": {"project": "agents"},
    "objects": {"url": "s3://agents/rows"},
}
"""Settings without which a store cannot be made. Nothing connects."""


def tables() -> str:
    """Both tables."""
    return f"{_backends()}\n{_families()}"


def _backends() -> str:
    from dbrouter.config.settings import Database
    from dbrouter.router.opening import STORES

    claims: dict[str, dict[str, Any]] = {}
    pages: dict[str, str] = {}
    for kind, (module, name, _) in STORES.items():
        settings = TypeAdapter[Any](Database).validate_python({"kind": kind, **EXAMPLES.get(kind, {})})
        store = getattr(importlib.import_module(module), name).from_settings(settings, name=kind)
        claims[kind] = store.capabilities.as_dict()
        pages[kind] = _pages(store.capabilities)
    wordless = {name for claim in claims.values() for name in claim} - set(WORDS)
    if wordless:
        raise Stale(
            f"no words for the capabilities {', '.join(sorted(wordless))}; add them in generators/capabilities.py"
        )
    rows = [_row("", *claims), _row(*["---"] * (len(claims) + 1))]
    rows.append(_row("async", *("native" if STORES[kind][2] else "threads" for kind in claims)))
    rows += [_row(words, *(_cell(name, claim[name]) for claim in claims.values())) for name, words in WORDS.items()]
    rows.append(_row("pages that read what they show", *pages.values()))
    return "".join(rows) + (
        "\n*native*: the database does it. *kernel*: dbrouter does it on top of the database. *by time*: lists of what "
        "a user, a component or a status has, by when it was made or changed; others are read whole and sorted. "
        "MongoDB has transactions as a replica set, of one at least. A database with `kind: agno` does what its class "
        "does: [docs/backends/agno.md](docs/backends/agno.md).\n"
    )


def _pages(capabilities: Capabilities) -> str:
    if capabilities.order:
        return "all"
    return "no" if capabilities.walks is no_walks else "by time"


def _families() -> str:
    from dbrouter.router.agno_types import AsyncBaseDb, BaseDb
    from dbrouter.router.faces.async_all import ASYNC_FACES
    from dbrouter.router.faces.sync_all import SYNC_FACES

    rows = [_row("family", "`DbRouter`", "`AsyncDbRouter`"), _row("---", "---", "---")]
    for family, face in SYNC_FACES.items():
        rows.append(_row(family, f"{len(_methods(face))} methods", f"{len(_methods(ASYNC_FACES[family]))} methods"))
    agno = [len(_methods(base)) for base in (BaseDb, AsyncBaseDb)]
    return "".join(rows) + f"\nagno's `BaseDb` has {agno[0]} methods and its `AsyncBaseDb` {agno[1]}.\n"


def _methods(face: type) -> list[str]:
    return [name for name in vars(face) if callable(getattr(face, name)) and not name.startswith("_")]


def _cell(name: str, claim: object) -> str:
    if name == "filters":
        return {"all": "native", "none": "kernel"}.get(str(claim), "native, some kernel")
    if name == "isolations":
        return str(claim)
    return "native" if claim else "refused" if name == "commits" else "kernel"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"
