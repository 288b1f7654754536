"""Stored agents, teams and workflows: their rows in the catalog."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Field,
    Filter,
    Not,
    all_of,
    any_of,
    eq,
    equals,
    is_null,
    not_null,
    one_of,
)
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import ABSENT, Order, Put, Remove, Scan, Write
from dbrouter.router.agno_types import ComponentDependencyError, ComponentType
from dbrouter.router.families.component_catalog import (
    COMPONENTS,
    CONFIGS,
    LINKS,
    LIVE,
    PUBLISHED,
    Catalog,
    link_removal,
    link_writes,
    require_child_versions,
    require_current,
    require_live,
    require_stage,
)
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import from_offset, limited
from dbrouter.router.families.schedules import disabling
from dbrouter.router.families.turns import Plan

NEWEST_FIRST = (Order(Field("created_at"), descending=True), Order(Field("component_id")))
FIRST_VERSION = 1


class Components:
    """Creates, lists, changes, archives and restores components."""

    def __init__(self, context: Context) -> None:
        self._catalog = Catalog(context)
        self._store = context.store
        self._now = context.now

    async def get_component(
        self,
        component_id: str,
        component_type: ComponentType | None = None,
        user_id: str | None = None,
        include_deleted: bool = False,
    ) -> Record | None:
        """The component, or `None` if there is none of this type that the user may see and that is not archived.

        A user sees their own, nobody's, and what is published.
        """
        where = all_of(_of_type(component_type), _visible(user_id), EVERYTHING if include_deleted else LIVE)
        stored = await self._catalog.component(component_id, where)
        return None if stored is None else stored.record

    async def upsert_component(
        self,
        component_id: str,
        component_type: ComponentType | None = None,
        name: str | None = None,
        description: str | None = None,
        current_version: int | None = None,
        metadata: Record | None = None,
        user_id: str | None = None,
    ) -> Record:
        """The stored component; one that is there gets what is given and keeps its type.

        Raises `ValueError` for another user's, for a new one without a type, for another type, and for a current
        version that is not published; `ComponentArchivedError` for an archived one.
        """
        given = {"name": name, "description": description, "metadata": metadata}

        async def written() -> Plan[Record | None]:
            stored = await self._catalog.component(component_id)
            if stored is None:
                if component_type is None:
                    raise ValueError("component_type is required when creating a new component")
                record = {
                    "component_id": component_id,
                    "component_type": component_type.value,
                    "user_id": user_id,
                    "current_version": None,
                    "created_at": self._now(),
                    **given,
                    "name": _name(component_id, name),
                }
                return Plan(None, (Put(table=COMPONENTS, record=record, expect=ABSENT),))
            component = stored.record
            if user_id is not None and component["user_id"] != user_id:
                raise ValueError(f"Component {component_id} not found")
            require_live(component_id, component)
            changes: Record = {column: value for column, value in given.items() if value is not None}
            if component_type is not None and component["component_type"] != component_type.value:
                raise ValueError(
                    f"Cannot change component {component_id} from {component['component_type']} "
                    f"to {component_type.value}; a component's type is fixed at creation."
                )
            if current_version is not None:
                await self._require_published(component_id, current_version)
                changes["current_version"] = current_version
            after = component | changes | {"updated_at": self._now()}
            return Plan(after, (Put(table=COMPONENTS, record=after, expect=stored.version),))

        answer = await self._catalog.in_turn(written)
        return await self._written(component_id) if answer is None else answer

    async def delete_component(
        self,
        component_id: str,
        hard_delete: bool = False,
        user_id: str | None = None,
        expected_current_version: int | None = None,
        require_no_dependents: bool = True,
        cascade_stats: dict[str, int] | None = None,
    ) -> bool:
        """Whether the component was archived or, with `hard_delete`, removed with its versions and links.

        Its schedules are disabled in the same commit; `cascade_stats` is told how many (`schedules_disabled`).
        Raises `ComponentDependencyError` while others refer to it, `ComponentVersionConflictError` where another
        version is current than the one expected.
        """

        async def gone() -> Plan[int | None]:
            stored = await self._catalog.component(component_id)
            if stored is None or (user_id is not None and stored.record["user_id"] != user_id):
                return Plan(None)
            component = stored.record
            if not hard_delete and user_id is not None and component["deleted_at"] is not None:
                return Plan(None)
            if require_no_dependents:
                await self._catalog.refuse_if_pinned(component_id, active=not hard_delete, parent_user_id=user_id)
            require_current(component_id, component, expected_current_version)
            if not hard_delete and component["deleted_at"] is not None:
                return Plan(None)
            now = self._now()
            if hard_delete:
                writes = await self._removal(component_id)
            else:
                after = component | {"deleted_at": now, "updated_at": now}
                writes = [Put(table=COMPONENTS, record=after, expect=stored.version)]
            kind = component["component_type"]
            disabled = await disabling(
                self._store, kind, component_id, reason=f"target_archived:{kind}:{component_id}", now=now
            )
            return Plan(len(disabled), (*writes, *disabled))

        disabled = await self._catalog.in_turn(gone)
        if disabled is not None and cascade_stats is not None:
            cascade_stats["schedules_disabled"] = disabled
        return disabled is not None

    async def restore_component(self, component_id: str, user_id: str | None = None) -> bool:
        """Whether the component was archived and is back, with every version.

        Raises `ComponentDependencyError` while its current version refers to archived ones.
        """

        async def back() -> Plan[bool]:
            stored = await self._catalog.component(component_id)
            if stored is None or (user_id is not None and stored.record["user_id"] != user_id):
                return Plan(answer=False)
            component = stored.record
            if component["deleted_at"] is None:
                return Plan(answer=False)
            if component["current_version"] is not None:
                links = await self._catalog.links(component_id, component["current_version"])
                if archived := await self._catalog.archived_children(links):
                    raise ComponentDependencyError(
                        f"Cannot restore {component_id}: pinned child(ren) {', '.join(archived)} are archived. "
                        "Restore them first."
                    )
            after = component | {"deleted_at": None, "updated_at": self._now()}
            return Plan(answer=True, writes=(Put(table=COMPONENTS, record=after, expect=stored.version),))

        return await self._catalog.in_turn(back)

    async def list_components(
        self,
        component_type: ComponentType | None = None,
        include_deleted: bool = False,
        limit: int = 20,
        offset: int = 0,
        exclude_component_ids: set[str] | None = None,
        user_id: str | None = None,
        name: str | None = None,
    ) -> tuple[list[Record], int]:
        """Some of the components that the user may see, newest first, and how many there are in all."""
        excluded = Not(one_of("component_id", sorted(exclude_component_ids))) if exclude_component_ids else EVERYTHING
        where = all_of(
            _of_type(component_type),
            _visible(user_id),
            EVERYTHING if include_deleted else LIVE,
            excluded,
            equals(name=name),
        )
        found = await self._store.execute(
            Scan(
                table=COMPONENTS,
                where=where,
                order=NEWEST_FIRST,
                limit=limited(limit),
                offset=from_offset(offset),
                total=True,
            )
        )
        return found.records, found.total or 0

    async def create_component_with_config(
        self,
        component_id: str,
        component_type: ComponentType,
        name: str | None,
        config: Record,
        description: str | None = None,
        metadata: Record | None = None,
        label: str | None = None,
        stage: str = "draft",
        notes: str | None = None,
        links: list[Record] | None = None,
        user_id: str | None = None,
    ) -> tuple[Record, Record]:
        """A new component and its first version, stored together.

        Raises `ValueError` if the id is taken, for another stage than "draft" and "published", and for a link without a
        `child_version`; and as linking and publishing do.
        """
        require_stage(stage)
        require_child_versions(links)

        async def created() -> Plan[None]:
            if await self._catalog.component(component_id) is not None:
                # It says no more: whose it is, is not the caller's business.
                raise ValueError(f"Component ID {component_id} is not available")
            if links:
                await self._catalog.check_links(component_id, links)
            if stage == PUBLISHED and links:
                await self._catalog.require_published_children(links, f"Cannot create {component_id} as published")
            now = self._now()
            component = {
                "component_id": component_id,
                "component_type": component_type.value,
                "name": _name(component_id, name),
                "user_id": user_id,
                "description": description,
                "metadata": metadata,
                "current_version": FIRST_VERSION if stage == PUBLISHED else None,
                "created_at": now,
            }
            first = {
                "component_id": component_id,
                "version": FIRST_VERSION,
                "label": label,
                "stage": stage,
                "config": config,
                "notes": notes,
                "created_at": now,
            }
            return Plan(
                None,
                (
                    Put(table=COMPONENTS, record=component, expect=ABSENT),
                    Put(table=CONFIGS, record=first, expect=ABSENT),
                    *link_writes(component_id, FIRST_VERSION, links or (), now),
                ),
            )

        await self._catalog.in_turn(created)
        stored = await self._catalog.config(component_id, FIRST_VERSION)
        if stored is None:
            raise ValueError(f"Failed to get config for {component_id} after creation")
        return await self._written(component_id), stored.record

    async def _written(self, component_id: str) -> Record:
        stored = await self._catalog.component(component_id)
        if stored is None:
            raise ValueError(f"Failed to get component {component_id} after upsert")
        return stored.record

    async def _require_published(self, component_id: str, version: int) -> None:
        stored = await self._catalog.config(component_id, version)
        stage = None if stored is None else stored.record["stage"]
        if stage == PUBLISHED:
            return
        what = {None: "missing", "draft": "draft"}.get(stage, "deleted")
        advice = " Only published configs can be current." if what == "draft" else ""
        dot = "." if advice else ""
        raise ValueError(f"Cannot set {what} config {component_id} v{version} as current{dot}{advice}")

    async def _removal(self, component_id: str) -> list[Write]:
        """What removes the component with all that hangs on it, children before parents."""
        touching = any_of(eq("parent_component_id", component_id), eq("child_component_id", component_id))
        links = await self._store.execute(Scan(table=LINKS, where=touching))
        versions = await self._catalog.versions(component_id, EVERYTHING, columns=("version",))
        return [
            *(link_removal(link) for link in links.records),
            *(Remove(table=CONFIGS, key=(component_id, each["version"])) for each in versions),
            Remove(table=COMPONENTS, key=(component_id,)),
        ]


def _name(component_id: str, given: str | None) -> str:
    # agno's SQLite table requires one, and so does its class there; on Postgres it stays empty.
    return component_id if given is None else given


def _of_type(component_type: ComponentType | None) -> Filter:
    return EVERYTHING if component_type is None else eq("component_type", component_type.value)


def _visible(user_id: str | None) -> Filter:
    if user_id is None:
        return EVERYTHING
    # Archiving withdraws what was published, also from who asks for archived ones.
    published = all_of(not_null("current_version"), LIVE)
    return any_of(eq("user_id", user_id), is_null("user_id"), published)
