"""What a file says about agno databases that cannot be served: classes, arguments, families, who sends what there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dbrouter.backends.agno.settings import AgnoSettings
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.config.checks import TENANTS, Mention, meant_by, mentions_in
from dbrouter.config.findings import Findings
from dbrouter.config.settings import Settings
from dbrouter.config.tenancy_settings import TenancySettings
from dbrouter.config.tenants import kept
from dbrouter.config.tree import Branch, Path, at
from dbrouter.router.any_agno.classes import Wrong, found, wrong_arguments
from dbrouter.router.any_agno.families import served_by, verdict
from dbrouter.router.any_agno.spread import SPREADABLE
from dbrouter.router.routes import SERVED

CLAIMED = ("schedules", "jobs")
"""Families that are worked on for all tenants at once."""


def check_agno(settings: Settings, tree: Branch, findings: Findings) -> None:
    """Add to `findings` what is said about agno databases that cannot be served."""
    described = {name: each for name, each in settings.databases.items() if isinstance(each, AgnoSettings)}
    if described:
        _Check(tree, findings, settings, dict(_classes(described, tree, findings))).run()


def _classes(
    described: Mapping[str, AgnoSettings], tree: Branch, findings: Findings
) -> Iterator[tuple[str, type[Any]]]:
    for name, each in described.items():
        cls = found(each.class_path)
        for wrong in [cls] if isinstance(cls, Wrong) else wrong_arguments(cls, each.args):
            path = ("databases", name, *wrong.key)
            findings.add(at(tree, path)[0], path, wrong.what, wrong.do)
        if not isinstance(cls, Wrong):
            yield name, cls


@dataclass
class _Check:
    """classes: name of an agno database -> its class."""

    tree: Branch
    findings: Findings
    settings: Settings
    classes: Mapping[str, type[Any]]

    def run(self) -> None:
        for each in self.mentions:
            if each.name in self.classes:
                self._refuse_unimplemented(each)
                self._refuse_spread(each)
                self._refuse_metrics(each)
        self._refuse_tables_of_ours()
        self._refuse_tenants()

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        return tuple(each for each in mentions_in(self.tree) if each.name in self.settings.databases)

    @cached_property
    def tenancy(self) -> TenancySettings:
        return self.settings.tenancy_said or TenancySettings()

    @cached_property
    def served(self) -> frozenset[str]:
        """The families that the deployment names a database for."""
        named = {each.family for each in self.mentions if each.scope == ("agentos",)}
        said = frozenset(family for family in SERVED if None in named or family in named)
        return said - self.settings.unserved

    def families(self, mention: Mention) -> tuple[str, ...]:
        """The families that a mention sends to its database."""
        foreign = self.tenancy.shared if mention.scope[0] == TENANTS else ()
        meant = meant_by(mention, self.mentions)
        return tuple(each for each in meant if each in self.served and each not in foreign)

    def homes(self, family: str, mention: Mention) -> set[str]:
        """The databases of a family: in the deployment, or of the tenant whose mention it is."""
        if mention.scope[0] == TENANTS:
            beside = [each for each in self.mentions if each.scope == mention.scope]
        else:
            beside = [each for each in self.mentions if each.scope[0] != TENANTS]
        return {each.name for each in beside if family in self.families(each)}

    def refuse(self, path: Path, what: str, do: str) -> None:
        self.findings.add(at(self.tree, path)[0], path, what, do)

    def _refuse_unimplemented(self, mention: Mention) -> None:
        cls = self.classes[mention.name]
        lacking = [each for family in self.families(mention) if not (each := verdict(cls, family)).served]
        if not lacking:
            return
        names = ", ".join(each.family for each in lacking)
        told = "; ".join(f"{each.family}: {each}" for each in lacking)
        what = f"{cls.__name__} of {mention.name!r} cannot serve {names} ({told})"
        able = [each for each in served_by(cls) if each in self.served]
        scope = ".".join(mention.scope)
        elsewhere = next((name for name in self.settings.databases if name not in self.classes), "another database")
        if mention.family is None and able:
            do = f"name what goes there under {scope}.families ({', '.join(able)}), and another database for the rest"
        else:
            do = f"name another database, such as {elsewhere}"
        self.refuse(mention.path, what, do)

    def _refuse_spread(self, mention: Mention) -> None:
        """Rows of one family in several databases: agno's methods must tell which of them is meant."""
        if mention.scope[0] == TENANTS:
            return
        for family in self.families(mention):
            others = sorted(self.homes(family, mention) - {mention.name})
            if not others or (family in SPREADABLE and not self._has_tenants):
                continue
            why = "where there are tenants" if family in SPREADABLE else "and agno's methods cannot tell which is meant"
            what = f"{family} would be in {mention.name!r} (agno) and in {', '.join(others)}, {why}"
            key = "agentos.trace_db" if family == "traces" else f"agentos.families.{family}"
            do = f"send all {family} to one database ({key})"
            if mention.family is None:
                do += f", and name only what goes to {mention.name!r} under {'.'.join(mention.scope)}.families"
            self.refuse(mention.path, what, do)
            return

    def _refuse_metrics(self, mention: Mention) -> None:
        """Agno's classes compute metrics from their own sessions."""
        elsewhere = self.homes("sessions", mention) - {mention.name}
        if "metrics" in self.families(mention) and elsewhere:
            what = f"metrics in {mention.name!r} (agno) would not see the sessions in {', '.join(sorted(elsewhere))}"
            do = f"write {'.'.join(mention.scope)}.families.metrics: {min(elsewhere)}"
            self.refuse(mention.path, what, do)

    @property
    def _has_tenants(self) -> bool:
        return self.settings.tenancy_said is not None or bool(self.settings.tenants_said)

    def _refuse_tables_of_ours(self) -> None:
        catalog = self.tenancy.catalog
        named = {("tenancy", "limits_db"): self.tenancy.limits_db}
        named |= {("tenancy", "catalog", "db"): None if catalog is None else catalog.db}
        for path, name in named.items():
            if name in self.classes:
                what = f"{name!r} is asked by agno's methods, and none of them is for this"
                self.refuse(path, what, "name a database of another kind")

    def _refuse_tenants(self) -> None:
        for each in self.mentions:
            if each.name not in self.classes or each.scope[0] != TENANTS or not self._is_its_own(each.scope[1]):
                continue
            own, common = self.settings.tenants_said[each.scope[1]].limits, self.tenancy.limits
            limited = {**common.rows, **common.bytes, **own.rows, **own.bytes}
            families = self.families(each)
            counted = [family for family in families if family in limited]
            if counted:
                what = f"nobody counts what is stored in {each.name!r} (agno): {', '.join(counted)} cannot be limited"
                self.refuse(each.path, what, "remove those limits, or name another database")
            claimed = [family for family in CLAIMED if family in families]
            if claimed:
                what = f"{', '.join(claimed)} are claimed for all tenants at once, and {each.name!r} (agno) knows one"
                keys = ", ".join(f"{'.'.join(each.scope)}.families.{family}" for family in claimed)
                self.refuse(each.path, what, f"write {keys}, with a database of another kind")

    def _is_its_own(self, tenant: str) -> bool:
        how = kept(tenant, self.settings.tenants_said)
        return how is not None and how.isolation is Isolation.DATABASE
