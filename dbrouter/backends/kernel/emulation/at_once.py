"""Independent requests of one op, made at once: an op costs one wait, however many requests it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from dbrouter.backends.kernel.completing import key_in, projected, with_text
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Get, GetMany, Key
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.backends.kernel.tables import TableSpec

T = TypeVar("T")

A_FEW = 16
"""Records that one op writes at the same time: as many as a blocking call has threads for."""
SOME = 32
"""Records that one op reads at the same time, each by its key."""


async def at_once(runtime: Runtime, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """The results of all calls, in order. Raises the first error, after all have ended."""
    if len(calls) == 1:
        return [await calls[0]()]
    results: list[T] = []
    for outcome in await runtime.gather(calls):
        if isinstance(outcome, BaseException):
            raise outcome
        results.append(outcome)
    return results


async def a_few_at_once(runtime: Runtime, calls: Sequence[Callable[[], Awaitable[T]]], few: int = A_FEW) -> list[T]:
    """The results of all calls, in order, a few at the same time. After an error no more are begun."""
    results: list[T] = []
    for start in range(0, len(calls), few):
        results += await at_once(runtime, calls[start : start + few])
    return results


async def many(
    store: Store, table: str, keys: Sequence[Key], columns: tuple[str, ...] | None, raw: frozenset[str]
) -> list[Record]:
    """The records with these keys, in this order, without those that are not there."""
    if len(keys) > 1 and store.capabilities.many:
        found = await store.execute(GetMany(table=table, keys=tuple(keys), columns=columns, raw=raw))
        return [record for record in found if record is not None]

    async def one(key: Key) -> Record | None:
        stored = await store.execute(Get(table=table, key=key))
        return None if stored is None else projected(with_text(stored.record, raw), columns)

    found = await a_few_at_once(store.runtime, [partial(one, key) for key in keys], SOME)
    return [record for record in found if record is not None]


def each_once(spec: TableSpec, found: Sequence[list[Record]]) -> list[Record]:
    """All records of several readings: one that changed from one reading's to the next one's meanwhile is in both."""
    if len(found) == 1:
        return found[0]
    return list({key_in(spec, record): record for records in found for record in records}.values())
