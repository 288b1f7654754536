"""How many connections a file can open on each server, and whether the server has so many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.backends.postgres.settings import PostgresSettings
from dbrouter.config.findings import Findings
from dbrouter.config.settings import Settings
from dbrouter.config.tree import Branch, at

_PORT = "5432"
_HERE = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one database takes of its server: connections of one process, and how that number comes about."""

    database: str
    connections: int
    sum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The connections that this file can open on one server.

    always: databases that stay open. own: the databases of tenants of their own; at most `open_databases` of them are
    open at once, the largest counted. allowed: what the server has, if the file says so. said_by: the database whose
    settings say so.
    """

    server: str
    always: tuple[Share, ...]
    own: tuple[Share, ...]
    open_databases: int
    processes: int
    allowed: int | None = None
    said_by: str = ""

    @property
    def opened_at_once(self) -> tuple[Share, ...]:
        """The databases of tenants' own that take most."""
        return tuple(sorted(self.own, key=lambda each: -each.connections)[: self.open_databases])

    @property
    def connections(self) -> int:
        """The most that can be open at once."""
        return sum(each.connections for each in (*self.always, *self.opened_at_once)) * self.processes

    @property
    def fits(self) -> bool:
        """Whether the server has so many, as far as the file says."""
        return self.allowed is None or self.connections <= self.allowed

    @property
    def written_out(self) -> str:
        """The sum, term by term."""
        terms = [f"{each.database} {each.sum}" for each in self.always]
        if len(self.own) > self.open_databases:
            each_sum = sum(each.connections for each in self.opened_at_once)
            terms.append(f"{self.open_databases} of {len(self.own)} tenants' databases, at most {each_sum}")
        else:
            terms += [f"{each.database} {each.sum}" for each in self.own]
        inside = " + ".join(terms)
        return (
            f"({inside}) x {self.processes} processes = {self.connections}"
            if self.processes > 1
            else (f"{inside} = {self.connections}")
        )


def budgets(settings: Settings) -> tuple[Budget, ...]:
    """The connections that these settings can open, server by server."""
    own = set(_own_databases(settings))
    tenancy = settings.tenancy
    catalog = tenancy.table.db if tenancy is not None and tenancy.table is not None else None
    servers: dict[str, list[tuple[str, PostgresSettings]]] = defaultdict(list)
    for name, database in settings.databases.items():
        if isinstance(database, PostgresSettings):
            servers[_server(database)].append((name, database))
    found: list[Budget] = []
    for server, databases in servers.items():
        shares = {name: _share(name, database, looked_at=name == catalog) for name, database in databases}
        limits = {name: each.server_max_connections for name, each in databases if each.server_max_connections}
        lowest = min(limits, key=lambda name: limits[name] or 0, default="")
        found.append(
            Budget(
                server=server,
                always=tuple(share for name, share in shares.items() if name not in own),
                own=tuple(share for name, share in shares.items() if name in own),
                open_databases=tenancy.open_databases if tenancy is not None else 1,
                processes=tenancy.processes if tenancy is not None else 1,
                allowed=limits.get(lowest),
                said_by=lowest,
            )
        )
    return tuple(found)


def refuse_overbooked(settings: Settings, tree: Branch, findings: Findings) -> None:
    """Add to `findings` each server that has fewer connections than this file can open."""
    for each in budgets(settings):
        if not each.fits:
            path = ("databases", each.said_by, "server_max_connections")
            what = f"{each.server} has {each.allowed} connections for this, and it can open more: {each.written_out}"
            do = "lower pool_size, max_overflow, tenancy.processes or tenancy.open_databases, or raise it on the server"
            findings.add(at(tree, path)[0], path, what, do)


def _share(name: str, database: PostgresSettings, *, looked_at: bool) -> Share:
    terms = [str(database.pool_size), str(database.max_overflow)]
    has_owner = database.owner_url is not None
    if has_owner:
        terms.append("1 for the owner")
    if looked_at:
        # The table of tenants is looked at from a thread of its own.
        terms.append("1 for the catalog")
    # Some calls block on an async router too; which of the two will read this file, it does not say.
    terms.append(f"{1 + has_owner} not awaited")
    connections = database.max_connections + looked_at + 1 + has_owner
    return Share(database=name, connections=connections, sum=f"({' + '.join(terms)})")


def _own_databases(settings: Settings) -> Iterator[str]:
    tenancy = settings.tenancy
    for tenant in tenancy.described.tenants.values() if tenancy is not None else ():
        if tenant.isolation is Isolation.DATABASE:
            yield from ((tenant.db,) if tenant.db is not None else ())
            yield from tenant.families.values()


def _server(database: PostgresSettings) -> str:
    """Host and port: what decides which server a connection counts on."""
    parts = urlsplit(database.address())
    asked = parse_qs(parts.query)
    # A URL may name several hosts, so it is not taken apart further than libpq's own first step.
    where = unquote(parts.netloc.rpartition("@")[2])
    host, port = where, _PORT
    if not where.endswith("]") and where.rpartition(":")[2].isdecimal():
        host, _, port = where.rpartition(":")
    host = asked.get("host", [host])[0].strip("[]").lower()
    port = asked.get("port", [port])[0]
    return f"{'localhost' if host in _HERE else host}:{port}"
