"""How tenants can be kept apart in a database, and what a driver adds to keep them apart.

A driver says in its `Capabilities.isolations` what it can do. For `SCHEMA` it implements `HasNamespaces`; for `ROWS` it
only has to serve `TENANT_TABLES` beside agno's, and implements `HoldsRowsBack` if the database itself can refuse rows.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    # A store's capabilities name isolations: the other way round it would be a circle.
    from dbrouter.backends.kernel.store import Store


class Isolation(StrEnum):
    """What a tenant has for itself."""

    DATABASE = "database"
    """A database of its own, with its own server, kind and credentials."""
    SCHEMA = "schema"
    """A schema, database name, key prefix or folder of its own in a database that others use too."""
    ROWS = "rows"
    """Its rows in tables that all such tenants share; the tenant leads every key, index and filter."""


@runtime_checkable
class HasNamespaces(Protocol):
    """A store that can hold the same tables several times, each time apart from the others."""

    def in_namespace(self, namespace: str) -> Store:
        """A store over the tables in this namespace, on the same connections. Sends nothing; costs little memory."""
        ...


@runtime_checkable
class HoldsRowsBack(Protocol):
    """A store whose database itself lets only one tenant's rows through, as a second lock."""

    def for_rows_of(self, tenant: str) -> Store:
        """A store over the same tables and connections whose statements see this tenant's rows only."""
        ...


def keeps_apart(store: object) -> tuple[bool, bool]:
    """Whether a store has namespaces, and whether it holds rows back. What stands around it has and does the same."""
    return isinstance(store, HasNamespaces), isinstance(store, HoldsRowsBack)


_NAMESPACE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,39}")


def checked_namespace(namespace: str) -> str:
    """The namespace, if every database takes it for a name of its own: a letter, digits and `_` in small, 63 at most.

    Capitals are refused because a file system may take two names that differ in them for one.
    """
    if not _NAMESPACE.fullmatch(namespace):
        raise ValueError(
            f"{namespace!r:.80} is no namespace; use `namespace_of`, or a-z, 0-9 and _, at most 63 of them"
        )
    return namespace


def namespace_of(tenant: str) -> str:
    """The name of a tenant's namespace: no two tenants have the same, and every database takes it as an identifier.

    A plain name can be recognised in it; of any other a digest stands there.
    """
    if _PLAIN.fullmatch(tenant):
        return f"tenant_{tenant}"
    digest = hashlib.sha256(tenant.encode("utf-8", "surrogatepass")).hexdigest()
    return f"tenants_{digest[:40]}"
