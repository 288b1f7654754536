"""Shorter words for what nearly every test asks of a store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.filters import EVERYTHING, Filter
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Get, Insert, Key, Scan, Stored, Version
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.store import Store

T = TypeVar("T")


async def insert(store: Store, table: str, *records: Record) -> None:
    """Store new records: at once, or one by one where the store is not atomic over several."""
    for some in [records] if store.capabilities.together else [(record,) for record in records]:
        await store.execute(Insert(table=table, records=some))


async def found(store: Store, table: str, where: Filter = EVERYTHING) -> set[Any]:
    """The first key column of every record that matches."""
    page = await store.execute(Scan(table=table, where=where))
    return {record[TABLES[table].key[0]] for record in page.records}


async def listed(store: Store, scan: Scan) -> list[Any]:
    """The first key column of a scan's records, in order."""
    page = await store.execute(scan)
    return [record[TABLES[scan.table].key[0]] for record in page.records]


async def stored(store: Store, table: str, *key: Any) -> Stored:
    """The record with this key, which is there, and its version."""
    answer = await store.execute(Get(table=table, key=key, versioned=True))
    assert answer is not None, f"{table} {key} is not stored"
    return answer


async def record_of(store: Store, table: str, *key: Any) -> Record:
    """The record with this key, which is there."""
    return (await stored(store, table, *key)).record


async def version_of(store: Store, table: str, *key: Any) -> Version:
    """The version of the record with this key, which is there."""
    return (await stored(store, table, *key)).version


async def is_stored(store: Store, table: str, key: Key) -> bool:
    """Whether there is a record with this key."""
    return await store.execute(Get(table=table, key=key)) is not None


async def at_once(store: Store, calls: Sequence[Callable[[], Coroutine[Any, Any, T]]]) -> list[T | BaseException]:
    """Run all calls at the same moment, each on a thread or, for an async store, each as a task.

    Answers each result or error, in order.
    """
    if not store.runtime.blocking:
        return await asyncio.gather(*(call() for call in calls), return_exceptions=True)
    start = threading.Barrier(len(calls))

    def outcome(call: Callable[[], Coroutine[Any, Any, T]]) -> T | BaseException:
        start.wait()
        try:
            return finish(call())
        except Exception as error:  # noqa: BLE001  # the caller judges each outcome
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(outcome, calls))


async def all_well(outcomes: Awaitable[Sequence[T | BaseException]]) -> list[T]:
    """The results of calls of which none may fail; raises the first error."""
    results: list[T] = []
    for outcome in await outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        results.append(outcome)
    return results
