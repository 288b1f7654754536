"""What `tenancy` says that cannot be served: sources without their setting, tenants that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dbrouter.backends.settings import nearest
from dbrouter.config.checks import SECTIONS, TENANTS, Mention, keys_at, kinds_in, mentions_in, refuse_dangling
from dbrouter.config.findings import Findings
from dbrouter.config.tenancy_settings import TenancySettings
from dbrouter.config.tenants import described_sources, kept, resolve_of
from dbrouter.config.tenants_checks import Isolates, Said, check_tenants, said_in
from dbrouter.config.tree import Branch, Leaf, Path, at, written
from dbrouter.router.routes import SERVED
from dbrouter.router.tenancy.hosts import in_hosts
from dbrouter.router.tenancy.tenants import EVERY_OTHER, Source

TENANCY = "tenancy"
_REQUEST = ("header", "host", "path")
_SETTINGS = {
    Source.CLAIM: ("claim",),
    Source.REQUEST: _REQUEST,
    Source.USER_ID: ("user_id",),
    Source.COMPONENT: ("components",),
}
"""Source -> the keys that describe it."""


def check_tenancy(tree: Branch, findings: Findings, isolates: Isolates) -> None:
    """Add to `findings` what `tenancy` and `tenants` say that cannot be served."""
    if TENANCY not in tree.entries and TENANTS not in tree.entries:
        return
    said = said_in(tree)
    kinds = kinds_in(tree)
    mentions = tuple(each for each in mentions_in(tree) if each.name in kinds)
    check_tenants(tree, said, mentions, kinds, findings, isolates)
    _refuse_database(tree, ("catalog", "db"), "nothing else can add a tenant", kinds, findings)
    _refuse_database(tree, ("limits_db",), "no other process can count", kinds, findings)
    _refuse_no_tenants(tree, findings)
    if said.readable:
        _refuse_sources(tree, said.tenancy, findings)
        _refuse_unknown(tree, said, findings)
        _refuse_unhosted(tree, said.tenancy, findings)
        _refuse_strangers(tree, said, findings)
    _refuse_unserved(tree, said, mentions, findings)


def _add(tree: Branch, findings: Findings, path: Path, what: str, do: str) -> None:
    findings.add(at(tree, path)[0], path, what, do)


def _refuse_database(tree: Branch, key: Path, why: str, kinds: Mapping[str, str], findings: Findings) -> None:
    """A database that all processes must reach."""
    path = (TENANCY, *key)
    _, node = at(tree, path)
    if not isinstance(node, Leaf) or not isinstance(node.data, str):
        return
    if not findings.incomplete:
        refuse_dangling(path, node, kinds, findings)
    if kinds.get(node.data) == "memory":
        what = f"{node.data!r} is in each process's own memory, where {why}"
        findings.add(node.place, path, what, "name a database that all processes reach")


def _refuse_no_tenants(tree: Branch, findings: Findings) -> None:
    for key in (TENANTS, TENANCY):
        node = at(tree, (key,))[1]
        if node is not None and not isinstance(node, Branch):
            return  # that it is no mapping is told by the model
    # A tenant that could not be read is there all the same.
    if not keys_at(tree, (TENANTS,)) and at(tree, (TENANCY, "catalog"))[1] is None and not findings.incomplete:
        do = "list them under `tenants`, or name a database for more under tenancy.catalog.db"
        _add(tree, findings, (TENANCY if TENANCY in tree.entries else TENANTS,), "there are no tenants", do)


def _refuse_sources(tree: Branch, tenancy: TenancySettings, findings: Findings) -> None:
    given = [key for key in _REQUEST if getattr(tenancy, key) is not None]
    for other in given[1:]:
        what = f"{given[0]} names the tenant already ({at(tree, (TENANCY, given[0]))[0]})"
        _add(tree, findings, (TENANCY, other), what, f"keep one of {', '.join(given)}")
    counted = resolve_of(tenancy)
    for source, described in described_sources(tenancy).items():
        keys = _SETTINGS[source]
        if source in counted and not described:
            path = (TENANCY, "resolve", str(counted.index(source)))
            what = f"{source} is a source, and nothing says how a tenant is found there"
            _add(tree, findings, path, what, f"add {' or '.join(f'tenancy.{key}' for key in keys)}, or remove {source}")
        if source not in counted and described:
            key = next(key for key in keys if at(tree, (TENANCY, key))[1] is not None)
            do = f"add {source} to tenancy.resolve, or remove {key}"
            _add(tree, findings, (TENANCY, key), f"{source} is not among tenancy.resolve, so this is never read", do)


def _refuse_unknown(tree: Branch, said: Said, findings: Findings) -> None:
    tenancy, others = said.tenancy, said.tenants.get(EVERY_OTHER)
    if tenancy.unknown == "default" and tenancy.default is None:
        do = "add tenancy.default: the name of a tenant"
        _add(tree, findings, (TENANCY, "unknown"), "no tenant is named for unknown ones", do)
    if tenancy.unknown != "default" and tenancy.default is not None:
        what = f"with unknown: {tenancy.unknown} this is never read"
        _add(tree, findings, (TENANCY, "default"), what, "write unknown: default, or remove it")
    if tenancy.unknown == "provision" and EVERY_OTHER not in keys_at(tree, (TENANTS,)):
        do = 'add tenants."*", such as "*": {isolation: rows}'
        _add(tree, findings, (TENANCY, "unknown"), "nothing says what a new tenant is made like", do)
    if tenancy.unknown == "provision" and others is not None and kept(EVERY_OTHER, said.tenants) is None:
        do = "add isolation: schema or isolation: rows"
        _add(tree, findings, (TENANTS, EVERY_OTHER), "nothing says how a new tenant is kept apart from others", do)


def _refuse_unhosted(tree: Branch, tenancy: TenancySettings, findings: Findings) -> None:
    """Tenants whose hosts would be taken for unknown ones, which are somebody's: hosts have no capitals."""
    if tenancy.host is None or tenancy.unknown == "refuse" or Source.REQUEST not in resolve_of(tenancy):
        return
    known = keys_at(tree, (TENANTS,))
    unknowns = "the default tenant's" if tenancy.unknown == "default" else "a new tenant's"
    for name in known:
        spelt = None if name == EVERY_OTHER else in_hosts(name)
        if spelt is not None and spelt != name:
            becomes = "that tenant's" if spelt in known else unknowns
            what = f"requests to this tenant's host name {spelt!r}, and would be {becomes}"
            do = f"call the tenant {spelt!r}, or write tenancy.unknown: refuse"
            _add(tree, findings, (TENANTS, name), what, do)


def _refuse_strangers(tree: Branch, said: Said, findings: Findings) -> None:
    """Names in `tenancy` that no tenant has. With a catalog nobody can say; provisioned ones come to be."""
    known = keys_at(tree, (TENANTS,))
    paths = [(TENANCY, "default")]
    if said.tenancy.unknown != "provision":
        paths += [
            (TENANCY, "components", section, id_)
            for section in SECTIONS
            for id_ in keys_at(tree, (TENANCY, "components", section))
        ]
    for path in paths:
        place, node = at(tree, path)
        if not isinstance(node, Leaf) or node.data in known or said.tenancy.catalog is not None or findings.incomplete:
            continue
        near = nearest(str(node.data), known)
        do = f"did you mean {near!r}?" if near else "describe it under `tenants`"
        findings.add(place, path, f"there is no tenant {written(node)}", do)


def _refuse_unserved(tree: Branch, said: Said, mentions: Sequence[Mention], findings: Findings) -> None:
    """What is said about families for which the deployment names no database."""
    named = {each.family for each in mentions if each.scope == ("agentos",)}
    if None in named or findings.incomplete:
        return
    for path, family in _families(tree, said):
        if family in SERVED and family not in named:
            what = f"{family} has no database here and is not served"
            _add(tree, findings, path, what, f"set agentos.families.{family} or agentos.db, or remove it")


def _families(tree: Branch, said: Said) -> Iterator[tuple[Path, str]]:
    for number, family in enumerate(said.tenancy.shared):
        yield (TENANCY, "shared", str(number)), family
    scopes: list[Path] = [(TENANCY,), *((TENANTS, name) for name in said.tenants)]
    for scope in scopes:
        for which in ("rows", "bytes"):
            for family in keys_at(tree, (*scope, "limits", which)):
                yield (*scope, "limits", which, family), family
