"""The tables that tenants share: agno's, with the tenant as the first part of every key, index and reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.identifiers import fitting
from dbrouter.backends.kernel.own_tables import OWN_TABLES
from dbrouter.backends.kernel.relating import children_by_table
from dbrouter.backends.kernel.tables import Column, Index, Kind, Parent, TableSpec, Unique

TENANT = "dbr_tenant"
"""The column that says whose record it is."""

PREFIX = "tenants."


def tenant_table(table: str) -> str:
    """The spec name of the shared form of one of agno's tables."""
    return f"{PREFIX}{table}"


def _shared(spec: TableSpec) -> TableSpec:
    return replace(
        spec,
        name=tenant_table(spec.name),
        default_name=f"tenants_{spec.default_name}",
        columns=(
            Column(name=TENANT, kind=Kind.STRING, nullable=False),
            # A unique column is unique within its tenant: see `uniques`. An indexed one is found within its tenant.
            *(replace(column, unique=False, index=False, sqlite_index=False) for column in spec.columns),
        ),
        key=(TENANT, *spec.key),
        indexes=tuple(_indexes(spec)),
        uniques=tuple(_uniques(spec)),
        parents=tuple(_led(parent) for parent in spec.parents),
        leader=None if spec.leader is None else tenant_table(spec.leader),
        provisioned=False,
    )


def _indexes(spec: TableSpec) -> list[Index]:
    alone = [Index(columns=(column.name,)) for column in spec.columns if column.index or column.sqlite_index]
    return [replace(index, columns=(TENANT, *index.columns), ours=True) for index in (*spec.indexes, *alone)]


def _uniques(spec: TableSpec) -> list[Unique]:
    alone = [Unique(name=f"{column.name}_key", columns=(column.name,)) for column in spec.columns if column.unique]
    return [replace(unique, columns=(TENANT, *unique.columns)) for unique in (*alone, *spec.uniques)]


def _led(parent: Parent) -> Parent:
    return replace(
        parent,
        table=tenant_table(parent.table),
        columns=(TENANT, *parent.columns),
        references=(TENANT, *parent.references),
        # agno leaves some keys out where its schemas differ; in tables of our own there is nothing to be like.
        absent_on=frozenset(),
    )


TENANT_TABLES: dict[str, TableSpec] = {tenant_table(name): _shared(spec) for name, spec in TABLES.items()}
"""Spec name -> spec, for every table of agno's that rows of several tenants can share."""

ALL_TABLES: dict[str, TableSpec] = TABLES | TENANT_TABLES | OWN_TABLES
"""Every table that a store can be asked for."""

CHILDREN = children_by_table(ALL_TABLES)
"""The children of every table of these."""


def children_of(table: str) -> tuple[TableSpec, ...]:
    """The tables that declare this one as a parent."""
    return tuple({child.name: child for child, _ in CHILDREN.get(table, ())}.values())


def physical_names(given: Mapping[str, str]) -> dict[str, str]:
    """Spec name -> what each table is called in a database, where the tables `given` have names of their own.

    The shared tables are named after agno's: two deployments that keep apart by table names keep apart in these too.
    """
    names = {name: spec.default_name for name, spec in TABLES.items()} | dict(given)
    shared = {tenant_table(name): fitting(f"tenants_{names[name]}") for name in TABLES}
    return shared | {name: spec.default_name for name, spec in OWN_TABLES.items()} | names
