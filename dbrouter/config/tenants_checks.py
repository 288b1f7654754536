"""What the entries of `tenants` say together that cannot be served: no isolation, one database for two, one schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from dbrouter.backends.kernel.isolation import Isolation, namespace_of
from dbrouter.config.checks import TENANTS, Mention, keys_at
from dbrouter.config.findings import Findings
from dbrouter.config.tenancy_settings import TenancySettings, TenantSettings
from dbrouter.config.tenants import kept, placed
from dbrouter.config.tree import Branch, Leaf, at, plain
from dbrouter.router.tenancy.tenants import EVERY_OTHER

Isolates = Callable[[str, Isolation], bool]
"""Whether a kind of database can keep tenants apart like this."""

OURS = ("tenant_", "tenants_")
"""How the namespaces begin that are made from names (`namespace_of`)."""

_RESERVED = ("public", "information_schema", "main", "temp", "mysql", "sys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the file says about tenants, as far as it can be read; the rest is told by the models."""

    tenancy: TenancySettings = field(default_factory=TenancySettings)
    tenants: Mapping[str, TenantSettings] = field(default_factory=dict[str, TenantSettings])
    readable: bool = True
    """Whether all of `tenancy` could be read."""


def said_in(tree: Branch) -> Said:
    """What the file says about tenants, leaving out entries that the models refuse."""
    tenants = {name: said for name in keys_at(tree, (TENANTS,)) if (said := _tenant(tree, name)) is not None}
    node = at(tree, ("tenancy",))[1]
    if node is None:
        return Said(tenants=tenants)
    try:
        return Said(tenancy=TenancySettings.model_validate(plain(node)), tenants=tenants)
    except ValidationError:
        # Told by the whole file's validation, with lines.
        return Said(tenants=tenants, readable=False)


def _tenant(tree: Branch, name: str) -> TenantSettings | None:
    node = at(tree, (TENANTS, name))[1]
    try:
        return TenantSettings.model_validate({} if node is None or plain(node) is None else plain(node))
    except ValidationError:
        return None


def check_tenants(
    tree: Branch,
    said: Said,
    mentions: Sequence[Mention],
    kinds: Mapping[str, str],
    findings: Findings,
    isolates: Isolates,
) -> None:
    """Add to `findings` what the entries of `tenants` say that cannot be served."""
    for name in said.tenants:
        _refuse_unkept(tree, name, said, findings)
        _refuse_shared(tree, name, said, findings)
    _refuse_company(tree, said, mentions, findings)
    _refuse_namespaces(tree, said, findings)
    shared = said.tenancy.shared
    deployed = tuple(
        dict.fromkeys(each.name for each in mentions if each.scope[0] != TENANTS and each.family not in shared)
    )
    for name in said.tenants:
        _refuse_incapable(tree, name, said, deployed, kinds, findings, isolates)


def _refuse_unkept(tree: Branch, name: str, said: Said, findings: Findings) -> None:
    tenant, how = said.tenants[name], kept(name, said.tenants)
    if name == EVERY_OTHER:
        _refuse_common_database(tree, tenant, findings)
    elif how is None and not findings.incomplete and _may_say_nothing(tree):
        place, _ = at(tree, (TENANTS, name))
        do = 'give it a db, isolation: schema or isolation: rows, or say under "*" what holds for all'
        findings.add(place, (TENANTS, name), "nothing says how this tenant is kept apart from others", do)
    elif how is not None and how.isolation is Isolation.DATABASE and tenant.db is None:
        path = (TENANTS, name, "isolation")
        do = "add db: the name of a database that nobody else uses"
        findings.add(at(tree, path)[0], path, "no database is named for this tenant", do)


def _may_say_nothing(tree: Branch) -> bool:
    """Whether `"*"` is readable or absent: what is wrong with it is told there, once."""
    return EVERY_OTHER not in keys_at(tree, (TENANTS,)) or _tenant(tree, EVERY_OTHER) is not None


def _refuse_common_database(tree: Branch, others: TenantSettings, findings: Findings) -> None:
    if others.isolation == Isolation.DATABASE:
        path = (TENANTS, EVERY_OTHER, "isolation")
        do = "write isolation: schema or rows, and name the tenant that has a database of its own"
        findings.add(at(tree, path)[0], path, "all other tenants cannot each have a database that is not named", do)
    elif others.isolation is None and (others.db is not None or others.families):
        path = (TENANTS, EVERY_OTHER)
        do = "add isolation: schema or isolation: rows"
        findings.add(at(tree, path)[0], path, "nothing says how all other tenants are kept apart there", do)


def _refuse_shared(tree: Branch, name: str, said: Said, findings: Findings) -> None:
    for family in said.tenancy.shared:
        for keys in (("families",), ("limits", "rows"), ("limits", "bytes")):
            path = (TENANTS, name, *keys, family)
            place, node = at(tree, path)
            if node is not None:
                do = "remove it here, or from tenancy.shared"
                findings.add(place, path, f"{family} is shared by all tenants and belongs to none", do)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """Somebody whose rows go to a database. path: the key that says so."""

    whose: str
    path: tuple[str, ...]
    leaf: Leaf
    alone: bool
    """Whether nobody else may use it."""


def _refuse_company(tree: Branch, said: Said, mentions: Sequence[Mention], findings: Findings) -> None:
    """A database of a tenant's own is nobody else's."""
    uses: dict[str, list[_Use]] = defaultdict(list)
    for each in _uses(tree, said, mentions):
        uses[str(each.leaf.data)].append(each)
    for database, users in uses.items():
        for tenant in (each for each in users if each.alone):
            # Of two tenants that both want it, the second is told.
            other = next((each for each in users if each.whose != tenant.whose and _earlier(each, tenant, users)), None)
            if other is not None:
                what = f"{database!r} is also {other.whose}'s ({other.leaf.place}), and isolation: database is for one"
                do = "name a database that nobody else uses, or choose isolation: schema or rows"
                findings.add(tenant.leaf.place, tenant.path, what, do)


def _earlier(other: _Use, tenant: _Use, users: Sequence[_Use]) -> bool:
    return not other.alone or users.index(other) < users.index(tenant)


def _uses(tree: Branch, said: Said, mentions: Sequence[Mention]) -> Iterator[_Use]:
    for each in mentions:
        if each.scope[0] != TENANTS:
            whose = "the deployment" if each.scope == ("agentos",) else ".".join(each.scope)
            yield _Use(whose=whose, path=each.path, leaf=each.leaf, alone=False)
        elif each.scope[1] in said.tenants:
            how = kept(each.scope[1], said.tenants)
            alone = how is not None and how.isolation is Isolation.DATABASE
            yield _Use(whose=f"tenant {each.scope[1]!r}", path=each.path, leaf=each.leaf, alone=alone)
    for whose, path in (("the catalog", ("tenancy", "catalog", "db")), ("the shared count", ("tenancy", "limits_db"))):
        _, node = at(tree, path)
        if isinstance(node, Leaf):
            yield _Use(whose=whose, path=path, leaf=node, alone=False)


def _refuse_namespaces(tree: Branch, said: Said, findings: Findings) -> None:
    first: dict[str, str] = {}
    for name, tenant in said.tenants.items():
        path = (TENANTS, name, "namespace")
        place, _ = at(tree, path)
        how = kept(name, said.tenants)
        if tenant.namespace is not None and name == EVERY_OTHER:
            findings.add(
                place, path, "all other tenants cannot have one namespace", "remove it; names give each its own"
            )
            continue
        if tenant.namespace is not None and how is not None and how.isolation is not Isolation.SCHEMA:
            do = "remove it, or write isolation: schema"
            findings.add(place, path, f"a tenant with isolation: {how.isolation} has no namespace", do)
            continue
        if how is None or how.isolation is not Isolation.SCHEMA:
            continue
        namespace = tenant.namespace or namespace_of(name)
        other = first.setdefault(namespace, name)
        if other != name:
            where = at(tree, (TENANTS, other))[0]
            what = f"{namespace!r} is also the namespace of tenant {other!r} ({where})"
            findings.add(place, path, what, "give each tenant a namespace of its own")
        elif namespace in _RESERVED or namespace.startswith("pg_"):
            findings.add(place, path, f"{namespace!r} is a name that databases use themselves", "choose another")
        elif namespace.startswith(OURS) and namespace != namespace_of(name):
            do = f"choose one that does not begin with {' or '.join(OURS)}, or leave it out"
            findings.add(place, path, f"{namespace!r} may be made for a tenant of another name", do)


def _refuse_incapable(
    tree: Branch,
    name: str,
    said: Said,
    deployed: Sequence[str],
    kinds: Mapping[str, str],
    findings: Findings,
    isolates: Isolates,
) -> None:
    how = kept(name, said.tenants)
    own = said.tenants[name]
    # What "*" says is judged there, for all; a tenant's own databases are judged with its own entry.
    if how is None or (how.said_by != name and not own.db and not own.families):
        return
    db, families = placed(name, said.tenants)
    named = (*((db,) if db is not None else deployed), *families.values())
    for database in dict.fromkeys(named):
        kind = kinds.get(database, "")
        if kind and not isolates(kind, how.isolation):
            path = (TENANTS, name, "isolation")
            able = [each for each in Isolation if each is not Isolation.DATABASE and isolates(kind, each)]
            instead = [*(f"isolation: {each}" for each in able), "a database of its own (db)"]
            what = f"tenants cannot be kept apart by {how.isolation} in {database!r} ({kind})"
            findings.add(at(tree, path)[0], path, what, f"choose {' or '.join(instead)}")
