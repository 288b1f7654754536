"""The SQL store: an op to statements, statements to the connection, rows to the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias, TypeGuard, TypeVar, assert_never, cast

from dbrouter.backends.kernel.capabilities import EVERYTHING_NATIVE, Capabilities
from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.errors import Conflict, Duplicate, MissingParent, StoreError
from dbrouter.backends.kernel.filters import And, Field, Filter, In, Not, Or, Related
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.migrating import Migration
from dbrouter.backends.kernel.ops import (
    ABSENT,
    Aggregate,
    AnyOp,
    Batch,
    Change,
    Check,
    Claim,
    Commit,
    Delete,
    Get,
    Insert,
    Load,
    Loaded,
    Measure,
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
from dbrouter.backends.kernel.ordering import page_of
from dbrouter.backends.kernel.refusing import refused_first
from dbrouter.backends.kernel.running import Runtime
from dbrouter.backends.kernel.tenant_tables import children_of
from dbrouter.backends.sql import loading_apart, reading, writing
from dbrouter.backends.sql.catalog import Catalog
from dbrouter.backends.sql.connections import Connections, MissingTable, Unit
from dbrouter.backends.sql.dialect import Dialect
from dbrouter.backends.sql.layout import Layout
from dbrouter.backends.sql.relation import Relation
from dbrouter.backends.sql.statements import Outcome, Requirement, RequirementMissed, Statement

R = TypeVar("R")

_Reading: TypeAlias = Get | Scan | Load | Aggregate | Update | Claim | Delete

RACES = 3
"""Times that a record's absence is looked at anew because somebody else was faster."""

COUNTS = frozenset({Measure.COUNT, Measure.DISTINCT})


class SqlStore:
    """A store over one SQL database; `connections` says whether it blocks.

    names: spec name -> physical name where it is not agno's default. layout, catalog: those of a store over the same
    tables, or over tables that look the same.
    """

    sends_alone = True
    """Whether a statement goes to the database without others around it."""

    def __init__(
        self,
        *,
        dialect: Dialect,
        connections: Connections,
        runtime: Runtime,
        names: Mapping[str, str] | None = None,
        schema: str | None = None,
        capabilities: Capabilities = EVERYTHING_NATIVE,
        layout: Layout | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self.dialect = dialect
        self.runtime = runtime
        self.connections = connections
        self._capabilities = capabilities
        self.layout = layout if layout is not None else Layout(names or {}, dialect, schema)
        self._names = self.layout.names
        self._relations = self.layout.relations
        self.catalog = catalog if catalog is not None else Catalog(self.layout, connections)

    @property
    def capabilities(self) -> Capabilities:
        """What this database does natively."""
        return self._capabilities

    def physical_name(self, table: str) -> str:
        """What the table is called in this database."""
        return self._names[table]

    async def existing_tables(self) -> frozenset[str]:
        """Physical names of the tables that exist, read anew."""
        return await self.catalog.refresh()

    async def create_tables(self, tables: tuple[str, ...]) -> None:
        """Create the tables that are missing, with their indexes."""
        await self.catalog.create(tables)

    def migration(self) -> Migration:
        """How tables that an older agno made here are brought to today's shape."""
        from dbrouter.backends.sql.migrating.migration import SqlMigration

        return SqlMigration(self)

    async def ping(self) -> None:
        """Return if the database answers, else raise `Unavailable`."""
        await self._run(Statement("SELECT 1"))

    async def close(self) -> None:
        """Close idle connections."""
        await self.connections.close()

    async def execute(self, op: Op[R], /) -> R:
        """The op's answer."""
        known = cast("AnyOp", op)
        needed = needed_tables(known)
        if not self._names.keys() >= needed:
            raise StoreError(f"there is no table {', '.join(map(repr, sorted(needed - self._names.keys())))}")
        if not self.catalog.knows(needed):
            absent = self.catalog.last_missing(needed)
            if absent and reads_only(known) and self.sends_alone and is_one_statement(known):
                return cast("R", await self._probably_without(known, absent))
            absent = await self.catalog.missing(needed)
            if absent and reads_only(known):
                return cast("R", await self._without(known, absent))
            if absent:
                await self.catalog.create(tuple(sorted(absent)))
        try:
            return cast("R", await self._answer(known))
        except MissingTable:
            # Dropped behind our back: look again, make what a write needs, and go on.
            self.catalog.forget()
            absent = await self.catalog.missing(needed)
            if reads_only(known):
                return cast("R", await (self._without(known, absent) if absent else self._answer(known)))
            await self.catalog.create(tuple(sorted(absent)))
            return cast("R", await self._answer(known))

    async def _probably_without(self, op: _Reading, absent: frozenset[str]) -> Any:
        """The answer to a read of tables that were missing when last looked for.

        Asking for the answer and for the table cost the same; asking for the answer is right either way. For answers of
        several statements the table is asked for: psycopg logs a warning for every pipeline that fails.
        """
        try:
            answer = await self._answer(op)
        except MissingTable:
            return await self._without(op, absent)
        self.catalog.forget()
        return answer

    async def _answer(self, op: AnyOp) -> Any:
        relations = self._relations
        match op:
            case Get():
                rows = (await self._run(reading.get(op, relations))).rows
                return reading.stored(relations[op.table], rows[0], versioned=op.versioned) if rows else None
            case Scan():
                return await self._scan(op)
            case Load() if self.dialect.together:
                parts = loading_apart.load(op, relations)
                return loading_apart.loaded(op, relations, await self.connections.run(Unit(parts, at_once=True)))
            case Load():
                return reading.loaded(op, relations, (await self._run(reading.load(op, relations))).rows)
            case Aggregate():
                page, count = reading.aggregate(op, relations)
                outcomes = await self._run_all([page, count] if count else [page])
                total = outcomes[1].rows[0][0] if count else None
                return reading.groups(op, relations[op.table], outcomes[0], total)
            case Insert(records=()):
                return None
            case Insert() | Upsert():
                try:
                    return await (self._insert(op) if isinstance(op, Insert) else self._upsert(op))
                except MissingParent as missed:
                    return await refused_first(self, op, relations[op.table].spec, missed)
            case Update():
                columns = tuple(relations[op.table].kinds) if op.returning else relations[op.table].spec.key
                read = relations[op.table].reader(columns)
                return [read(row) for row in (await self._run(writing.update(op, relations))).rows]
            case Claim():
                rows = (await self._run(writing.claim(op, relations))).rows
                relation = relations[op.table]
                return relation.reader(tuple(relation.kinds))(rows[0]) if rows else None
            case Delete():
                present = await self._present_children(op.table)
                outcomes = await self._run_all(writing.delete(op, relations, present), atomic=True)
                return outcomes[-1].touched
            case Commit():
                return await self._commit(op)
            case Batch():
                await self._run_all(
                    [
                        each
                        for upsert in op.upserts
                        for each, _ in self._upsert_statements(replace(upsert, returning=False))
                    ],
                    atomic=True,
                )
                return None
            case _:
                assert_never(op)

    async def _present_children(self, table: str) -> frozenset[str]:
        """Those of the table's children that exist. Somebody else may have made one since we looked."""
        children = [child.name for child in children_of(table)]
        if not self.catalog.knows(children):
            await self.catalog.refresh()
        return frozenset(each for each in children if self.catalog.knows((each,)))

    async def _scan(self, op: Scan) -> Page:
        if op.limit == 0:
            total = (await self._run(reading.count(op, self._relations))).rows[0][0] if op.total else None
            return Page([], total)
        plan = reading.scan(op, self._relations)
        outcomes = await self._run_all([plan.page, plan.count] if plan.count else [plan.page])
        read = self._relations[op.table].reader(plan.columns, op.raw)
        return Page([read(row) for row in outcomes[0].rows], outcomes[1].rows[0][0] if plan.count else None)

    def _upsert_statements(self, op: Upsert) -> list[tuple[Statement, list[int]]]:
        """The statements, each with the positions of the records that it may be about."""
        relation = self._relations[op.table]
        return [
            (statement, wave)
            for wave in writing.waves(relation, op)
            for statement in writing.upsert(_part(op, wave), self._relations)
        ]

    async def _insert(self, op: Insert) -> None:
        await self._run_all(writing.insert(op, self._relations), atomic=True)

    async def _upsert(self, op: Upsert) -> list[Stored | None]:
        relation = self._relations[op.table]
        if not op.records:
            return []
        if op.expect is not None and op.expect is not ABSENT:
            records = [relation.completed(record) for record in op.records]
            updates = [writing.expected_update(op, record, self._relations) for record in records]
            locks: list[tuple[Statement, list[int]]]
            locks = [(each, []) for each in writing.locks_for(op, records, relation)]
            statements = [*locks, *((statement, [position]) for position, statement in enumerate(updates))]
        else:
            statements = self._upsert_statements(op)
        outcomes = await self._upserted([statement for statement, _ in statements], op)
        columns = writing.answered(op, relation)
        if not columns:
            return []
        read, width = relation.reader(columns), len(columns)
        target = op.on or relation.spec.key
        answers: list[Stored | None] = [None] * len(op.records)
        for (statement, positions), outcome in zip(statements, outcomes, strict=True):
            if not (statement.answers and outcome.rows):
                continue
            # Of a statement's records no two have one key: a record given twice is in two statements.
            asked = {writing.as_sent(relation, target, op.records[each]): each for each in positions}
            for row in outcome.rows:
                record = read(row)
                position = asked[writing.as_sent(relation, target, record)]
                if not self._admitted(op, record, op.records[position]):
                    continue
                # Without a version of its own the whole row is the version, and a part of it is none.
                whole = tuple(row) if width == len(relation.kinds) else None
                version = row[width] if len(row) > width else whole
                answers[position] = Stored(record, version)
        return answers

    async def _upserted(self, statements: list[Statement], op: Upsert) -> list[Outcome]:
        for _ in range(RACES if op.expect is ABSENT and self.dialect.on_duplicate_key else 0):
            try:
                return await self._run_all(statements, atomic=True)
            except Duplicate:
                # Somebody else's record came between the look and the insert. The next look sees it.
                continue
        return await self._run_all(statements, atomic=True)

    def _admitted(self, op: Upsert, stored: Record, incoming: Record) -> bool:
        """Whether the guard let the upsert through, where a refused one answers its row all the same.

        As the row is now: refused, it is unchanged; admitted, it has the owner it had or the one that came.
        """
        if op.guard is None or not self.dialect.on_duplicate_key:
            return True
        owner = self._relations[op.table].param
        column = op.guard.column
        return op.guard.admits({column: owner(column, stored[column])}, {column: owner(column, incoming.get(column))})

    async def _commit(self, op: Commit) -> tuple[Version | None, ...]:
        statements = [replace(self._write_statement(each), requires=_requirement(each)) for each in op.writes]
        try:
            outcomes = await self._run_all(statements, atomic=True)
        except RequirementMissed as missed:
            tables = ", ".join(tables_of(op))
            raise Conflict(f"{tables}: a record changed since it was read; nothing was written, read again") from missed
        for write, statement, outcome in zip(op.writes, statements, outcomes, strict=True):
            # Alone, a statement is its own transaction, and what it gave says whether its condition held.
            wanted = _requirement(write)
            found = bool(outcome.rows) if statement.gives_rows else outcome.touched > 0
            if wanted is not None and found is not (wanted is Requirement.A_ROW):
                raise Conflict(f"{write.table} changed since it was read; nothing was written, read it again")
        return tuple(
            self._version(self._relations[write.table], outcome.rows[0]) if isinstance(write, Put) else None
            for write, outcome in zip(op.writes, outcomes, strict=True)
        )

    def _version(self, relation: Relation, row: Any) -> Version:
        return tuple(row) if relation.version is None else row[0]

    def _write_statement(self, write: Write) -> Statement:
        match write:
            case Put():
                return writing.put(write, self._relations)
            case Remove():
                return writing.remove(write, self._relations)
            case Check():
                return writing.check(write, self._relations)
            case Change():
                return writing.change(write, self._relations)
            case Require():
                return writing.require(write, self._relations)
            case _:
                assert_never(write)

    async def _without(self, op: _Reading, absent: frozenset[str]) -> Any:
        """The answer to a read when some of its tables do not exist: they hold nothing."""
        if op.table not in absent and not isinstance(op, Load):
            return await self._answer(cast("AnyOp", replace(op, where=without_related(op.where, absent))))
        match op:
            case Get() | Load() if op.table in absent:
                return None
            case Load(children=children) if children.table in absent:
                where = without_related(op.where, absent)
                got = await self._answer(Get(table=op.table, key=op.key, where=where, versioned=True))
                return None if got is None else Loaded(_raw(got.record, op.raw), got.version, [])
            case Load(children=children):
                below = replace(children, where=without_related(children.where, absent))
                return await self._answer(replace(op, where=without_related(op.where, absent), children=below))
            case Scan():
                return Page([], 0 if op.total else None)
            case Aggregate() if not op.by and op.table in absent:
                nothing = {each.name: 0 if each.measure in COUNTS else None for each in op.measures}
                return Page(page_of([nothing], op.offset, op.limit), 1 if op.total else None)
            case Aggregate():
                return Page([], 0 if op.total else None)
            case Claim():
                return None
            case Delete():
                return 0
            case _:
                return []

    async def _run(self, statement: Statement) -> Outcome:
        return (await self.connections.run(Unit([statement])))[0]

    async def _run_all(self, statements: list[Statement], *, atomic: bool = False) -> list[Outcome]:
        return await self.connections.run(Unit(statements, atomic=atomic and len(statements) > 1))


def _part(op: Upsert, positions: list[int]) -> Upsert:
    return (
        op if len(positions) == len(op.records) else replace(op, records=tuple(op.records[each] for each in positions))
    )


def _requirement(write: Write) -> Requirement | None:
    if isinstance(write, Check):
        return Requirement.NO_ROW if write.expect is ABSENT else Requirement.A_ROW
    if isinstance(write, Change | Require):
        return Requirement.A_ROW
    return Requirement.A_ROW if write.expect is not None and write.expect is not ABSENT else None


def _raw(record: Record, columns: frozenset[str]) -> Record:
    return {name: encode(value) if name in columns and value is not None else value for name, value in record.items()}


def reads_only(op: AnyOp) -> TypeGuard[_Reading]:
    """Whether the op changes nothing, so that a missing table is an empty one."""
    # A change of what does not exist has nothing to do either.
    return isinstance(op, Get | Scan | Load | Aggregate | Update | Claim | Delete)


def is_one_statement(op: _Reading) -> bool:
    """Whether the answer takes one statement."""
    return not isinstance(op, Delete) and not (isinstance(op, Scan | Aggregate) and op.total)


def needed_tables(op: AnyOp) -> frozenset[str]:
    """Every table the op's statements name."""
    match op:
        case Get() | Scan() | Aggregate() | Update() | Claim() | Delete():
            return frozenset({op.table, *related_tables(op.where)})
        case Load():
            below = {op.children.table, *related_tables(op.children.where)}
            return frozenset({op.table, *related_tables(op.where), *below})
        case _:
            return frozenset(tables_of(op))


def related_tables(where: Filter) -> frozenset[str]:
    """The other tables a filter reads."""
    match where:
        case Related(table=table, where=inner):
            return frozenset({table}) | related_tables(inner)
        case And(filters=filters) | Or(filters=filters):
            return frozenset().union(*(related_tables(each) for each in filters))
        case Not(filter=inner):
            return related_tables(inner)
        case _:
            return frozenset()


def without_related(where: Filter, absent: frozenset[str]) -> Filter:
    """The filter where some of the other tables do not exist: nothing is related to a record of theirs."""
    match where:
        case Related(column=column, table=table) if table in absent:
            return In(Field(column), ())
        case Related(where=inner):
            return replace(where, where=without_related(inner, absent))
        case And(filters=filters):
            return And(tuple(without_related(each, absent) for each in filters))
        case Or(filters=filters):
            return Or(tuple(without_related(each, absent) for each in filters))
        case Not(filter=inner):
            return Not(without_related(inner, absent))
        case _:
            return where
