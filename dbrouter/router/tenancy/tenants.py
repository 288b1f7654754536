"""What is known about tenants, as data: one tenant, and the rules by which a call's tenant is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.policies.limits.limits import UNLIMITED, Limits
from dbrouter.router.routes import Component

EVERY_OTHER = "*"
"""The name under which a configuration says what holds for tenants that say nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A customer: its name, and how and where its rows are kept apart.

    db, families: where its rows go instead of where the deployment's routes say; rules of components do not apply
    then. Without `db` the deployment's routes hold, components' rules included, each database isolating in its way.
    `Isolation.DATABASE` needs `db`, and nobody else may use those databases.
    namespace: the name of its schema, folder or prefix, for `Isolation.SCHEMA`; made from `name` if `None`.
    source, place: the key and the file's line, or the catalog's table, that say so.
    """

    name: str
    isolation: Isolation
    db: str | None = None
    families: Mapping[str, str] = field(default_factory=dict[str, str])
    namespace: str | None = None
    limits: Limits = UNLIMITED
    suspended: bool = False
    source: str = ""
    place: str = ""


class Source(StrEnum):
    """Where a call's tenant can be found."""

    BINDING = "binding"
    """`db.for_tenant("acme")`."""
    CONTEXT = "context"
    """`with tenant("acme"):`."""
    CLAIM = "claim"
    """A claim of the request's JWT that AgentOS has verified."""
    REQUEST = "request"
    """A header, the host or the path of the request."""
    USER_ID = "user_id"
    """A pattern on the user id that the call carries."""
    COMPONENT = "component"
    """The agent, team or workflow that the call carries, or that the db is bound to."""


Unknown = Literal["refuse", "default", "provision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenancyRules:
    """How a call's tenant is found, and what becomes of a call whose tenant is unknown or missing.

    resolve: the sources that count, in order; those that answer must agree. claim: the claim's name, dots for nesting.
    header, host, path: at most one; host and path are patterns with `{tenant}` (`{tenant}.example.com`,
    `/t/{tenant}/`). user_id: a pattern with `{tenant}` and `{user}`. components: component -> tenant.
    default: the tenant for unknown names, if `unknown` is "default". shared: families that belong to nobody and need
    no tenant. thread_pools: whether work handed to a thread pool keeps the tenant of whoever handed it over.
    limits_db: the database in which all processes count rates together.
    """

    resolve: tuple[Source, ...] = (Source.BINDING, Source.CONTEXT)
    claim: str | None = None
    header: str | None = None
    host: str | None = None
    path: str | None = None
    user_id: str | None = None
    components: Mapping[Component, str] = field(default_factory=dict[Component, str])
    unknown: Unknown = "refuse"
    default: str | None = None
    shared: frozenset[str] = frozenset()
    thread_pools: bool = True
    limits_db: str | None = None
