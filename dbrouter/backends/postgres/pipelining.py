"""Several statements in one exchange, by psycopg's pipeline without its last message.

psycopg asks for a flush behind the sync that ends a pipeline. The sync flushes too, and a pooler such as PgBouncer has
often answered it and taken its server back by then: the flush is given another one, which nothing takes back until the
client's next call.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from psycopg import AsyncConnection, AsyncPipeline, Connection, Pipeline


class _Unflushed(Pipeline):
    def _exit_gen(self) -> Any:
        return _ended(self)


class _AsyncUnflushed(AsyncPipeline):
    def _exit_gen(self) -> Any:
        return _ended(self)


def pipeline(connection: Connection[Any]) -> AbstractContextManager[Pipeline]:
    """`connection.pipeline()`, which ends with its sync."""
    if connection._pipeline is None:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # psycopg has no other way in
        connection._pipeline = _Unflushed(connection)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return connection.pipeline()


def async_pipeline(connection: AsyncConnection[Any]) -> AbstractAsyncContextManager[AsyncPipeline]:
    """The same for event loops."""
    if connection._pipeline is None:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        connection._pipeline = _AsyncUnflushed(connection)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return connection.pipeline()


def _ended(pipeline: Any) -> Any:
    """As psycopg ends a pipeline, but for the flush."""
    try:
        pipeline._enqueue_sync()  # noqa: SLF001
        yield from pipeline._communicate_gen()  # noqa: SLF001
    finally:
        yield from pipeline._fetch_gen(flush=False)  # noqa: SLF001
