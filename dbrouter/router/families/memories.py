"""What agents remember about users."""

from __future__ import annotations

from uuid import uuid4

from dbrouter.backends.kernel.agno_tables.memories import MEMORIES as SPEC
from dbrouter.backends.kernel.errors import ForeignOwner
from dbrouter.backends.kernel.filters import (
    EVERYTHING,
    Contains,
    Field,
    Filter,
    HasItem,
    all_of,
    eq,
    equals,
    not_null,
    one_of,
)
from dbrouter.backends.kernel.matching import as_text
from dbrouter.backends.kernel.merging import Fill, Keep, OwnerGuard, Record, Replace, Rule
from dbrouter.backends.kernel.ops import ABSENT, Aggregate, Computed, Delete, Get, Measure, Order, Scan, Stored, Upsert
from dbrouter.router.agno_types import UserMemory
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import offset_of, sorting

MEMORIES = SPEC.name

ON_CONFLICT: dict[str, Rule] = {
    **dict.fromkeys(("memory", "topics", "input", "agent_id", "team_id", "feedback", "updated_at"), Replace()),
    **dict.fromkeys(("created_at", "user_id"), Keep()),
}
ON_BULK_CONFLICT: dict[str, Rule] = {**ON_CONFLICT, "user_id": Fill()}
"""As agno's bulk write, which also sets the owner; ours gives one to an unowned memory and takes none away."""

GUARD = OwnerGuard("user_id", claim=True, unscoped=True)

OLDEST_FIRST = (Order(Field("created_at")),)
"""An agent is told its memories in this order, as by agno's SQL classes, whose databases keep rows as they came."""

STATS = (
    Computed(name="total_memories", measure=Measure.COUNT),
    Computed(name="last_memory_updated_at", measure=Measure.MAX, field=Field("updated_at")),
)


class Memories:
    """Keeps memories, each of one user."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def get_user_memory(
        self, memory_id: str, deserialize: bool | None = True, user_id: str | None = None
    ) -> UserMemory | Record | None:
        """The memory, or `None` if there is none with this id (and this owner, if one is given)."""
        stored = await self._store.execute(Get(table=MEMORIES, key=(memory_id,), where=equals(user_id=user_id)))
        return None if stored is None else _shaped(stored.record, deserialize)

    async def get_user_memories(
        self,
        user_id: str | None = None,
        agent_id: str | None = None,
        team_id: str | None = None,
        topics: list[str] | None = None,
        search_content: str | None = None,
        limit: int | None = None,
        page: int | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
        deserialize: bool | None = True,
    ) -> list[UserMemory] | tuple[list[Record], int]:
        """The memories that match; as dicts, together with how many match in all.

        topics: all of them. search_content: text the memory holds, ignoring case.
        """
        found = await self._store.execute(
            Scan(
                table=MEMORIES,
                where=all_of(
                    equals(user_id=user_id, agent_id=agent_id, team_id=team_id),
                    *(HasItem("topics", topic) for topic in topics or ()),
                    EVERYTHING if search_content is None else Contains(Field("memory"), search_content),
                ),
                order=sorting(SPEC, sort_by, sort_order, default=OLDEST_FIRST, plain_text="memory"),
                limit=limit,
                offset=offset_of(limit, page),
                total=not deserialize,
            )
        )
        if not deserialize:
            return found.records, found.total or 0
        return [UserMemory.from_dict(record) for record in found.records]

    async def get_all_memory_topics(self, user_id: str | None = None) -> list[str]:
        """Every topic of any memory, of this user's if one is given, once and sorted."""
        found = await self._store.execute(
            Scan(table=MEMORIES, where=all_of(equals(user_id=user_id), not_null("topics")), columns=("topics",))
        )
        lists = [record["topics"] for record in found.records if isinstance(record["topics"], list)]
        return sorted({as_text(topic) for topics in lists for topic in topics if topic is not None})

    async def get_user_memory_stats(
        self, limit: int | None = None, page: int | None = None, user_id: str | None = None
    ) -> tuple[list[Record], int]:
        """Per user, how many memories and when the last one changed, latest first; and how many users in all.

        Memories without an owner are left out.
        """
        counted = await self._store.execute(
            Aggregate(
                table=MEMORIES,
                by={"user_id": Field("user_id")},
                measures=STATS,
                where=_owned(user_id),
                order=(Order(Field("last_memory_updated_at"), descending=True),),
                limit=limit,
                offset=offset_of(limit, page),
                total=True,
            )
        )
        return counted.records, counted.total or 0

    async def upsert_user_memory(self, memory: UserMemory, deserialize: bool | None = True) -> UserMemory | Record:
        """The memory as it is stored now. Without an id it gets one, also on the given object.

        A new memory is dated as it says; a changed one keeps its creation and its owner and is dated now.
        A memory of another owner raises `ForeignOwner` and stays.
        """
        memory.memory_id = memory.memory_id or str(uuid4())
        now = self._now()
        dated = _first_date(memory, now)
        stored: Stored | None = None
        if dated != now:
            # The two cases leave different dates, which one merge rule cannot say. Rare: an import, a re-saved object.
            (stored,) = await self._store.execute(
                Upsert(table=MEMORIES, records=(_record(memory, dated, now),), rules=ON_CONFLICT, expect=ABSENT)
            )
        if stored is None:
            (stored,) = await self._store.execute(
                Upsert(table=MEMORIES, records=(_record(memory, now, now),), rules=ON_CONFLICT, guard=GUARD)
            )
        if stored is None:
            raise _foreign([memory.memory_id])
        return _shaped(stored.record, deserialize)

    async def upsert_memories(
        self,
        memories: list[UserMemory],
        deserialize: bool | None = True,
        preserve_updated_at: bool = False,
    ) -> list[UserMemory | Record]:
        """The memories as they are stored now, dated now or, with `preserve_updated_at`, as each one says.

        If some belong to another owner, those stay, the others are written, and `ForeignOwner` names the refused.
        """
        if not memories:
            return []
        now = self._now()
        for memory in memories:
            memory.memory_id = memory.memory_id or str(uuid4())
        records = tuple(_record(each, each.updated_at if preserve_updated_at else now, now) for each in memories)
        answers = await self._store.execute(
            Upsert(table=MEMORIES, records=records, rules=ON_BULK_CONFLICT, guard=GUARD)
        )
        refused = [record["memory_id"] for record, answer in zip(records, answers, strict=True) if answer is None]
        if refused:
            raise _foreign(refused)
        return [_shaped(answer.record, deserialize) for answer in answers if answer is not None]

    async def delete_user_memory(self, memory_id: str, user_id: str | None = None) -> None:
        """Delete the memory, only this owner's if one is given."""
        await self._store.execute(Delete(table=MEMORIES, where=equals(memory_id=memory_id, user_id=user_id)))

    async def delete_user_memories(self, memory_ids: list[str], user_id: str | None = None) -> None:
        """Delete these memories, only this owner's if one is given."""
        await self._store.execute(
            Delete(table=MEMORIES, where=all_of(one_of("memory_id", memory_ids), equals(user_id=user_id)))
        )

    async def clear_memories(self) -> None:
        """Delete every memory of every user."""
        await self._store.execute(Delete(table=MEMORIES, where=EVERYTHING))


def _first_date(memory: UserMemory, now: int) -> int:
    if memory.updated_at is not None:
        return memory.updated_at
    return now if memory.created_at is None else memory.created_at


def _record(memory: UserMemory, updated_at: int | None, now: int) -> Record:
    return {
        "memory_id": memory.memory_id,
        "memory": memory.memory,
        "feedback": memory.feedback,
        "input": memory.input,
        "agent_id": memory.agent_id,
        "team_id": memory.team_id,
        "user_id": memory.user_id,
        "topics": memory.topics,
        "created_at": now if memory.created_at is None else memory.created_at,
        "updated_at": updated_at,
    }


def _owned(user_id: str | None) -> Filter:
    return not_null("user_id") if user_id is None else eq("user_id", user_id)


def _shaped(record: Record, deserialize: bool | None) -> UserMemory | Record:
    return UserMemory.from_dict(record) if deserialize else record


def _foreign(memory_ids: list[str]) -> ForeignOwner:
    return ForeignOwner(f"memories of another owner, left as they are: {', '.join(memory_ids)}")
