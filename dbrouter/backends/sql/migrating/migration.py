"""Bringing one schema, file or tenant's place to today's shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.errors import Duplicate, StoreError
from dbrouter.backends.kernel.legacy_runs import uncopied_since
from dbrouter.backends.kernel.migrating import LEGACY_RUNS, TODAY, UNSTAMPED, Step, Told, Work, is_older
from dbrouter.backends.sql.connections import MissingTable, Unit
from dbrouter.backends.sql.migrating.changes import Changes
from dbrouter.backends.sql.migrating.differences import Compared, indexes_of, shape_steps, stamp_steps, uniques_of
from dbrouter.backends.sql.migrating.moving import copy_runs, forget_runs
from dbrouter.backends.sql.migrating.rebuilding import rebuilt, unfinished_day
from dbrouter.backends.sql.migrating.shape import TableShape, shapes
from dbrouter.backends.sql.migrating.unmoved import holding_runs
from dbrouter.backends.sql.migrating.wrapped import how_many, unwrapping
from dbrouter.backends.sql.schema import built
from dbrouter.backends.sql.statements import Statement
from dbrouter.backends.sql.store import SqlStore


class SqlMigration:
    """The migration of what one SQL store speaks to. definer: what DDL goes over, as in the store's catalog."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._dialect = store.dialect
        self._changes: Changes = store.dialect.changes()
        self._definer = store.catalog.definer

    async def plan(self) -> tuple[Step, ...]:
        """What is left to do, in order."""
        found = await self._shapes()
        tables = {each.spec.name: each for each in self._compared(found, await self._stamps(found))}
        steps = [step for each in tables.values() for step in shape_steps(each, self._changes)]
        steps += [step async for step in self._run_steps(tables)]
        steps += [step async for step in self._json_steps(tables)]
        steps += [replace(step, work=Work.STAMP, name=TODAY) for step in steps if step.work is Work.TABLE]
        steps += [step for each in tables.values() for step in stamp_steps(each)]
        return tuple(steps)

    async def take(self, step: Step, told: Told) -> None:
        """Take one step, unless somebody else has."""
        try:
            await self._take(step, told)
        except StoreError as error:
            # Two that migrate at once take the same steps. Whoever is late finds it done.
            if step in await self.plan():
                raise _explained(step, error) from error
        self._store.catalog.forget()

    async def forget_legacy_runs(self) -> bool:
        """Drop the column that the runs were copied from, if there is one."""
        found = await self._shapes()
        sessions = found.get(self._store.physical_name("sessions"))
        if sessions is None or LEGACY_RUNS not in sessions.columns:
            return False
        if any(step.work in {Work.RUNS, Work.TABLE} for step in await self.plan()):
            raise StoreError("the runs in it were not copied yet; run `dbrouter migrate --apply` first")
        # The stamp says that they were copied, not that an older agno has written none since.
        stamped = await self._column_of_stamps("updated_at", found)
        since = uncopied_since(stamped.get(self._store.physical_name("sessions")))
        await copy_runs(self._store, self._changes, lambda _: None, since=since)
        await self._define(forget_runs(self._store))
        self._store.catalog.forget()
        return True

    async def _take(self, step: Step, told: Told) -> None:
        match step.work:
            case Work.TABLE:
                await self._define(await self._making(step.table))
            case Work.RUNS:
                await copy_runs(self._store, self._changes, told)
            case Work.STAMP:
                await self._stamp(step)
            case Work.JSON:
                text = unwrapping(self._dialect, step.physical)
                await self._store.connections.run(Unit([Statement(text, (), True, False)]))
            case Work.LEARNINGS:
                raise AssertionError("learnings are given their keys over the interface, not by SQL")
            case Work.COLUMN | Work.TYPE | Work.KEY | Work.UNIQUE | Work.OWNERS | Work.INDEX:
                await self._define(self._altering(step, await self._one(step.table)))
            case _:
                assert_never(step.work)

    def _altering(self, step: Step, table: Compared) -> tuple[str | Statement, ...]:
        changes, physical, name = self._changes, step.physical, step.name
        match step.work:
            case Work.COLUMN:
                return self._adding(table, name)
            case Work.TYPE:
                return changes.retype(physical, name)
            case Work.KEY:
                return changes.add_key(physical, table.spec.key, table.found)
            case Work.UNIQUE:
                return changes.add_unique(physical, name, dict(uniques_of(table))[name])
            case Work.OWNERS:
                return self._owned(table, name.split(", "))
            case _:
                columns = {each: over for each, over, _ in indexes_of(table)}[name]
                definition = _index_text(table, name, self._dialect)
                return (changes.create_index(physical, name, definition, columns, table.found),)

    async def _making(self, table: str) -> tuple[str, ...]:
        found = await self._shapes()
        layout, spec = self._store.layout, self._store.layout.tables[table]
        texts = layout.definition(table)
        for parent in spec.parents:
            held = found.get(layout.names[parent.table])
            if held is not None and self._dialect.has_foreign_key(spec, parent.table):
                texts = tuple(self._changes.beside(each, held, parent.references) for each in texts)
        return texts

    def _adding(self, table: Compared, name: str) -> tuple[str, ...]:
        from sqlalchemy.schema import CreateColumn

        column = table.spec.column(name)
        default = None if column.takes_null else _literal(column.default)
        if default is None and not column.takes_null:
            raise StoreError(f"{table.physical} lacks {name}, which no row can be without, and nothing says what it is")
        definition = str(CreateColumn(table.wanted.c[name]).compile(dialect=self._dialect.compiler()))
        return self._changes.add_column(table.physical, name, definition, default)

    def _owned(self, table: Compared, old: list[str]) -> tuple[str | Statement, ...]:
        """Rows of today differ in their owner, where those of older agnos had none."""
        cleared = unfinished_day(table.physical, self._dialect)
        if not self._changes.constraints:
            return (*rebuilt(table, self._dialect), cleared)
        name, columns = next(iter(uniques_of(table)))
        # The new one first: the table is never without.
        new = () if table.found.keeps_apart(columns) else self._changes.add_unique(table.physical, name, columns)
        dropped = (each for name in old for each in self._changes.drop_unique(table.physical, name))
        return (*new, *dropped, cleared)

    async def _run_steps(self, tables: Mapping[str, Compared]) -> AsyncIterator[Step]:
        sessions, runs = tables.get("sessions"), tables.get("runs")
        if sessions is None or LEGACY_RUNS not in sessions.found.columns:
            return
        if runs is not None and not is_older(sessions.stamp):
            return
        (holding,) = (await self._run(Statement(holding_runs(self._dialect, sessions.physical, "COUNT(*)"))))[0]
        if holding and runs is None:
            physical = self._store.physical_name("runs")
            yield Step(work=Work.TABLE, table="runs", physical=physical)
        if holding:
            yield Step(work=Work.RUNS, table="sessions", physical=sessions.physical, rows=int(holding))

    async def _json_steps(self, tables: Mapping[str, Compared]) -> AsyncIterator[Step]:
        sessions = tables.get("sessions")
        if sessions is None or not self._changes.wraps_json:
            return
        (count,) = (await self._run(Statement(how_many(self._dialect, sessions.physical))))[0]
        if count:
            yield Step(work=Work.JSON, table="sessions", physical=sessions.physical, rows=int(count))

    async def _shapes(self) -> Mapping[str, TableShape]:
        columns, indexes = self._changes.columns(), self._changes.indexes()
        known_as = self._store.catalog.namer()
        return shapes(
            [(known_as(table), *rest) for table, *rest in await self._run(Statement(*columns))],
            [(known_as(table), *rest) for table, *rest in await self._run(Statement(*indexes))],
        )

    async def _stamps(self, found: Mapping[str, TableShape]) -> Mapping[str, str]:
        stamps = await self._column_of_stamps("version", found)
        return {table: version or UNSTAMPED for table, version in stamps.items()}

    async def _column_of_stamps(self, column: str, found: Mapping[str, TableShape]) -> Mapping[str, Any]:
        versions = self._store.physical_name("versions")
        if versions not in found:
            return {}
        quoted = self._dialect.quoted
        text = f"SELECT {quoted('table_name')}, {quoted(column)} FROM {self._dialect.qualified(versions)}"
        return dict(await self._run(Statement(text)))

    async def _one(self, name: str) -> Compared:
        found = await self._shapes()
        compared = next((each for each in self._compared(found, {}) if each.spec.name == name), None)
        if compared is None:
            raise StoreError(f"the table {self._store.physical_name(name)} is gone")
        return compared

    def _compared(self, found: Mapping[str, TableShape], stamps: Mapping[str, str]) -> Iterator[Compared]:
        layout = self._store.layout
        for name, spec in layout.tables.items():
            physical = layout.names[name]
            if physical in found:
                yield Compared(
                    spec=spec.without(self._dialect.name),
                    physical=physical,
                    wanted=built(spec, layout.names, self._dialect, layout.schema),
                    found=found[physical],
                    stamp=stamps.get(physical, UNSTAMPED),
                )

    async def _stamp(self, step: Step) -> None:
        await self._define(self._store.layout.definition("versions"))
        quoted, hole = self._dialect.quoted, self._dialect.placeholder
        versions = self._dialect.qualified(self._store.physical_name("versions"))
        now = datetime.now().isoformat()  # noqa: DTZ005  # agno stamps naive local time here
        columns = ", ".join(map(quoted, ("table_name", "version", "created_at", "updated_at")))
        inserted = self._dialect.insert_if_absent(versions, columns, ", ".join([hole] * 4))
        changed = (
            f"UPDATE {versions} SET {quoted('version')} = {hole}, {quoted('updated_at')} = {hole}"
            f" WHERE {quoted('table_name')} = {hole} AND {quoted('version')} <> {hole}"
        )
        statements = (
            Statement(inserted, (step.physical, step.name, now, now), True, False),
            Statement(changed, (step.name, now, step.physical, step.name), True, False),
        )
        await self._store.connections.run(Unit(statements, atomic=True))

    async def _define(self, texts: tuple[str | Statement, ...]) -> None:
        before = [Statement(sql, params, True, False) for sql, params in self._dialect.before_ddl()]
        statements = [each if isinstance(each, Statement) else Statement(each, (), True, False) for each in texts]
        await self._definer.run(Unit([*before, *statements], atomic=True))

    async def _run(self, statement: Statement) -> list[Any]:
        try:
            return (await self._store.connections.run(Unit([statement])))[0].rows
        except MissingTable:
            return []


def _index_text(table: Compared, name: str, dialect: Any) -> str:
    from sqlalchemy.schema import CreateIndex

    index = next(each for each in table.wanted.indexes if each.name == name)
    return str(CreateIndex(index, if_not_exists=dialect.indexes_apart).compile(dialect=dialect.compiler()))


def _literal(value: object) -> str | None:
    """A default as SQL text; `None` if there is none."""
    match value:
        case None:
            return None
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return "'" + encode(value).replace("'", "''") + "'"


def _explained(step: Step, error: StoreError) -> StoreError:
    if isinstance(error, Duplicate) and step.work in {Work.UNIQUE, Work.INDEX}:
        return StoreError(f"{step}: rows that are there have the same values; make them differ, then migrate again")
    return StoreError(f"{step}: {error}")
