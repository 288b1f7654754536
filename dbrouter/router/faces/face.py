"""What every face has under it: agno's base class of its mode, and the programs it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbrouter.router.agno_types import AsyncBaseDb, BaseDb

if TYPE_CHECKING:
    from dbrouter.router.families.programs import Programs


class SyncFace(BaseDb):
    """A `BaseDb` whose methods are programs on a blocking store."""

    _families: Programs


class AsyncFace(AsyncBaseDb):
    """An `AsyncBaseDb` whose methods are programs on an awaited store."""

    _families: Programs

    @property
    def _blocking(self) -> Programs:
        """The same programs on a blocking store, for what agno calls without awaiting it."""
        raise NotImplementedError
