"""A vector database without vectors: it finds documents by the words they share with the query, in memory.

Enough for agno's `Knowledge` to take content in, find it again and delete it, without a network or an embedder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agno.vectordb.base import VectorDb

if TYPE_CHECKING:
    from collections.abc import Callable

    from agno.knowledge.document import Document

__all__ = ["WordShelf"]

Placed = tuple[str, str | None, "Document"]
"""Content hash, owner, document."""


class WordShelf(VectorDb):
    """Keeps documents in a list; `None` as owner is the shared shelf, and searches every shelf."""

    def __init__(self) -> None:
        """Start with nothing on the shelf."""
        super().__init__(name="words")
        self._placed: list[Placed] = []

    def create(self) -> None:
        """Nothing to create: the shelf is there."""

    async def async_create(self) -> None:
        """Nothing to create: the shelf is there."""

    def exists(self) -> bool:
        """Say that the shelf is there."""
        return True

    async def async_exists(self) -> bool:
        """Say that the shelf is there."""
        return True

    def name_exists(self, name: str) -> bool:
        """Whether a document has that name."""
        return any(document.name == name for _, _, document in self._placed)

    def async_name_exists(self, name: str) -> bool:
        """Whether a document has that name."""
        return self.name_exists(name)

    def id_exists(self, id: str) -> bool:  # noqa: A002 - agno's word
        """Whether a document has that id."""
        return any(document.id == id for _, _, document in self._placed)

    def content_hash_exists(self, content_hash: str, user_id: str | None = None) -> bool:
        """Whether the owner has that content already."""
        return any((kept, owner) == (content_hash, user_id) for kept, owner, _ in self._placed)

    def insert(
        self,
        content_hash: str,
        documents: list[Document],
        filters: dict[str, Any] | None = None,
        user_id: str | None = None,
    ) -> None:
        """Put the documents on the owner's shelf, `filters` being metadata for each."""
        for document in documents:
            document.meta_data = {**document.meta_data, **(filters or {})}
            self._placed.append((content_hash, user_id, document))

    async def async_insert(
        self,
        content_hash: str,
        documents: list[Document],
        filters: dict[str, Any] | None = None,
        user_id: str | None = None,
    ) -> None:
        """Put the documents on the owner's shelf, `filters` being metadata for each."""
        self.insert(content_hash, documents, filters, user_id)

    def upsert_available(self) -> bool:
        """Say that content can be replaced."""
        return True

    def upsert(
        self,
        content_hash: str,
        documents: list[Document],
        filters: dict[str, Any] | None = None,
        user_id: str | None = None,
    ) -> None:
        """Replace the owner's documents of that content."""
        self._drop(lambda placed: placed[:2] == (content_hash, user_id))
        self.insert(content_hash, documents, filters, user_id)

    async def async_upsert(
        self,
        content_hash: str,
        documents: list[Document],
        filters: dict[str, Any] | None = None,
        user_id: str | None = None,
    ) -> None:
        """Replace the owner's documents of that content."""
        self.upsert(content_hash, documents, filters, user_id)

    def search(
        self, query: str, limit: int = 5, filters: dict[str, Any] | None = None, user_id: str | None = None
    ) -> list[Document]:
        """Find the documents that share most words with the query and carry all of that metadata."""
        asked, wanted = _words(query), (filters or {}).items()
        shared = [
            (len(asked & _words(document.content)), document)
            for _, owner, document in self._placed
            if (user_id is None or owner in (None, user_id)) and wanted <= document.meta_data.items()
        ]
        ranked = sorted(shared, key=lambda each: -each[0])
        return [document for count, document in ranked if count][:limit]

    async def async_search(
        self, query: str, limit: int = 5, filters: dict[str, Any] | None = None, user_id: str | None = None
    ) -> list[Document]:
        """Find the documents that share most words with the query and carry all of that metadata."""
        return self.search(query, limit, filters, user_id)

    def drop(self) -> None:
        """Clear the shelf."""
        self._placed.clear()

    async def async_drop(self) -> None:
        """Clear the shelf."""
        self.drop()

    def delete(self) -> bool:
        """Clear the shelf."""
        return self._drop(lambda _: True)

    def delete_by_id(self, id: str) -> bool:  # noqa: A002 - agno's word
        """Remove the document of that id."""
        return self._drop(lambda placed: placed[2].id == id)

    def delete_by_name(self, name: str) -> bool:
        """Remove the documents of that name."""
        return self._drop(lambda placed: placed[2].name == name)

    def delete_by_metadata(self, metadata: dict[str, Any]) -> bool:
        """Remove the documents that carry all of that metadata."""
        return self._drop(lambda placed: metadata.items() <= placed[2].meta_data.items())

    def delete_by_content_id(self, content_id: str, user_id: str | None = None) -> bool:
        """Remove the documents of that content, of one owner or of all."""
        return self._drop(lambda placed: placed[2].content_id == content_id and user_id in (None, placed[1]))

    def update_metadata(self, content_id: str, metadata: dict[str, Any]) -> None:
        """Add the metadata to each document of that content."""
        for _, _, document in self._placed:
            if document.content_id == content_id:
                document.meta_data = {**document.meta_data, **metadata}

    def get_supported_search_types(self) -> list[str]:
        """Name the one kind of search there is."""
        return ["keyword"]

    def _drop(self, goes: Callable[[Placed], bool]) -> bool:
        before = len(self._placed)
        self._placed = [placed for placed in self._placed if not goes(placed)]
        return len(self._placed) < before


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))
