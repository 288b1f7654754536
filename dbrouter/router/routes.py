"""Which database a family of a component goes to: rules, most specific first. Pure data, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.errors import ConfigError, RoutingError

SCHEMA_VERSIONS = "schema_versions"
"""The family that is not routed: versions live beside the tables they describe."""

SERVED: tuple[str, ...] = (
    "sessions",
    "memories",
    "knowledge",
    "evals",
    "metrics",
    "traces",
    "approvals",
    "schedules",
    "learnings",
    "components",
    "company",
    "auth_tokens",
    "service_accounts",
    "authz",
    "mcp_oauth",
    "jobs",
)
"""Families this version of dbrouter has programs for."""

WHOLE: frozenset[str] = frozenset(
    {"components", "company", "auth_tokens", "service_accounts", "authz", "mcp_oauth", "jobs"}
)
"""Families of the whole deployment: their calls name no agent, team or workflow, and its rules do not move them."""

COMMITTING = frozenset({"components", "company", "authz"})
"""Families whose calls change several records, all or none of them: a database that cannot has none of these."""

ComponentKind = Literal["agent", "team", "workflow"]
KINDS: tuple[ComponentKind, ...] = ("agent", "team", "workflow")


@dataclass(frozen=True, slots=True)
class Component:
    """An agent, a team or a workflow."""

    kind: ComponentKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Where something goes. `None` means any.

    source: the key that says so, with dots. place: its file and line, if it came from a file.
    """

    family: str | None
    component: Component | None
    database: str
    source: str
    place: str = ""

    @property
    def specificity(self) -> int:
        """How much the rule says: a component's family 3, a component 2, a family 1, everything 0."""
        return 2 * (self.component is not None) + (self.family is not None)

    def matches(self, family: str, component: Component | None) -> bool:
        """Whether it speaks about this family of this component."""
        return self.family in (None, family) and self.component in (None, component)


class ComponentSource(Protocol):
    """What a configuration says about one component."""

    @property
    def db(self) -> str | None:
        """The database for everything of it."""
        ...

    @property
    def families(self) -> Mapping[str, str]:
        """Family -> database."""
        ...


class DefaultsSource(ComponentSource, Protocol):
    """What a configuration says about the whole deployment."""

    @property
    def trace_db(self) -> str | None:
        """The database for traces."""
        ...

    @property
    def eval_db(self) -> str | None:
        """The database for evals."""
        ...


class RoutesSource(Protocol):
    """A configuration's routes, as `dbrouter.config.settings.Settings` has them."""

    @property
    def agentos(self) -> DefaultsSource:
        """The defaults."""
        ...

    @property
    def agents(self) -> Mapping[str, ComponentSource]:
        """Agent id -> its routes."""
        ...

    @property
    def teams(self) -> Mapping[str, ComponentSource]:
        """Team id -> its routes."""
        ...

    @property
    def workflows(self) -> Mapping[str, ComponentSource]:
        """Workflow id -> its routes."""
        ...

    @property
    def unserved(self) -> Collection[str]:
        """Families that the default database cannot hold."""
        ...

    def where(self, *path: str) -> str:
        """The file and line of the key at this path, or "" if it came from no file."""
        ...


class Routes:
    """The rules of a configuration, sorted once; a look-up is at most four of a dictionary."""

    def __init__(self, rules: tuple[Rule, ...], *, unserved: Collection[str] = ()) -> None:
        """Sort the rules. `ConfigError` if two that say equally much name different databases."""
        self._rules: dict[tuple[str | None, Component | None], Rule] = {}
        # The sort is stable: rules that say equally much stay in the file's order.
        for rule in sorted(rules, key=lambda each: -each.specificity):
            first = self._rules.setdefault((rule.family, rule.component), rule)
            if first.database != rule.database:
                raise ConfigError(
                    f"{first.source} names {first.database!r} and {rule.source} names {rule.database!r} for the same "
                    f"thing; keep one of them"
                )
        named = {family: self._default(family) for family in (*SERVED, SCHEMA_VERSIONS) if family not in unserved}
        self._defaults = {family: rule for family, rule in named.items() if rule is not None}
        self._databases = {family: self._holders(family) for family in SERVED if self.serves(family)}

    @classmethod
    def of(cls, source: RoutesSource) -> Routes:
        """The routes that a configuration describes."""
        return cls(tuple(_rules(source)), unserved=source.unserved)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, most specific first."""
        return tuple(self._rules.values())

    @property
    def families(self) -> tuple[str, ...]:
        """The families that are served."""
        return tuple(self._databases)

    @property
    def components(self) -> tuple[Component, ...]:
        """The components that have rules of their own."""
        return tuple(dict.fromkeys(rule.component for rule in self._rules.values() if rule.component is not None))

    def serves(self, family: str) -> bool:
        """Whether there is a database for the family when no component is known.

        Without one, a call that carries no component could not be answered, so the family is not served at all.
        """
        return family in self._defaults

    def rule(self, family: str, component: Component | None = None) -> Rule:
        """The rule that decides. `RoutingError` if the family is not served."""
        default = self._defaults.get(family)
        if default is None:
            raise RoutingError(_unserved(family))
        if component is None or family in WHOLE:
            return default
        return self._rules.get((family, component)) or self._rules.get((None, component)) or default

    def database(self, family: str, component: Component | None = None) -> str:
        """The database for this family of this component. `RoutingError` if the family is not served."""
        return self.rule(family, component).database

    def databases(self, family: str) -> tuple[str, ...]:
        """All databases that can hold the family, the default first, each once. Empty if it is not served."""
        if family == SCHEMA_VERSIONS:
            return tuple(dict.fromkeys(name for names in self._databases.values() for name in names))
        return self._databases.get(family, ())

    def _holders(self, family: str) -> tuple[str, ...]:
        named = (self.database(family, component) for component in self.components)
        return tuple(dict.fromkeys((self.database(family), *named)))

    def _default(self, family: str) -> Rule | None:
        found = self._rules.get((family, None)) or self._rules.get((None, None))
        if found is None and family == SCHEMA_VERSIONS:
            return self._default("sessions")
        return found


def leader_of(table: str) -> str | None:
    """The family that a table which is no family of its own is routed with; `None` for a family or an unknown name."""
    spec = TABLES.get(table)
    return spec.family if spec is not None and spec.family != table else None


def _unserved(family: str) -> str:
    leader = leader_of(family)
    if leader is not None:
        return f"{family} is not routed by itself; ask for {leader}"
    if family not in SERVED:
        return f"this version of dbrouter does not serve {family}; it serves {', '.join(SERVED)}"
    return f"no database is named for {family}; set agentos.families.{family} or agentos.db"


def _rules(source: RoutesSource) -> Iterator[Rule]:
    defaults = source.agentos
    named = [
        (None, "db", defaults.db),
        ("traces", "trace_db", defaults.trace_db),
        ("evals", "eval_db", defaults.eval_db),
    ]
    for family, key, database in named:
        if database is not None:
            yield _rule(source, family, None, database, ("agentos", key))
    for family, database in defaults.families.items():
        yield _rule(source, family, None, database, ("agentos", "families", family))
    sections: tuple[tuple[ComponentKind, str, Mapping[str, ComponentSource]], ...] = (
        ("agent", "agents", source.agents),
        ("team", "teams", source.teams),
        ("workflow", "workflows", source.workflows),
    )
    for kind, section, components in sections:
        for id_, says in components.items():
            component = Component(kind, id_)
            if says.db is not None:
                yield _rule(source, None, component, says.db, (section, id_, "db"))
            for family, database in says.families.items():
                yield _rule(source, family, component, database, (section, id_, "families", family))


def _rule(
    source: RoutesSource, family: str | None, component: Component | None, database: str, path: tuple[str, ...]
) -> Rule:
    return Rule(family=family, component=component, database=database, source=".".join(path), place=source.where(*path))
