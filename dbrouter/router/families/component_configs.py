"""Versions of stored components: drafts that change, published ones that do not, deleted ones whose number stays."""

from __future__ import annotations

from dbrouter.backends.kernel.filters import EVERYTHING, Comparison, all_of, compare, eq, one_of
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import ABSENT, Put, Scan, Stored, Write
from dbrouter.router.agno_types import (
    DELETED_CONFIG_STAGE,
    ComponentDependencyError,
    ComponentDraftRequiredError,
    ComponentLastConfigError,
    ComponentVersionConflictError,
    current_version_matches,
    project_config_identity,
)
from dbrouter.router.families.component_catalog import (
    COMPONENTS,
    CONFIGS,
    DRAFT,
    LIVE,
    PUBLISHED,
    SHOWN,
    Catalog,
    link_removal,
    link_writes,
    require_child_versions,
    require_current,
    require_live,
    require_stage,
)
from dbrouter.router.families.context import Context
from dbrouter.router.families.turns import Plan

WITHOUT_CONFIG = ("component_id", "version", "label", "stage", "notes", "created_at", "updated_at")


class ComponentConfigs:
    """Reads, writes, publishes and deletes versions."""

    def __init__(self, context: Context) -> None:
        self._catalog = Catalog(context)
        self._now = context.now

    async def get_config(
        self, component_id: str, version: int | None = None, label: str | None = None, include_deleted: bool = False
    ) -> Record | None:
        """The version with this number, else label; without either the current one or, if none is, the newest.

        `None` if there is none, or the component is archived. include_deleted: also a deleted one, by its number.
        """
        component = await self._catalog.component(component_id, LIVE)
        if component is None:
            return None
        if version is None and label is not None:
            found = await self._catalog.versions(component_id, all_of(eq("label", label), SHOWN), limit=1)
            return found[0] if found else None
        wanted = component.record["current_version"] if version is None else version
        if wanted is None:
            found = await self._catalog.versions(component_id, limit=1)
            return found[0] if found else None
        shown = EVERYTHING if version is not None and include_deleted else SHOWN
        stored = await self._catalog.config(component_id, wanted, shown)
        return None if stored is None else stored.record

    async def get_current_config(self, component_id: str) -> Record | None:
        """The published version in use, or `None`."""
        component = await self._catalog.component(component_id, LIVE)
        if component is None or component.record["current_version"] is None:
            return None
        stored = await self._catalog.config(component_id, component.record["current_version"], SHOWN)
        return None if stored is None else stored.record

    async def get_latest_config(self, component_id: str) -> Record | None:
        """The newest version, draft or published, or `None`."""
        if await self._catalog.component(component_id, LIVE) is None:
            return None
        found = await self._catalog.versions(component_id, limit=1)
        return found[0] if found else None

    async def get_latest_configs(self, component_ids: set[str]) -> dict[str, Record | None]:
        """Each of the components -> its newest version, or `None`."""
        results: dict[str, Record | None] = dict.fromkeys(component_ids)
        if not component_ids:
            return results
        among = one_of("component_id", sorted(component_ids))
        store = self._catalog.store
        live = await store.execute(Scan(table=COMPONENTS, where=all_of(among, LIVE), columns=("component_id",)))
        # The numbers of all versions are little; of each component one version is then read whole.
        numbers = await store.execute(
            Scan(table=CONFIGS, where=all_of(among, SHOWN), columns=("component_id", "version"))
        )
        newest: dict[str, int] = {}
        for each in numbers.records:
            newest[each["component_id"]] = max(each["version"], newest.get(each["component_id"], 0))
        for each in live.records:
            component_id = each["component_id"]
            if component_id in newest:
                stored = await self._catalog.config(component_id, newest[component_id])
                results[component_id] = None if stored is None else stored.record
        return results

    async def list_configs(
        self, component_id: str, include_config: bool = False, include_deleted: bool = False
    ) -> list[Record]:
        """The component's versions, newest first, without what they hold unless asked for; none if it is archived."""
        if await self._catalog.component(component_id, LIVE) is None:
            return []
        return await self._catalog.versions(
            component_id,
            EVERYTHING if include_deleted else SHOWN,
            columns=None if include_config else WITHOUT_CONFIG,
        )

    async def upsert_config(
        self,
        component_id: str,
        config: Record | None = None,
        version: int | None = None,
        label: str | None = None,
        stage: str | None = None,
        notes: str | None = None,
        links: list[Record] | None = None,
        expected_latest_version: int | None = None,
        expected_current_version: int | None = None,
        user_id: str | None = None,
    ) -> Record:
        """The new version, or the changed draft if its number is given. Publishing makes it the current one.

        Raises `ValueError` for what is missing, another user's, published or labelled already;
        `ComponentArchivedError`; `ComponentVersionConflictError` where another version is the latest or current than
        expected; `ComponentCycleError` and `ComponentDependencyError` for what it refers to.
        """
        if stage is not None:
            require_stage(stage)

        async def written() -> Plan[int]:
            component = await self._writable(component_id, user_id)
            if expected_latest_version is not None:
                latest = await self._catalog.latest_version(component_id)
                if latest != expected_latest_version:
                    raise ComponentVersionConflictError(
                        f"Component {component_id} latest version is {latest}, expected {expected_latest_version}"
                    )
            if links:
                await self._catalog.check_links(component_id, links)
            await self._require_free(component_id, label, version)
            require_child_versions(links)
            now = self._now()
            if version is None:
                put = await self._appended(component_id, config, label, stage, notes, now)
            else:
                given = {"label": label, "stage": stage, "config": config, "notes": notes}
                put = await self._edited(component_id, version, given, now)
            number: int = put.record["version"]
            before = [] if version is None else await self._catalog.links(component_id, number)
            writes: list[Write] = [put]
            if links is not None:
                writes = [put, *link_writes(component_id, number, links, now, before=before)]
            if put.record["stage"] == PUBLISHED:
                after = before if links is None else links
                await self._catalog.require_published_children(after, f"Cannot publish {component_id} v{number}")
                if expected_current_version is not None and not current_version_matches(
                    component.record["current_version"], expected_current_version
                ):
                    raise ComponentVersionConflictError(
                        f"Component {component_id} current version changed; expected {expected_current_version}"
                    )
                identity = project_config_identity(put.record["config"])
                row = component.record | {"current_version": number, "updated_at": now} | identity
                writes.append(Put(table=COMPONENTS, record=row, expect=component.version))
            return Plan(number, writes)

        number = await self._catalog.in_turn(written)
        stored = await self._catalog.config(component_id, number)
        if stored is None:
            raise ValueError(f"Failed to get config {component_id} v{number} after upsert")
        return stored.record

    async def delete_config(self, component_id: str, version: int, user_id: str | None = None) -> bool:
        """Whether there was such a draft; its number is never given again, its label is free.

        Raises `ComponentDraftRequiredError` for a published one, `ComponentLastConfigError` for the last one,
        `ComponentDependencyError` while others refer to it, `ComponentArchivedError`, `ValueError` for the current one.
        """

        async def deleted() -> Plan[bool]:
            component = await self._catalog.component(component_id)
            if user_id is not None and (component is None or component.record["user_id"] != user_id):
                return Plan(answer=False)
            if component is not None:
                require_live(component_id, component.record)
            stored = await self._catalog.config(component_id, version, SHOWN)
            if stored is None:
                return Plan(answer=False)
            if stored.record["stage"] == PUBLISHED:
                raise ComponentDraftRequiredError(
                    f"Cannot delete published config {component_id} v{version}; only drafts are deletable"
                )
            if component is not None and component.record["current_version"] == version:
                raise ValueError(f"Cannot delete current config {component_id} v{version}")
            if len(await self._catalog.versions(component_id, limit=2, columns=("version",))) < 2:
                raise ComponentLastConfigError(f"Cannot delete the last visible config of {component_id}")
            await self._refuse_if_pinned(component_id, version)
            gone = stored.record | {"stage": DELETED_CONFIG_STAGE, "label": None, "updated_at": self._now()}
            links = await self._catalog.links(component_id, version)
            return Plan(
                answer=True,
                writes=(Put(table=CONFIGS, record=gone, expect=stored.version), *map(link_removal, links)),
            )

        return await self._catalog.in_turn(deleted)

    async def set_current_version(
        self, component_id: str, version: int, expected_current_version: int | None = None, user_id: str | None = None
    ) -> bool:
        """Whether there is such a version of such a component; it is now the current one.

        Raises `ValueError` for a draft, `ComponentVersionConflictError` where another version is current than expected,
        `ComponentDependencyError` if it refers to archived components.
        """

        async def moved() -> Plan[bool]:
            component = await self._catalog.component(component_id, LIVE)
            if component is None or (user_id is not None and component.record["user_id"] != user_id):
                return Plan(answer=False)
            stored = await self._catalog.config(component_id, version)
            if stored is None:
                return Plan(answer=False)
            if stored.record["stage"] != PUBLISHED:
                raise ValueError(
                    f"Cannot set draft config {component_id} v{version} as current. "
                    "Only published configs can be current."
                )
            require_current(component_id, component.record, expected_current_version)
            if archived := await self._catalog.archived_children(await self._catalog.links(component_id, version)):
                raise ComponentDependencyError(
                    f"Cannot make {component_id} v{version} current: pinned child(ren) {', '.join(archived)} are "
                    "archived. Restore them first."
                )
            row = component.record | {"current_version": version, "updated_at": self._now()}
            return Plan(answer=True, writes=(Put(table=COMPONENTS, record=row, expect=component.version),))

        return await self._catalog.in_turn(moved)

    async def _writable(self, component_id: str, user_id: str | None) -> Stored:
        component = await self._catalog.component(component_id)
        if component is None or (user_id is not None and component.record["user_id"] != user_id):
            raise ValueError(f"Component {component_id} not found")
        require_live(component_id, component.record)
        return component

    async def _require_free(self, component_id: str, label: str | None, version: int | None) -> None:
        """Raise `ValueError` if another version has this label."""
        if label is None:
            return
        other = EVERYTHING if version is None else compare("version", Comparison.NE, version)
        if await self._catalog.latest_version(component_id, all_of(eq("label", label), SHOWN, other)) is not None:
            raise ValueError(f"Label '{label}' already exists for {component_id}")

    async def _appended(
        self,
        component_id: str,
        config: Record | None,
        label: str | None,
        stage: str | None,
        notes: str | None,
        now: int,
    ) -> Put:
        if config is None:
            raise ValueError("config is required when creating a new version")
        # Deleted versions count too: what cites a number must never find another version under it.
        highest = await self._catalog.latest_version(component_id, EVERYTHING)
        record = {
            "component_id": component_id,
            "version": (highest or 0) + 1,
            "label": label,
            "stage": stage or DRAFT,
            "config": config,
            "notes": notes,
            "created_at": now,
        }
        return Put(table=CONFIGS, record=record, expect=ABSENT)

    async def _edited(self, component_id: str, version: int, given: Record, now: int) -> Put:
        stored = await self._catalog.config(component_id, version, SHOWN)
        if stored is None:
            raise ValueError(f"Config {component_id} v{version} not found")
        if stored.record["stage"] == PUBLISHED:
            raise ValueError(f"Cannot update published config {component_id} v{version}")
        changes = {column: value for column, value in given.items() if value is not None}
        record = stored.record | changes | {"updated_at": now}
        return Put(table=CONFIGS, record=record, expect=stored.version)

    async def _refuse_if_pinned(self, component_id: str, version: int) -> None:
        """Raise `ComponentDependencyError` if a version that may still run refers to this one.

        A parent lets go by being archived, or by its version being deleted. One that is not in the catalog keeps hold.
        """
        pins = await self._catalog.dependents(component_id, version)
        parents: set[str] = set()
        for pin in pins:
            parent = await self._catalog.component(pin["parent_component_id"])
            config = await self._catalog.config(pin["parent_component_id"], pin["parent_version"])
            archived = parent is not None and parent.record["deleted_at"] is not None
            if not archived and (config is None or config.record["stage"] != DELETED_CONFIG_STAGE):
                parents.add(pin["parent_component_id"])
        if parents:
            raise ComponentDependencyError(
                f"Cannot delete {component_id} v{version}: pinned by {', '.join(sorted(parents))}"
            )
