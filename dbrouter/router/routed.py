"""The router as a store: each op goes to the database that its rows belong to, or to all that may hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, assert_never, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.errors import MissingParent, StoreError, Unsupported
from dbrouter.backends.kernel.filters import Filter, In, Related
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Absent,
    Aggregate,
    AnyOp,
    Batch,
    Change,
    Claim,
    Commit,
    Delete,
    Get,
    Insert,
    Key,
    Load,
    Loaded,
    Op,
    Page,
    Put,
    Remove,
    Require,
    Scan,
    Stored,
    Update,
    Upsert,
    Version,
    Write,
    tables_of,
)
from dbrouter.backends.kernel.relating import answer, answered, related_in
from dbrouter.backends.kernel.running import BlockingRuntime, Runtime
from dbrouter.backends.kernel.store import Store
from dbrouter.router.directory import Directory
from dbrouter.router.gathering import all_of_them, grouped, scanned
from dbrouter.router.placing import Placing
from dbrouter.router.routes import Component, Routes

R = TypeVar("R")


class RoutedStore:
    """A store over named databases. Families served by one database cost nothing but a look-up."""

    def __init__(
        self,
        databases: Mapping[str, Store],
        routes: Routes,
        *,
        directory: Directory | None = None,
        bound: Component | None = None,
    ) -> None:
        self._databases = dict(databases)
        self.routes = routes
        self._directory = directory or Directory()
        self.runtime: Runtime = next(iter(self._databases.values())).runtime
        self._placing = Placing(self._databases, routes, self._directory, self.runtime, bound)

    @property
    def capabilities(self) -> Capabilities:
        """Everything: each database stands behind the kernel's emulation."""
        return EVERYTHING_NATIVE

    def bound(self, component: Component) -> RoutedStore:
        """This store for the calls of one component: its databases first, and its own for what names no component."""
        return RoutedStore(self._databases, self.routes, directory=self._directory, bound=component)

    def physical_name(self, table: str) -> str:
        """What the table is called in its family's default database."""
        names = self.routes.databases(TABLES[table].family) or tuple(self._databases)
        return self._databases[names[0]].physical_name(table)

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of all tables in all databases."""
        found = await self.runtime.gather([store.existing_tables for store in self._databases.values()])
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return frozenset().union(*cast("list[frozenset[str]]", found))

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Create each table in every database that can hold it."""
        for name, store in self._databases.items():
            held = tuple(table for table in tables if name in self.routes.databases(TABLES[table].family))
            if held:
                await store.create_tables(held)

    async def ping(self) -> None:
        """Return if every database answers."""
        for store in self._databases.values():
            await store.ping()

    async def close(self) -> None:
        """Close every database. One that fails does not keep the others open."""
        failures: list[Exception] = []
        # One after the other: the runtime is a database's, which may end its threads as it closes.
        for store in self._databases.values():
            try:
                await store.close()
            except Exception as failure:  # noqa: BLE001  # raised when all are closed
                failures.append(failure)
        if isinstance(self.runtime, BlockingRuntime):
            self.runtime.close()
        if failures:
            raise failures[0]

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer."""
        known = cast("AnyOp", op)
        names = self._placing.candidates(tables_of(known)[0])
        if len(names) == 1 and not _crosses_families(known):
            return await self._databases[names[0]].execute(op)
        return cast("R", await self._spread(known))

    async def _spread(self, op: AnyOp) -> Any:
        match op:
            case Get() | Load():
                return await self._found(replace(op, where=await self._within_family(op.table, op.where)))
            case Scan():
                return await self._listed(replace(op, where=await self._within_family(op.table, op.where)))
            case Aggregate():
                return await self._listed(await self._with_answers(op))
            case Insert() | Upsert() | Commit() | Batch():
                return await self._written(op)
            case Update():
                return [record for part in await self._everywhere(op) for record in cast("list[Record]", part)]
            case Delete():
                return sum(cast("list[int]", await self._everywhere(op)))
            case Claim():
                return await self._claimed(op)
            case _:
                assert_never(op)

    async def _found(self, op: Get | Load) -> Stored | Loaded | None:
        """The record from wherever it is: the likely database first, then all others at once."""
        names = self._placing.asked(op.table, op.where, op.key)
        first, rest = names[:1], names[1:]
        if rest and not self._is_likely(op.table, op.key):
            first, rest = names, ()
        found = await self._first_of(first, op)
        if found is None and rest:
            self._placing.forget(op.table, op.key)
            found = await self._first_of(rest, op)
        return found

    async def _listed(self, op: Scan | Aggregate) -> Page:
        """The page from wherever such records are."""
        page = await self._paged(op)
        if _is_empty(op, page) and not await self._placing.is_proven(op.table, op.where):
            # What they follow is not where it was: they were looked for in the wrong place.
            page = await self._paged(op)
        return page

    async def _paged(self, op: Scan | Aggregate) -> Page:
        stores = self._stores(op.table, op.where)
        if len(stores) == 1:
            return await stores[0].execute(op)
        if isinstance(op, Scan):
            return await scanned(self.runtime, stores, op)
        return await grouped(self.runtime, stores, op)

    def _is_likely(self, table: str, key: Key) -> bool:
        return self._directory.place(table, key) is not None or self._placing.is_bound

    async def _first_of(self, names: Sequence[str], op: Get | Load) -> Stored | Loaded | None:
        asked = [lambda name=name: self._databases[name].execute(op) for name in names]
        outcomes: list[Any] = [await asked[0]()] if len(asked) == 1 else await self.runtime.gather(asked)
        for name, outcome in zip(names, outcomes, strict=True):
            if isinstance(outcome, Stored | Loaded):
                self._placing.remember(op.table, {**outcome.record, **_key_columns(op.table, op.key)}, name)
                return outcome
        for outcome in outcomes:
            # Found nowhere, but one did not answer: that is not "there is none".
            if isinstance(outcome, BaseException):
                raise outcome
        return None

    async def _written(self, op: Insert | Upsert | Commit | Batch) -> Any:
        try:
            return await self._placed(op)
        except MissingParent:
            # Perhaps only where its session was seen last: then it goes where the session is now.
            forgotten = [self._placing.forget_leaders(table, records) for table, records in _followers(op)]
            if not any(forgotten):
                raise
        return await self._placed(op)

    async def _placed(self, op: Insert | Upsert | Commit | Batch) -> Any:
        match op:
            case Insert():
                return await self._inserted(op)
            case Upsert():
                return await self._upserted(op)
            case Commit():
                return await self._committed(op)
            case Batch():
                return await self._batched(op)

    async def _upserted(self, op: Upsert) -> list[Stored | None]:
        answers: list[Stored | None] = [None] * len(op.records)
        homes = await self._placing.homes(op.table, op.records, fresh=False, checked=_is_version(op.expect))
        empty = False
        for name, positions in _by_home(homes).items():
            part = replace(op, records=tuple(op.records[each] for each in positions))
            stored = await self._databases[name].execute(part)
            for each in part.records:
                self._placing.remember(op.table, each, name)
            empty = not stored
            for position, one in zip(positions, stored, strict=False):
                answers[position] = one
        return [] if empty or not op.records else answers

    async def _inserted(self, op: Insert) -> None:
        parts = _by_home(await self._placing.homes(op.table, op.records, fresh=True))
        if len(parts) > 1:
            raise Unsupported(
                f"{op.table}: these records belong to {', '.join(parts)}, not to one database; insert them apart"
            )
        for name in parts:
            await self._databases[name].execute(op)
            for each in op.records:
                self._placing.remember(op.table, each, name)

    async def _everywhere(self, op: Update | Delete) -> list[Any]:
        """What every database that can hold such records did."""
        op = replace(op, where=await self._within_family(op.table, op.where))
        try:
            done = await self._done(op)
            if not any(done) and not await self._placing.is_proven(op.table, op.where):
                done = await self._done(op)
        finally:
            # Whatever was deleted may be stored anew, anywhere; of an error nobody knows what it left.
            if isinstance(op, Delete):
                self._placing.forget_named(op.table, op.where)
        return done

    async def _done(self, op: Update | Delete) -> list[Any]:
        stores = self._stores(op.table, op.where)
        key = self._placing.key_in(op.table, op.where)
        if key is None:
            return await all_of_them(self.runtime, [(store, cast("Op[Any]", op)) for store in stores])
        first, rest = (stores[:1], stores[1:]) if self._is_likely(op.table, key) else (stores, [])
        done = await self._done_by_one(first, op)
        if rest and not any(done):
            done = await self._done_by_one(rest, op)
            if any(done):
                self._placing.forget(op.table, key)
        return done

    async def _done_by_one(self, stores: Sequence[Store], op: Update | Delete) -> list[Any]:
        """What was done to one record, wherever it is. A database that is away matters only if no other has it."""
        outcomes: list[Any] = await self.runtime.gather([lambda store=store: store.execute(op) for store in stores])
        answers = [each for each in outcomes if not isinstance(each, BaseException)]
        if not any(answers):
            for each in outcomes:
                if isinstance(each, BaseException):
                    raise each
        return answers

    async def _claimed(self, op: Claim) -> Record | None:
        """A claim from any database; the start moves on with every call, so that none is served last for ever."""
        stores = self._placing.rotated(op.table)
        failed: StoreError | None = None
        for name in stores:
            try:
                claimed = await self._databases[name].execute(op)
            except StoreError as error:
                failed = failed or error
                continue
            if claimed is not None:
                self._placing.remember(op.table, claimed, name)
                return claimed
        if failed is not None:
            raise failed
        return None

    async def _committed(self, op: Commit) -> Any:
        homes: list[str] = []
        for write in op.writes:
            checked = isinstance(write, Change | Require) or _is_version(write.expect)
            homes.extend(await self._placing.homes(write.table, [_record(write)], fresh=False, checked=checked))
        places = dict.fromkeys(homes)
        if len(places) > 1:
            raise Unsupported(
                f"a commit of {', '.join(tables_of(op))} spans the databases {', '.join(places)}; route them together"
            )
        versions = await self._databases[homes[0]].execute(op)
        for write in op.writes:
            if isinstance(write, Remove):
                self._placing.forget(write.table, write.key)
        return versions

    async def _batched(self, op: Batch) -> None:
        parts: dict[str, list[Upsert]] = {}
        sure: set[tuple[str, Key]] = set()
        for upsert in op.upserts:
            homes = await self._placing.homes(upsert.table, upsert.records, fresh=False, sure=sure)
            sure |= {(upsert.table, _key(upsert.table, each)) for each in upsert.records}
            for name, positions in _by_home(homes).items():
                records = tuple(upsert.records[each] for each in positions)
                parts.setdefault(name, []).append(replace(upsert, records=records))
                for each in records:
                    # At once, so that what follows these records in this batch goes with them.
                    self._placing.remember(upsert.table, each, name)
        await all_of_them(
            self.runtime, [(self._databases[name], Batch(upserts=tuple(upserts))) for name, upserts in parts.items()]
        )

    def _stores(self, table: str, where: Filter) -> list[Store]:
        proven = self._placing.proven(table, where)
        names = (proven,) if proven is not None else self._placing.asked(table, where)
        return [self._databases[name] for name in names]

    async def _with_answers(self, op: Aggregate) -> Aggregate:
        """The op with its questions answered: those of its measures all, for they may be computed here."""
        measures = [
            replace(each, where=answered(each.where, await self._answers(related_in(each.where))))
            for each in op.measures
        ]
        return replace(op, where=await self._within_family(op.table, op.where), measures=tuple(measures))

    async def _within_family(self, table: str, where: Filter) -> Filter:
        """The filter with questions to tables of other families answered first: those may be in other databases."""
        asked = [each for each in related_in(where) if _leaves(TABLES[table].family, each)]
        return answered(where, await self._answers(asked)) if asked else where

    async def _answers(self, questions: Iterable[Related]) -> dict[Related, In]:
        answers: dict[Related, In] = {}
        for question in questions:
            scan = Scan(table=question.table, where=question.where, columns=(question.key,))
            page = await self.execute(scan)
            answers[question] = answer(question, (record[question.key] for record in page.records))
        return answers


def _leaves(family: str, question: Related) -> bool:
    """Whether a question, or one within it, is about a table of another family."""
    return TABLES[question.table].family != family or any(_leaves(family, each) for each in related_in(question.where))


def _crosses_families(op: AnyOp) -> bool:
    family, *others = (TABLES[table].family for table in tables_of(op))
    if any(each != family for each in others):
        return True
    filters = [getattr(op, "where", None), *(each.where for each in getattr(op, "measures", ()))]
    return any(_leaves(family, question) for where in filters if where is not None for question in related_in(where))


def _by_home(homes: Sequence[str]) -> dict[str, list[int]]:
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(homes):
        positions.setdefault(name, []).append(position)
    return positions


def _record(write: Write) -> Record:
    """What is known of the record that is written."""
    return write.record if isinstance(write, Put) else _key_columns(write.table, write.key)


def _followers(op: Insert | Upsert | Commit | Batch) -> list[tuple[str, Sequence[Record]]]:
    """The tables and records that are written and may follow others."""
    match op:
        case Insert() | Upsert():
            return [(op.table, op.records)]
        case Commit():
            return [(write.table, [write.record]) for write in op.writes if isinstance(write, Put)]
        case Batch():
            return [(each.table, each.records) for each in op.upserts]


def _is_version(expect: Version | Absent | None) -> bool:
    return expect is not None and expect is not ABSENT


def _is_empty(op: Scan | Aggregate, page: Page) -> bool:
    """Whether nothing matched. Where there are no groups, there may be one of nothing."""
    if isinstance(op, Aggregate):
        return not any(record[each.name] for record in page.records for each in op.measures)
    return not page.records and not page.total


def _key(table: str, record: Record) -> Key:
    return tuple(record.get(column) for column in TABLES[table].key)


def _key_columns(table: str, key: Key) -> Record:
    return dict(zip(TABLES[table].key, key, strict=True))
