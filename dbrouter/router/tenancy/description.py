"""What a configuration says about tenants, and how it is read again while the process runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.router.tenancy.tenants import TenancyRules, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogTable:
    """The database with the table that adds tenants to those of the file, and seconds between two looks at it."""

    db: str
    poll: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRow:
    """What the table says about one tenant: `spec` has the keys of an entry of `tenants`."""

    name: str
    spec: Any
    suspended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """All tenants by name, those of the file first.

    others: what `"*"` says, for tenants that are provisioned; `None` if nothing does. notes: what somebody should
    know: rows that the file overrides, changes of the file that need a restart. refused: what is wrong with the files
    as they are now; these are the tenants of the files before.
    """

    tenants: Mapping[str, Tenant]
    others: Tenant | None = None
    notes: tuple[str, ...] = ()
    refused: ConfigError | None = None


class TenantsSource(Protocol):
    """Where tenants are described, as `dbrouter.config` has it."""

    def changed(self) -> bool:
        """Whether the configuration's files are other ones than those last read, as their sizes and times say."""
        ...

    def read(self, rows: Sequence[CatalogRow] = ()) -> Described:
        """The tenants of the files, read again where they changed, and of these rows.

        Files that cannot be served count as not changed, and are told in `refused`. `ConfigError` if the rows cannot.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """Everything that a configuration says about tenants.

    described: the tenants of the file at load. table: where more of them are. open_databases: how many databases of
    tenants are open at once. processes: how many processes share the servers, for the connection budget.
    """

    rules: TenancyRules
    described: Described
    source: TenantsSource
    table: CatalogTable | None = None
    open_databases: int = 64
    processes: int = 1
