"""Where a company's products come from: repositories, documents, links."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.filters import EVERYTHING, all_of, eq, equals
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Scan
from dbrouter.router.agno_types import validate_source_fields
from dbrouter.router.families.company import (
    ACTIVE,
    SOURCES,
    WITHIN_ACTIVE_PRODUCT,
    Changed,
    Company,
    is_owned,
    owned_by,
)
from dbrouter.router.families.context import Context

DESCRIBING = ("type", "reference", "credential_ref", "config")


class Sources:
    """Creates, lists, changes and archives sources."""

    def __init__(self, context: Context) -> None:
        self._company = Company(context)

    async def create_source(self, source_data: Record, reuse: bool = False) -> Record:
        """The stored source. reuse: or the one of the same product, reference and settings, if there is one.

        Raises `ValueError` if the product is archived, or its source of this reference is archived or set up otherwise.
        """

        async def met() -> Record | None:
            if not reuse:
                return None
            same = all_of(eq("product_id", source_data["product_id"]), eq("reference", source_data["reference"]))
            found = await self._company.store.execute(Scan(table=SOURCES, where=same))
            for existing in found.records:
                if _conflicts(existing, source_data):
                    raise ValueError(
                        f"Source {existing['id']} already uses this reference with conflicting configuration or is "
                        "archived"
                    )
            return found.records[0] if found.records else None

        return await self._company.add(SOURCES, source_data, met)

    async def get_source(
        self, source_id: str, user_id: str | None = None, include_deleted: bool = False
    ) -> Record | None:
        """The source, or `None` if there is none that the user owns and that is not archived."""
        return await self._company.get(SOURCES, source_id, user_id, include_deleted=include_deleted)

    async def get_sources(
        self,
        user_id: str | None = None,
        limit: int = 20,
        page: int = 1,
        include_deleted: bool = False,
        product_id: str | None = None,
    ) -> tuple[list[Record], int]:
        """One page of the sources of active products, newest first, and how many there are in all."""
        where = all_of(
            equals(product_id=product_id),
            owned_by(user_id),
            WITHIN_ACTIVE_PRODUCT,
            EVERYTHING if include_deleted else ACTIVE,
        )
        return await self._company.page(SOURCES, where, limit=limit, page=page)

    async def update_source(self, source_id: str, user_id: str | None = None, **fields: Any) -> Record | None:
        """The changed source, or `None` if there is none that the user owns and that is not archived."""

        async def updated(source: Record) -> Changed | None:
            if source["deleted_at"] is not None or not is_owned(source, user_id):
                return None
            candidate = {**{column: source[column] for column in DESCRIBING}, **fields}
            if "config" not in fields and isinstance(candidate.get("config"), dict):
                candidate["config"] = _without_metadata(candidate["config"])
            # An old reference that stays need not obey a rule that came later.
            if "reference" not in fields and candidate["type"] == source["type"]:
                candidate.pop("reference", None)
            validate_source_fields(candidate)
            return Changed({**fields, "updated_at": self._company.now()})

        return await self._company.change(SOURCES, source_id, updated)

    async def delete_source(self, source_id: str, user_id: str | None = None) -> bool:
        """Whether the source was archived."""
        now = self._company.now()

        async def gone(source: Record) -> Changed | None:
            if source["deleted_at"] is not None or not is_owned(source, user_id):
                return None
            return Changed({"deleted_at": now, "updated_at": now})

        return await self._company.change(SOURCES, source_id, gone) is not None

    async def restore_source(self, source_id: str, user_id: str | None = None) -> Record | None:
        """The source, back; `None` if it is not archived or not the user's."""

        async def back(source: Record) -> Changed | None:
            if source["deleted_at"] is None or not is_owned(source, user_id):
                return None
            return Changed({"deleted_at": None, "updated_at": self._company.now()})

        return await self._company.change(SOURCES, source_id, back)


def _conflicts(existing: Record, asked: Record) -> bool:
    return (
        existing["deleted_at"] is not None
        or existing["type"] != asked["type"]
        or existing["credential_ref"] != asked.get("credential_ref")
        or _without_metadata(existing["config"]) != _without_metadata(asked.get("config"))
    )


def _without_metadata(config: Record | None) -> Record:
    return {key: value for key, value in (config or {}).items() if key != "metadata"}
