"""What a configuration says about tenants: the models of `tenancy` and `tenants`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from dbrouter.backends.settings import Part, refusal
from dbrouter.config.names import DatabaseName, Family
from dbrouter.router.tenancy.hosts import host_in
from dbrouter.router.tenancy.tenants import EVERY_OTHER

LIMITED = 64
"""Databases of tenants that are open at once if nothing is said."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_MARKER = re.compile(r"\{[^{}]*\}|[{}]")
_TENANT, _USER = "{tenant}", "{user}"


def _a_tenant(name: object) -> str:
    """Any text: a tenant's name is data. Not validated as text, because that refuses lone surrogates."""
    if not isinstance(name, str):
        raise refusal("a tenant's name is not a text", "put it in quotes")
    if not name:
        raise refusal("a tenant's name is empty", "give it one")
    return name


def _one_tenant(name: str) -> str:
    if name == EVERY_OTHER:
        raise refusal('"*" stands for all other tenants and is none itself', "name a tenant")
    return name


def _markers(pattern: str, *allowed: str) -> None:
    found = _MARKER.findall(pattern)
    for each in found:
        if each not in allowed:
            raise refusal(f"{each!r} means nothing here", f"use {' and '.join(allowed)}")
    for each in allowed:
        if found.count(each) != 1:
            raise refusal(f"the pattern needs {each} once, and has it {found.count(each)} times", f"write {each} once")


def _a_host(pattern: str) -> str:
    _markers(pattern, _TENANT)
    if "/" in pattern or ":" in pattern:
        raise refusal("this is not the name of a host", "write no scheme, port or path: {tenant}.example.com")
    if pattern == _TENANT:
        raise refusal("every name of a host would be a tenant", "add the rest of it, as in {tenant}.example.com")
    if host_in(pattern.replace(_TENANT, "t").encode()) != pattern.replace(_TENANT, "t").lower():
        # Not the dot of its root either, which is taken off a request's.
        do = "use letters, digits, - and _ with single dots between, and punycode (xn--...) for all else"
        raise refusal("no host is called like this", do)
    return pattern


def _a_path(pattern: str) -> str:
    _markers(pattern, _TENANT)
    if not pattern.startswith("/") or _TENANT not in pattern.split("/"):
        raise refusal("{tenant} is no part of the path of its own", "write it between slashes, as in /t/{tenant}/")
    return pattern


def _a_header(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise refusal("this is not the name of a header", "write a name such as X-Tenant")
    return name


def _a_user_id(pattern: str) -> str:
    _markers(pattern, _TENANT, _USER)
    if _TENANT + _USER in pattern or _USER + _TENANT in pattern:
        raise refusal(
            "nothing separates {tenant} from {user}, so one user id could be of several tenants",
            'put something between them, as in "{tenant}:{user}"',
        )
    return pattern


def _a_claim(name: str) -> str:
    if not all(name.split(".")):
        raise refusal("a part of the claim's name is empty", "write names with single dots between them, as in org.id")
    return name


def _each_once(values: list[str]) -> list[str]:
    twice = next((each for each in values if values.count(each) > 1), None)
    if twice is not None:
        raise refusal(f"{twice} is named twice", "name it once")
    return values


def _nothing_said(value: Any) -> Any:
    """A tenant with nothing behind its name says nothing."""
    return {} if value is None else value


AnyTenant = Annotated[str, PlainValidator(_a_tenant), WithJsonSchema({"type": "string", "minLength": 1})]
"""The name of a tenant, or `*`."""

OneTenant = Annotated[AnyTenant, AfterValidator(_one_tenant)]
"""The name of a tenant: any text that is not empty."""

Found = Literal["binding", "context", "claim", "request", "user_id", "component"]
"""Where a call's tenant can be found."""

Families = Annotated[list[Family], AfterValidator(_each_once)]
Rate = Annotated[float, Field(gt=0)]
Amount = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class LimitSettings(Part):
    """What a tenant may use. What is left out is not limited."""

    requests_per_second: Rate | None = None
    """Calls a second; a burst of one second is let through."""
    bytes_per_second: Rate | None = None
    """Bytes a second, written and read; a burst of one second is let through."""
    concurrent: Count | None = None
    """Calls under way at once."""
    rows: dict[Family, Amount] = Field(default_factory=dict[str, int])
    """Family -> rows that may be stored."""
    bytes: dict[Family, Amount] = Field(default_factory=dict[str, int])
    """Family -> bytes that may be stored."""


class TenantSettings(Part):
    """A tenant: how its rows are kept apart from others', and where they are. `"*"` speaks for what others leave out.

    A tenant that names a `db` and no `isolation` has that database for itself.
    """

    isolation: Literal["database", "schema", "rows"] | None = None
    """`database`: databases that nobody else uses. `schema`: a schema of its own (or what the kind of database has
    instead) in databases that others use. `rows`: its rows in tables that such tenants share."""
    db: DatabaseName | None = None
    """The database for all of its rows. Without it they go where the deployment's routes say."""
    families: dict[Family, DatabaseName] = Field(default_factory=dict[str, str])
    """Family -> database, for this tenant only."""
    namespace: Annotated[str | None, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] = None
    """With `isolation: schema`, what its schema is called; made from the tenant's name if not given."""
    limits: LimitSettings = LimitSettings()
    """What it may use. What is left out is as `"*"` says, else `tenancy.limits`."""
    suspended: bool | None = None
    """Whether its calls are refused."""


class TenantComponents(Part):
    """Agents, teams and workflows that belong to one tenant."""

    agents: dict[str, OneTenant] = Field(default_factory=dict[str, str])
    """Agent id -> tenant."""
    teams: dict[str, OneTenant] = Field(default_factory=dict[str, str])
    """Team id -> tenant."""
    workflows: dict[str, OneTenant] = Field(default_factory=dict[str, str])
    """Workflow id -> tenant."""


class CatalogSettings(Part):
    """A table that adds tenants to those of the file, so that one can be added while everything runs."""

    db: DatabaseName
    """The database with the table, `dbrouter_tenants`. `dbrouter tenants create` writes to it."""
    poll: Annotated[float, Field(gt=0, le=3600)] = 10.0
    """Seconds between two looks at the table and the file."""


class TenancySettings(Part):
    """How a call's tenant is found, and what holds for all tenants."""

    resolve: Annotated[list[Found], AfterValidator(_each_once), Field(min_length=1)] | None = None
    """Where a call's tenant is looked for, in this order; those that answer must agree. If not given: `binding`,
    `context`, and each source that a key below describes. `binding` is `db.for_tenant(...)`, `context` is
    `with tenant(...)`, `request` is a `header`, `host` or `path`."""
    claim: Annotated[str, Field(min_length=1), AfterValidator(_a_claim)] | None = None
    """The claim of AgentOS's verified JWT that names the tenant; dots lead into nested claims."""
    header: Annotated[str, AfterValidator(_a_header)] | None = None
    """The request's header that names the tenant. Only behind something that sets it: a caller can send any header."""
    host: Annotated[str, AfterValidator(_a_host)] | None = None
    """The request's host with `{tenant}` in it, such as `{tenant}.example.com`."""
    path: Annotated[str, AfterValidator(_a_path)] | None = None
    """The start of the request's path with `{tenant}` in it, such as `/t/{tenant}/`."""
    user_id: Annotated[str, AfterValidator(_a_user_id)] | None = None
    """The user ids of tenants' users: a pattern with `{tenant}` and `{user}`, such as `{tenant}:{user}`."""
    components: TenantComponents = TenantComponents()
    """Agents, teams and workflows that belong to one tenant."""
    unknown: Literal["refuse", "default", "provision"] = "refuse"
    """What becomes of a call for a tenant that is not known: `refuse`, `default` (it is the `default` tenant's), or
    `provision` (the tenant is made from `"*"`)."""
    default: OneTenant | None = None
    """The tenant that unknown ones become with `unknown: default`."""
    shared: Families = Field(default_factory=list[str])
    """Families that belong to no tenant: everybody reads and writes the same rows."""
    catalog: CatalogSettings | None = None
    """A table that adds tenants to those of the file, so that one can be added while everything runs."""
    open_databases: Annotated[int, Field(ge=1, le=10_000)] = LIMITED
    """Databases of tenants (`isolation: database`) that one process has open at once; the one used longest ago is
    closed for another."""
    processes: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Processes that serve with this file at once, for the sum of connections (`server_max_connections`)."""
    thread_pools: bool = True
    """Whether work that is handed to a thread pool keeps the tenant of whoever handed it over."""
    limits: LimitSettings = LimitSettings()
    """What each tenant may use, where nothing is said about it."""
    limits_db: DatabaseName | None = None
    """The database in which all processes count tenants' `requests_per_second` and `bytes_per_second` together, in a
    table `dbrouter_usage`; each process counts for itself if not given."""


Tenants = dict[AnyTenant, Annotated[TenantSettings, BeforeValidator(_nothing_said)]]
"""Tenant -> what is said about it."""
