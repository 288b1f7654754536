"""The texts of offloaded tool results: they lie in file systems of agno's, and go with their session.

agno registers each file system on the db (`tool_result_filesystems`). Removing a text is done after the session is
gone, as agno does it: a file system that is away keeps nobody from deleting a session, and is told of in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from dbrouter.backends.kernel.filters import one_of
from dbrouter.backends.kernel.ops import Scan

if TYPE_CHECKING:
    from dbrouter.router.families.context import Context

logger = logging.getLogger("dbrouter.sessions")

REGISTERED = "tool_result_filesystems"

Text: TypeAlias = tuple[str, str]
"""A text's namespace and path."""


class Payloads:
    """Finds and removes the texts of sessions."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._registered = context.registered

    async def of(self, session_ids: Sequence[str]) -> list[Text]:
        """Where the texts of these sessions are, as long as their entries are there."""
        found = await self._store.execute(
            Scan(table="tool_results", where=one_of("session_id", list(session_ids)), columns=("namespace", "path"))
        )
        return [(str(entry["namespace"]), str(entry["path"])) for entry in found.records]

    async def remove(self, texts: Sequence[Text]) -> None:
        """Remove these texts from every registered file system. What is in none of them is named in the log."""
        if not texts:
            return
        backends = [each.backend for each in self._registered.get(REGISTERED) or ()]
        left = [text for text in texts if not await self._removed(text, backends)]
        if left:
            logger.warning(
                "%d of %d texts of deleted sessions' tool results were not found in the %d file systems that this "
                "process has registered, and stay where they are: %s",
                len(left), len(texts), len(backends), ", ".join("/".join(each) for each in left[:3]),
            )  # fmt: skip

    async def _removed(self, text: Text, backends: Sequence[Any]) -> bool:
        """Whether any of the file systems had the text."""
        from dbrouter.router.agno_files import FileSystem

        namespace, path = text
        had = False
        for backend in backends:
            files: Any = FileSystem(backend=backend, namespace=namespace)
            try:
                had |= files.delete(path) if self._store.runtime.blocking else await files.adelete(path)
            except Exception:
                # The session is deleted already; another file system may have the text.
                logger.warning("a deleted session's tool result %s/%s was not removed", *text, exc_info=True)
        return had
