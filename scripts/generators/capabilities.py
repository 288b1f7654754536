"""What each backend does itself and what each family serves, as Markdown tables."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from generators.outcome import Stale

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

EXAMPLES: Mapping[str, dict[str, str]] = {"postgres": {"url": "postgresql://localhost/postgres"}}
"""Arguments without which a store cannot be made. Nothing connects."""


def tables() -> str:
    """Both tables."""
    return f"{_backends()}\n{_families()}"


def _backends() -> str:
    from dbrouter.router.opening import STORES

    claims: dict[str, dict[str, Any]] = {}
    for kind, (module, name, _) in STORES.items():
        store = getattr(importlib.import_module(module), name)(**EXAMPLES.get(kind, {}))
        claims[kind] = store.capabilities.as_dict()
    wordless = {name for claim in claims.values() for name in claim} - set(WORDS)
    if wordless:
        raise Stale(
            f"no words for the capabilities {', '.join(sorted(wordless))}; add them in generators/capabilities.py"
        )
    rows = [_row("", *claims), _row(*["---"] * (len(claims) + 1))]
    rows.append(_row("async", *("native" if STORES[kind][2] else "threads" for kind in claims)))
    rows += [_row(words, *(_cell(name, claim[name]) for claim in claims.values())) for name, words in WORDS.items()]
    return "".join(rows) + "\n*native*: the database does it. *kernel*: dbrouter does it on top of the database.\n"


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
