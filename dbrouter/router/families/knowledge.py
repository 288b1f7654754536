"""The catalogue of knowledge contents."""

from __future__ import annotations

from dbrouter.backends.kernel.agno_tables.knowledge import KNOWLEDGE as SPEC
from dbrouter.backends.kernel.errors import ForeignOwner
from dbrouter.backends.kernel.filters import EVERYTHING, Filter, all_of, any_of, eq, equals, is_null
from dbrouter.backends.kernel.merging import OwnerGuard, Present
from dbrouter.backends.kernel.ops import Delete, Get, Scan, Upsert
from dbrouter.router.agno_types import KnowledgeRow
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import offset_of, sorting

KNOWLEDGE = SPEC.name
ON_CONFLICT = {column: Present() for column in SPEC.column_names if column not in SPEC.key}
GUARD = OwnerGuard("user_id", claim=False, unscoped=True)


class Knowledge:
    """Keeps the rows that describe what was put into a vector store.

    A row without owner is shared: every user reads it, none may change it.
    """

    def __init__(self, context: Context) -> None:
        self._store = context.store

    async def get_knowledge_content(self, id: str, user_id: str | None = None) -> KnowledgeRow | None:  # noqa: A002
        """The content, or `None` if there is none with this id that the user may read."""
        stored = await self._store.execute(Get(table=KNOWLEDGE, key=(id,), where=_readable(user_id)))
        return None if stored is None else KnowledgeRow.model_validate(stored.record)

    async def get_knowledge_contents(
        self,
        limit: int | None = None,
        page: int | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
        linked_to: str | None = None,
        user_id: str | None = None,
    ) -> tuple[list[KnowledgeRow], int]:
        """The contents that the user may read, and how many there are in all.

        linked_to: only those of this knowledge instance.
        """
        found = await self._store.execute(
            Scan(
                table=KNOWLEDGE,
                where=all_of(equals(linked_to=linked_to), _readable(user_id)),
                order=sorting(SPEC, sort_by, sort_order),
                limit=limit,
                offset=offset_of(limit, page),
                total=True,
            )
        )
        return [KnowledgeRow.model_validate(record) for record in found.records], found.total or 0

    async def upsert_knowledge_content(self, knowledge_row: KnowledgeRow) -> KnowledgeRow:
        """The given row, once it is stored. A column that is `None` leaves a stored value as it is.

        A row with an owner that meets a stored row of another owner, or a shared one, raises `ForeignOwner`;
        a row without owner may change any.
        """
        record = {column: getattr(knowledge_row, column) for column in SPEC.column_names}
        owned = knowledge_row.user_id is not None
        answers = await self._store.execute(
            # Without an owner nothing can be refused, so no answer is needed.
            Upsert(table=KNOWLEDGE, records=(record,), rules=ON_CONFLICT, guard=GUARD, returning=owned)
        )
        if owned and answers[0] is None:
            raise ForeignOwner(f"Knowledge content {knowledge_row.id} not found")
        return knowledge_row

    async def delete_knowledge_content(self, id: str, user_id: str | None = None) -> None:  # noqa: A002
        """Delete the content; with a user, only if that user owns it (a shared row stays)."""
        await self._store.execute(Delete(table=KNOWLEDGE, where=equals(id=id, user_id=user_id)))


def _readable(user_id: str | None) -> Filter:
    return EVERYTHING if user_id is None else any_of(eq("user_id", user_id), is_null("user_id"))
