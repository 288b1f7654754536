"""What stored components refer to, and what refers to them."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.merging import Record
from dbrouter.router.families.component_catalog import LIVE, SHOWN, Catalog
from dbrouter.router.families.context import Context

DEEPEST = 50
"""Components, one within the other, that are still loaded, as by agno."""


class ComponentLinks:
    """Reads links, and whole components along them."""

    def __init__(self, context: Context) -> None:
        self._catalog = Catalog(context)

    async def get_links(self, component_id: str, version: int, link_kind: str | None = None) -> list[Record]:
        """What a version refers to, in position."""
        return await self._catalog.links(component_id, version, link_kind)

    async def get_dependents(
        self,
        component_id: str,
        version: int | None = None,
        active_parents_only: bool = False,
        parent_user_id: str | None = None,
    ) -> list[Record]:
        """The links to the component, or to one version of it.

        parent_user_id: those of parents that are this user's or nobody's.
        """
        return await self._catalog.dependents(
            component_id, version, active=active_parents_only, parent_user_id=parent_user_id
        )

    async def load_component_graph(
        self,
        component_id: str,
        version: int | None = None,
        label: str | None = None,  # noqa: ARG002 - agno takes it and leaves it
    ) -> dict[str, Any] | None:
        """The component with all that it refers to, resolved; `None` if there is none, or it is nested too deep.

        `component`, `config`, `children` (each a `link` and its `graph`) and `resolved_versions`. What refers to itself
        is a stub with `cycle_detected` where it does.
        """
        return await self._graph(component_id, version, frozenset())

    async def _graph(self, component_id: str, version: int | None, above: frozenset[str]) -> dict[str, Any] | None:
        if len(above) >= DEEPEST:
            return None
        if component_id in above:
            return {
                "component": {"component_id": component_id},
                "config": None,
                "children": [],
                "resolved_versions": {},
                "cycle_detected": True,
            }
        component = await self._catalog.component(component_id, LIVE)
        if component is None:
            return None
        wanted: int | None = component.record["current_version"] if version is None else version
        config = None if wanted is None else await self._catalog.config(component_id, wanted, SHOWN)
        if wanted is None or config is None:
            return None
        children: list[dict[str, Any]] = []
        resolved: dict[str, int | None] = {component_id: wanted}
        for link in await self._catalog.links(component_id, wanted):
            child = link["child_component_id"]
            child_version = await self._resolved(child, link["child_version"])
            resolved[child] = child_version
            if child_version is None:
                children.append({"link": link, "graph": None, "error": "child_version_unresolvable"})
                continue
            graph = await self._graph(child, child_version, above | {component_id})
            if graph:
                resolved |= graph.get("resolved_versions", {})
            children.append({"link": link, "graph": graph})
        return {
            "component": component.record,
            "config": config.record,
            "children": children,
            "resolved_versions": resolved,
        }

    async def _resolved(self, component_id: str, version: int | None) -> int | None:
        if version is not None:
            return version
        component = await self._catalog.component(component_id, LIVE)
        return None if component is None else component.record["current_version"]
