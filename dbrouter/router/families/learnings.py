"""What the learning machine keeps."""

from __future__ import annotations

from typing import TypedDict, Unpack, cast

from dbrouter.backends.kernel.agno_tables.learnings import LEARNINGS as SPEC
from dbrouter.backends.kernel.errors import ForeignOwner
from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Field,
    Filter,
    Like,
    all_of,
    any_of,
    eq,
    equals,
    is_null,
    not_null,
)
from dbrouter.backends.kernel.merging import OwnerGuard, Record, Replace
from dbrouter.backends.kernel.ops import Aggregate, Computed, Delete, Get, Measure, Order, Scan, Update, Upsert
from dbrouter.router.agno_types import learning_search_patterns
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import limited, offset_of, sorting

LEARNINGS = SPEC.name
ON_CONFLICT = {"content": Replace(), "metadata": Replace(), "updated_at": Replace()}
GUARD = OwnerGuard("user_id", claim=True, unscoped=True)
"""An unowned learning is everybody's (agno keys a session's context by session alone); an owned one is its owner's."""

LATEST_FIRST = (Order(Field("updated_at"), descending=True),)
LAST_UPDATED = "last_learning_updated_at"


class About(TypedDict, total=False):
    """What every question about learnings may name beside type and owner; `None` means "not asked for"."""

    agent_id: str | None
    team_id: str | None
    session_id: str | None
    namespace: str | None
    entity_id: str | None
    entity_type: str | None


class Learnings:
    """Keeps learnings, found by what they are about."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def get_learning(
        self,
        learning_type: str,
        user_id: str | None = None,
        *,
        workflow_id: str | None = None,
        **about: Unpack[About],
    ) -> Record | None:
        """The content of the learning that matches, as `{"content": ...}`: the latest if several do, `None` if none."""
        where = _asked(about, learning_type=learning_type, user_id=user_id, workflow_id=workflow_id)
        found = await self._store.execute(
            Scan(table=LEARNINGS, where=where, order=LATEST_FIRST, limit=1, columns=("content",))
        )
        return {"content": found.records[0]["content"]} if found.records else None

    async def get_learning_by_id(self, id: str) -> Record | None:  # noqa: A002
        """The learning, or `None`."""
        stored = await self._store.execute(Get(table=LEARNINGS, key=(id,)))
        return None if stored is None else stored.record

    async def get_learnings(
        self,
        learning_type: str | None = None,
        user_id: str | None = None,
        limit: int | None = None,
        *,
        workflow_id: str | None = None,
        **about: Unpack[About],
    ) -> list[Record]:
        """The learnings that match, latest first."""
        where = _asked(about, learning_type=learning_type, user_id=user_id, workflow_id=workflow_id)
        found = await self._store.execute(Scan(table=LEARNINGS, where=where, order=LATEST_FIRST, limit=limited(limit)))
        return found.records

    async def search_learnings(
        self,
        query: str,
        learning_type: str | None = None,
        user_id: str | None = None,
        workflow_id: str | None = None,
        limit: int | None = None,
        **about: Unpack[About],
    ) -> list[Record]:
        """The learnings whose content holds the query's text, ignoring case and separators, latest first.

        A query of nothing but blanks and wildcards finds nothing.
        """
        patterns = learning_search_patterns(query)
        if not patterns:
            return []
        where = _asked(about, learning_type=learning_type, user_id=user_id, workflow_id=workflow_id)
        holds_text = any_of(*(Like("content", pattern) for pattern in patterns))
        found = await self._store.execute(
            Scan(table=LEARNINGS, where=all_of(where, holds_text), order=LATEST_FIRST, limit=limited(limit))
        )
        return found.records

    async def list_learnings(
        self,
        learning_type: str | None = None,
        user_id: str | None = None,
        include_global: bool = False,
        limit: int = 100,
        page: int = 1,
        sort_by: str | None = None,
        sort_order: str | None = None,
        **about: Unpack[About],
    ) -> tuple[list[Record], int]:
        """One page of the learnings that match, latest first unless asked otherwise, and how many match in all.

        include_global: beside the user's also those without an owner.
        """
        where = _asked(about, learning_type=learning_type)
        found = await self._store.execute(
            Scan(
                table=LEARNINGS,
                where=all_of(where, _visible(user_id, include_global=include_global)),
                order=sorting(SPEC, sort_by or "updated_at", sort_order or "desc"),
                limit=limit,
                offset=offset_of(limit, page),
                total=True,
            )
        )
        return found.records, found.total or 0

    async def get_learnings_user_stats(
        self,
        learning_type: str | None = None,
        limit: int | None = None,
        page: int | None = None,
        user_id: str | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
    ) -> tuple[list[Record], int]:
        """Per user, when the last learning changed, latest first unless asked otherwise; and how many users in all.

        sort_by: "user_id" or "last_learning_updated_at", which stands in for anything else.
        """
        owner = not_null("user_id") if user_id is None else eq("user_id", user_id)
        sorted_by = "user_id" if sort_by == "user_id" else LAST_UPDATED
        counted = await self._store.execute(
            Aggregate(
                table=LEARNINGS,
                by={"user_id": Field("user_id")},
                measures=(Computed(name=LAST_UPDATED, measure=Measure.MAX, field=Field("updated_at")),),
                where=all_of(owner, equals(learning_type=learning_type)),
                order=(Order(Field(sorted_by), descending=sort_order != "asc"),),
                limit=limit,
                offset=offset_of(limit, page),
                total=True,
            )
        )
        return counted.records, counted.total or 0

    async def upsert_learning(
        self,
        id: str,  # noqa: A002
        learning_type: str,
        content: Record,
        user_id: str | None = None,
        agent_id: str | None = None,
        team_id: str | None = None,
        session_id: str | None = None,
        namespace: str | None = None,
        entity_id: str | None = None,
        entity_type: str | None = None,
        metadata: Record | None = None,
    ) -> None:
        """Store the learning. A stored one gets the new content and metadata and keeps everything else.

        A learning of another owner raises `ForeignOwner` and stays.
        """
        now = self._now()
        record: Record = {
            "learning_id": id,
            "learning_type": learning_type,
            "namespace": namespace,
            "user_id": user_id,
            "agent_id": agent_id,
            "team_id": team_id,
            "workflow_id": None,
            "session_id": session_id,
            "entity_id": entity_id,
            "entity_type": entity_type,
            "content": content,
            "metadata": metadata,
            "created_at": now,
            "updated_at": now,
        }
        owned = user_id is not None
        answers = await self._store.execute(
            # Without an owner nothing can be refused, so no answer is needed.
            Upsert(table=LEARNINGS, records=(record,), rules=ON_CONFLICT, guard=GUARD, returning=owned)
        )
        if owned and answers[0] is None:
            raise ForeignOwner(f"learning {id} belongs to another owner and was left as it is")

    async def update_learning(self, id: str, content: Record, metadata: Record | None = None) -> bool:  # noqa: A002
        """Whether there was such a learning; if so, it has the new content and metadata."""
        changed = await self._store.execute(
            Update(
                table=LEARNINGS,
                where=eq("learning_id", id),
                changes={"content": content, "metadata": metadata, "updated_at": self._now()},
                returning=False,
            )
        )
        return bool(changed)

    async def delete_learning(self, id: str) -> bool:  # noqa: A002
        """Whether there was such a learning to delete."""
        return await self._store.execute(Delete(table=LEARNINGS, where=eq("learning_id", id))) > 0

    async def delete_user_learnings(self, user_id: str, learning_type: str | None = None) -> int:
        """How many learnings of this user, of this type if one is given, were deleted."""
        where = all_of(eq("user_id", user_id), equals(learning_type=learning_type))
        return await self._store.execute(Delete(table=LEARNINGS, where=where))


def _asked(about: About, **beside: str | None) -> Filter:
    return equals(**beside, **cast("dict[str, str | None]", about))


def _visible(user_id: str | None, *, include_global: bool) -> Filter:
    if user_id is None:
        return EVERYTHING
    own = eq("user_id", user_id)
    return any_of(own, is_null("user_id")) if include_global else own
