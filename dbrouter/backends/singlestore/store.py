"""The SingleStore stores, blocking and async: MySQL's, over less of its SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from dbrouter.backends.kernel.capabilities import Capabilities
from dbrouter.backends.kernel.emulation import INTERNAL_TABLES
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.backends.mysql.store import CAPABILITIES as OF_MYSQL
from dbrouter.backends.mysql.store import AsyncMySqlStore, MySqlStore
from dbrouter.backends.singlestore.dialect import SingleStoreDialect
from dbrouter.backends.singlestore.native_filters import runs_natively

SCHEMES = ("singlestoredb", "singlestore", "mysql")

CAPABILITIES = replace(
    OF_MYSQL,
    filters=runs_natively,
    # It enforces no unique set beside the key, no foreign key, and has no locks by name; nor can a claimer pass over
    # rows that another holds, or the rows of an update be locked and read before it in a way that is documented.
    uniques=False,
    parents=False,
    positions=False,
    claims=False,
    updates=False,
    deletes=False,
)


class SingleStoreStore(MySqlStore):
    """A SingleStore database from threads. Arguments as for `MySqlStore`."""

    KIND = SingleStoreDialect
    SCHEMES: ClassVar[tuple[str, ...]] = SCHEMES
    CAPABLE: ClassVar[Capabilities] = CAPABILITIES
    BESIDE: ClassVar[Mapping[str, TableSpec]] = INTERNAL_TABLES


class AsyncSingleStoreStore(AsyncMySqlStore):
    """A SingleStore database from event loops. Arguments as for `MySqlStore`."""

    KIND = SingleStoreDialect
    SCHEMES: ClassVar[tuple[str, ...]] = SCHEMES
    CAPABLE: ClassVar[Capabilities] = CAPABILITIES
    BESIDE: ClassVar[Mapping[str, TableSpec]] = INTERNAL_TABLES
