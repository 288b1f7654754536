"""From what the file says about tenants to tenants and rules, with what `"*"` says filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.config.tenancy_settings import LimitSettings, TenancySettings, TenantSettings
from dbrouter.policies.limits.limits import Limits
from dbrouter.router.routes import Component, ComponentKind
from dbrouter.router.tenancy.tenants import EVERY_OTHER, Source, TenancyRules, Tenant

Where = Callable[..., str]
"""The file and line of the key at a path, or ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How a tenant is kept apart, and which entry says so: its own, or `"*"`."""

    isolation: Isolation
    said_by: str
    by_db: bool = False
    """Whether the entry says so by naming a database only."""


def kept(name: str, tenants: Mapping[str, TenantSettings]) -> Kept | None:
    """How the tenant is kept apart from others; `None` if nothing says so."""
    said = tenants[name]
    if said.isolation is not None:
        return Kept(isolation=Isolation(said.isolation), said_by=name)
    if said.db is not None and name != EVERY_OTHER:
        return Kept(isolation=Isolation.DATABASE, said_by=name, by_db=True)
    others = tenants.get(EVERY_OTHER)
    if others is None or others.isolation is None:
        return None
    return Kept(isolation=Isolation(others.isolation), said_by=EVERY_OTHER)


def placed(name: str, tenants: Mapping[str, TenantSettings]) -> tuple[str | None, Mapping[str, str]]:
    """The tenant's database, and those of its families that have others: its own, else those of `"*"`."""
    said, others = tenants[name], tenants.get(EVERY_OTHER)
    if others is None or name == EVERY_OTHER or said.db is not None or said.isolation == Isolation.DATABASE:
        return said.db, said.families
    return others.db, {**others.families, **said.families}


def tenants_of(
    tenancy: TenancySettings, tenants: Mapping[str, TenantSettings], where: Where
) -> tuple[dict[str, Tenant], Tenant | None]:
    """The tenants by name, and what `"*"` says. Of tenants whose isolation nothing says, nothing is made."""
    made = {each.name: each for each in _made(tenancy, tenants, where)}
    return made, made.pop(EVERY_OTHER, None)


def _made(tenancy: TenancySettings, tenants: Mapping[str, TenantSettings], where: Where) -> Iterator[Tenant]:
    others = tenants.get(EVERY_OTHER, TenantSettings())
    for name, said in tenants.items():
        how = kept(name, tenants)
        if how is None:
            continue
        db, families = placed(name, tenants)
        suspended = others.suspended if said.suspended is None else said.suspended
        yield Tenant(
            name=name,
            isolation=how.isolation,
            db=db,
            families=families,
            namespace=said.namespace,
            limits=_limits(tenancy.limits, others.limits, said.limits),
            suspended=bool(suspended),
            source=entry(name),
            place=where("tenants", name),
        )


def entry(name: str) -> str:
    """The key of a tenant's entry, for people: in quotes where the name is no plain word."""
    return f"tenants.{name}" if name.isidentifier() and name.isascii() else f"tenants.{name!r}"


def rules_of(said: TenancySettings) -> TenancyRules:
    """The rules by which a call's tenant is found."""
    return TenancyRules(
        resolve=resolve_of(said),
        claim=said.claim,
        header=said.header,
        host=said.host,
        path=said.path,
        user_id=said.user_id,
        components=components_of(said),
        unknown=said.unknown,
        default=said.default,
        shared=frozenset(said.shared),
        thread_pools=said.thread_pools,
        limits_db=said.limits_db,
    )


def resolve_of(said: TenancySettings) -> tuple[Source, ...]:
    """The sources that count: those named, else binding, context and all that have their setting."""
    if said.resolve is not None:
        return tuple(Source(each) for each in said.resolve)
    described = described_sources(said)
    return tuple(each for each in Source if described.get(each, True))


def described_sources(said: TenancySettings) -> dict[Source, bool]:
    """Source that needs a setting -> whether it has one."""
    return {
        Source.CLAIM: said.claim is not None,
        Source.REQUEST: any((said.header, said.host, said.path)),
        Source.USER_ID: said.user_id is not None,
        Source.COMPONENT: bool(components_of(said)),
    }


def components_of(said: TenancySettings) -> dict[Component, str]:
    """Component -> the tenant that it belongs to."""
    sections: tuple[tuple[ComponentKind, Mapping[str, str]], ...] = (
        ("agent", said.components.agents),
        ("team", said.components.teams),
        ("workflow", said.components.workflows),
    )
    return {Component(kind, id_): tenant for kind, section in sections for id_, tenant in section.items()}


def _limits(*said: LimitSettings) -> Limits:
    """The limits of several parts in one, key by key; later parts win."""
    rows: dict[str, int] = {}
    stored: dict[str, int] = {}
    plain: dict[str, float | None] = {}
    concurrent: int | None = None
    for each in said:
        rows |= each.rows
        stored |= each.bytes
        for key in ("requests_per_second", "bytes_per_second"):
            if (value := getattr(each, key)) is not None:
                plain[key] = value
        concurrent = each.concurrent if each.concurrent is not None else concurrent
    return Limits(
        requests_per_second=plain.get("requests_per_second"),
        bytes_per_second=plain.get("bytes_per_second"),
        concurrent=concurrent,
        rows=rows,
        bytes=stored,
    )
