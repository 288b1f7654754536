"""Families whose records change together, and what a file says about them that cannot be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from dbrouter.backends.mongo.settings import MongoSettings
from dbrouter.config.checks import TENANTS, Mention, meant_by, mentions_in
from dbrouter.config.findings import Findings
from dbrouter.config.tree import Branch, at
from dbrouter.router.routes import COMMITTING, SERVED, WHOLE

TOGETHER = ("components", "schedules")
"""Families that one commit changes: a component that is archived takes its schedules along."""

ONE_RECORD = "it commits one record at a time, and their calls change several together"


class Databases(Protocol):
    """The databases of a configuration, those that its defaults name, and what it says about tenants."""

    @property
    def databases(self) -> Mapping[str, Any]:
        """Name -> settings."""
        ...

    @property
    def agentos(self) -> Any:
        """The defaults."""
        ...

    @property
    def tenancy_said(self) -> Any:
        """What is said about tenants; `None` if nothing is."""
        ...


def lacking(database: Any, family: str) -> str | None:
    """Nothing if this database can hold the family, else the reason why it cannot."""
    if database.kind == "agno":
        from dbrouter.router.any_agno.classes import Wrong, found
        from dbrouter.router.any_agno.families import verdict

        cls = found(database.class_path)
        stands = None if isinstance(cls, Wrong) else verdict(cls, family)
        return None if stands is None or stands.served else str(stands)
    return None if family not in COMMITTING or _commits(database) else ONE_RECORD


def _commits(database: Any) -> bool:
    return database.has_transactions if isinstance(database, MongoSettings) else True


def unserved(settings: Databases) -> frozenset[str]:
    """Families that the default database cannot hold and nothing else names: agno does without them.

    Only families of the whole deployment are so: with one of the others missing, agno is not what was asked for.
    """
    said = settings.agentos
    default = settings.databases.get(said.db)
    if default is None:
        return frozenset()
    return frozenset(family for family in WHOLE if family not in said.families and lacking(default, family) is not None)


def check_committing(settings: Databases, tree: Branch, findings: Findings) -> None:
    """Add to `findings` the families that are sent where their calls could not be kept whole."""
    mentions = tuple(each for each in mentions_in(tree) if each.name in settings.databases)
    without = unserved(settings)
    shared = frozenset[str]() if settings.tenancy_said is None else frozenset(settings.tenancy_said.shared)
    for mention in mentions:
        database = settings.databases[mention.name]
        if database.kind == "agno":
            continue  # `agno_checks.py`
        foreign = without | shared if mention.scope[0] == TENANTS else without
        meant = [each for each in meant_by(mention, mentions) if each not in foreign and _is_served(each, mentions)]
        homeless = [family for family in meant if lacking(database, family) is not None]
        if homeless:
            able = [name for name, each in settings.databases.items() if not any(lacking(each, of) for of in homeless)]
            what = f"{mention.name!r} ({database.kind}) cannot hold {', '.join(homeless)}: {ONE_RECORD}"
            keys = ", ".join(f"{'.'.join(mention.scope)}.families.{family}" for family in homeless)
            do = f"write {able[0] if able else 'a database that can'} for {keys}"
            findings.add(mention.leaf.place, mention.path, what, do)
    if TOGETHER[0] not in without:
        _refuse_apart(mentions, tree, findings)
        _refuse_half_shared(shared, tree, findings)


def _is_served(family: str, mentions: tuple[Mention, ...]) -> bool:
    return family in SERVED and any(each.scope == ("agentos",) and each.family in (None, family) for each in mentions)


def _refuse_apart(mentions: tuple[Mention, ...], tree: Branch, findings: Findings) -> None:
    deployed = dict(_placed(("agentos",), mentions))
    scopes = dict.fromkeys(each.scope for each in mentions if each.scope[0] in ("agentos", TENANTS))
    for scope in scopes:
        placed = deployed | dict(_placed(scope, mentions))
        homes = {family: placed[family] for family in TOGETHER if family in placed}
        if len({each.name for each in homes.values()}) > 1:
            components, schedules = (homes[family] for family in TOGETHER)
            moved = schedules if schedules.scope == scope and schedules.family is not None else components
            what = (
                f"components would be in {components.name!r} and schedules in {schedules.name!r}, and a component that "
                f"is archived takes its schedules along in one commit"
            )
            if moved is schedules:
                do = f"write {'.'.join(scope)}.families.components: {schedules.name}"
            else:
                do = f"write {'.'.join(scope)}.families.schedules: {components.name}"
            findings.add(at(tree, moved.path)[0], moved.path, what, do)


def _refuse_half_shared(shared: frozenset[str], tree: Branch, findings: Findings) -> None:
    if len(shared & set(TOGETHER)) == 1:
        path = ("tenancy", "shared")
        one, other = sorted(TOGETHER, key=lambda family: family not in shared)
        what = f"{one} belong to nobody and {other} to tenants, and one commit changes both"
        findings.add(at(tree, path)[0], path, what, f"list both, or neither: [{one}, {other}]")


def _placed(scope: tuple[str, ...], mentions: tuple[Mention, ...]) -> Iterator[tuple[str, Mention]]:
    """Family -> where this scope says that it goes."""
    own = [each for each in mentions if each.scope == scope]
    for family in TOGETHER:
        named = [each for each in own if each.family == family] or [each for each in own if each.family is None]
        if named:
            yield family, named[0]
