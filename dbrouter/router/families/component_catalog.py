"""The catalog of stored agents, teams and workflows: what its programs read, and the rules they share.

Whatever changes takes the turn of the whole catalog: what a component may do depends on others, which pin it or which
it pins. Changes are rare, and nothing that is checked can be overtaken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Comparison,
    Field,
    Filter,
    Related,
    all_of,
    any_of,
    compare,
    eq,
    equals,
    is_null,
    not_null,
    one_of,
)
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import ABSENT, Get, Key, Order, Put, Remove, Scan, Stored
from dbrouter.router.agno_types import (
    DELETED_CONFIG_STAGE,
    PIN_LINK_KINDS,
    ComponentArchivedError,
    ComponentCycleError,
    ComponentDependencyError,
    ComponentVersionConflictError,
    current_version_matches,
)
from dbrouter.router.families.context import Context
from dbrouter.router.families.turns import Plan, Turns

T = TypeVar("T")

COMPONENTS = "components"
CONFIGS = "component_configs"
LINKS = "component_links"
LINK_KEY = ("parent_component_id", "parent_version", "link_kind", "link_key")

LIVE = is_null("deleted_at")
SHOWN = compare("stage", Comparison.NE, DELETED_CONFIG_STAGE)
NEWEST_VERSION_FIRST = (Order(Field("version"), descending=True),)
IN_POSITION = (Order(Field("position")),)
DRAFT, PUBLISHED = "draft", "published"
STAGES = (DRAFT, PUBLISHED)
CATALOG = "catalog"


class Catalog:
    """Reads components, versions and links, and checks what may be written."""

    def __init__(self, context: Context) -> None:
        self.store = context.store
        self.now = context.now
        self._turns = Turns(context.store, COMPONENTS)

    async def in_turn(self, plan: Callable[[], Awaitable[Plan[T]]]) -> T:
        """The plan's answer; nothing else of the catalog changes meanwhile."""
        return await self._turns.take(CATALOG, plan)

    async def component(self, component_id: str, where: Filter = EVERYTHING) -> Stored | None:
        """The component, archived or not."""
        return await self.store.execute(Get(table=COMPONENTS, key=(component_id,), where=where, versioned=True))

    async def config(self, component_id: str, version: int, where: Filter = EVERYTHING) -> Stored | None:
        """The version, deleted or not."""
        return await self.store.execute(Get(table=CONFIGS, key=(component_id, version), where=where, versioned=True))

    async def versions(
        self,
        component_id: str,
        where: Filter = SHOWN,
        *,
        limit: int | None = None,
        columns: tuple[str, ...] | None = None,
    ) -> list[Record]:
        """The component's versions, newest first."""
        scan = Scan(
            table=CONFIGS,
            where=all_of(eq("component_id", component_id), where),
            order=NEWEST_VERSION_FIRST,
            limit=limit,
            columns=columns,
        )
        return (await self.store.execute(scan)).records

    async def latest_version(self, component_id: str, where: Filter = SHOWN) -> int | None:
        """The number of the newest version."""
        found = await self.versions(component_id, where, limit=1, columns=("version",))
        return found[0]["version"] if found else None

    async def links(self, component_id: str, version: int, link_kind: str | None = None) -> list[Record]:
        """What a version refers to, in position."""
        where = all_of(
            eq("parent_component_id", component_id), eq("parent_version", version), equals(link_kind=link_kind)
        )
        return (await self.store.execute(Scan(table=LINKS, where=where, order=IN_POSITION))).records

    async def dependents(
        self, component_id: str, version: int | None = None, *, active: bool = False, parent_user_id: str | None = None
    ) -> list[Record]:
        """The links to the component, or to one version of it.

        active: those of parents, and of versions of theirs, that are not archived or deleted. parent_user_id: those of
        parents that are this user's or nobody's.
        """
        parents = EVERYTHING
        if parent_user_id is not None:
            parents = any_of(eq("user_id", parent_user_id), is_null("user_id"))
        where = all_of(eq("child_component_id", component_id), equals(child_version=version))
        if active or parents != EVERYTHING:
            parents = all_of(parents, LIVE if active else EVERYTHING)
            where = all_of(where, Related("parent_component_id", COMPONENTS, "component_id", parents))
        found = (await self.store.execute(Scan(table=LINKS, where=where))).records
        if not active:
            return found
        shown = await self._shown_versions({each["parent_component_id"] for each in found})
        return [each for each in found if (each["parent_component_id"], each["parent_version"]) in shown]

    async def refuse_if_pinned(self, component_id: str, *, active: bool, parent_user_id: str | None) -> None:
        """Raise `ComponentDependencyError` if other components refer to this one."""
        found = await self.dependents(component_id, active=active, parent_user_id=parent_user_id)
        parents = sorted({each["parent_component_id"] for each in found if each["parent_component_id"] != component_id})
        if parents:
            raise ComponentDependencyError(f"Cannot delete {component_id}: referenced by {', '.join(parents)}")

    async def archived_children(self, links: Iterable[Record]) -> list[str]:
        """The archived components among those that these links pin, sorted."""
        pinned = {each["child_component_id"] for each in links if each["link_kind"] in PIN_LINK_KINDS}
        if not pinned:
            return []
        archived = all_of(one_of("component_id", sorted(pinned)), not_null("deleted_at"))
        found = await self.store.execute(Scan(table=COMPONENTS, where=archived, columns=("component_id",)))
        return sorted(each["component_id"] for each in found.records)

    async def require_published_children(self, links: Iterable[Record], refused: str) -> None:
        """Raise `ComponentDependencyError` unless every child that these links pin is published and not archived."""
        pinned = [each for each in links if each["link_kind"] in PIN_LINK_KINDS]
        for link in pinned:
            child, version = link["child_component_id"], link["child_version"]
            stored = await self.config(child, version)
            stage = None if stored is None else stored.record["stage"]
            if stage != PUBLISHED:
                raise ComponentDependencyError(
                    f"{refused}: pinned {link['link_kind']} '{child}' v{version} is {stage or 'missing'}; "
                    "publish the child first."
                )
        archived = await self.archived_children(pinned)
        for link in pinned:
            if link["child_component_id"] in archived:
                raise ComponentDependencyError(
                    f"{refused}: pinned {link['link_kind']} '{link['child_component_id']}' is archived; "
                    "restore it first."
                )

    async def check_links(self, component_id: str, links: Sequence[Record]) -> None:
        """Raise unless the component may refer to these: all stored, none archived, no circle.

        That they are stored is not left to foreign keys: agno's tables on SQLite have none here.
        """
        children = {each["child_component_id"] for each in links if each.get("child_component_id")}
        if component_id in children:
            raise ComponentCycleError(f"Component {component_id} cannot reference itself")
        if not children:
            return
        among = one_of("component_id", sorted(children))
        found = await self.store.execute(Scan(table=COMPONENTS, where=among, columns=("component_id", "deleted_at")))
        stored = {each["component_id"]: each["deleted_at"] is not None for each in found.records}
        if archived := [child for child, is_archived in stored.items() if is_archived]:
            raise ComponentArchivedError(f"Cannot link {component_id} to archived component {min(archived)}")
        if missing := children - stored.keys():
            raise ComponentDependencyError(
                f"Cannot link {component_id} to {min(missing)}: there is no such component; save it first"
            )
        await self._refuse_circle(component_id, children)

    async def _refuse_circle(self, component_id: str, children: set[str]) -> None:
        visited: set[str] = set()
        frontier = children
        while frontier:
            visited |= frontier
            found = await self.store.execute(
                Scan(
                    table=LINKS,
                    where=one_of("parent_component_id", sorted(frontier)),
                    columns=("parent_component_id", "child_component_id"),
                )
            )
            for each in found.records:
                if each["child_component_id"] == component_id:
                    raise ComponentCycleError(
                        f"Linking {component_id} -> {each['parent_component_id']} would close a reference cycle"
                    )
            frontier = {each["child_component_id"] for each in found.records} - visited

    async def _shown_versions(self, component_ids: set[str]) -> set[tuple[str, int]]:
        if not component_ids:
            return set()
        where = all_of(one_of("component_id", sorted(component_ids)), SHOWN)
        found = await self.store.execute(Scan(table=CONFIGS, where=where, columns=("component_id", "version")))
        return {(each["component_id"], each["version"]) for each in found.records}


def require_child_versions(links: Iterable[Record] | None) -> None:
    """Raise `ValueError` for a link that does not say which version of the child."""
    for link in links or ():
        if link.get("child_version") is None:
            raise ValueError(f"child_version is required for link to {link['child_component_id']}")


def require_stage(stage: str | None) -> None:
    """Raise `ValueError` for what is no stage that can be asked for."""
    if stage not in STAGES:
        raise ValueError(f"Invalid stage: {stage}")


def require_live(component_id: str, component: Record) -> None:
    """Raise `ComponentArchivedError` if the component is archived."""
    if component["deleted_at"] is not None:
        raise ComponentArchivedError(
            f"Component {component_id} is archived; restore it explicitly before writing to it"
        )


def require_current(component_id: str, component: Record, expected: int | None) -> None:
    """Raise `ComponentVersionConflictError` unless this version, or for 0 none, is the current one."""
    if expected is not None and not current_version_matches(component["current_version"], expected):
        raise ComponentVersionConflictError(
            f"Component {component_id} current version is {component['current_version']}, expected {expected}"
        )


def link_writes(
    component_id: str, version: int, links: Iterable[Record], now: int, *, before: Iterable[Record] = ()
) -> list[Put | Remove]:
    """What makes these a version's links. before: those that it has. Raises `Duplicate` for one that is given twice."""
    leaving = {_link_key(link): link for link in before}
    had = frozenset(leaving)
    puts: dict[Key, Put] = {}
    for link in links:
        record = {
            "parent_component_id": component_id,
            "parent_version": version,
            "link_kind": link["link_kind"],
            "link_key": link["link_key"],
            "child_component_id": link["child_component_id"],
            "child_version": link["child_version"],
            "position": link["position"],
            "meta": link.get("meta"),
            "created_at": now,
        }
        key = _link_key(record)
        if key in puts:
            raise duplicate(LINKS, LINK_KEY)
        # One commit writes a record once: a link that stays is written over, not removed and written.
        puts[key] = Put(table=LINKS, record=record, expect=None if key in had else ABSENT)
        leaving.pop(key, None)
    return [*map(link_removal, leaving.values()), *puts.values()]


def link_removal(link: Record) -> Remove:
    """What removes a link."""
    return Remove(table=LINKS, key=_link_key(link))


def _link_key(link: Record) -> Key:
    return tuple(link[column] for column in LINK_KEY)
