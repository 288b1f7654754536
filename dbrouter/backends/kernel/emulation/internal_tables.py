"""The kernel's own tables, in which an emulated store keeps what its backend cannot keep for it.

A driver that leaves uniques or positions to the kernel serves these beside agno's.
"""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, TimeUnit
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES

RESERVATIONS = TableSpec(
    name="kernel_reservations",
    family="kernel",
    attribute="kernel_reservations_table_name",
    default_name="dbrouter_reservations",
    columns=(
        # JSON text of [table, unique set, values].
        Column(name="id", kind=Kind.STRING, nullable=False),
        # JSON text of the key of the record that holds the values.
        Column(name="holder", kind=Kind.STRING, nullable=False),
        # Whether the holder was seen with the values after they were reserved for it.
        Column(name="confirmed", kind=Kind.BOOLEAN, nullable=False),
    ),
    key=("id",),
    time=TimeUnit.NONE,
)
"""Who holds the values of a unique set."""

POSITIONS = TableSpec(
    name="kernel_positions",
    family="kernel",
    attribute="kernel_positions_table_name",
    default_name="dbrouter_positions",
    columns=(
        # JSON text of [table, parent columns, parent].
        Column(name="id", kind=Kind.STRING, nullable=False),
        # Position column -> {"next": the first position never given, "given": {key of a record: its position}}.
        Column(name="counters", kind=Kind.JSON, nullable=False),
    ),
    key=("id",),
    time=TimeUnit.NONE,
)
"""Which positions within a parent were given."""

INTERNAL_TABLES: dict[str, TableSpec] = {table.name: table for table in (RESERVATIONS, POSITIONS)}
"""Spec name -> spec."""

SERVED_TABLES: dict[str, TableSpec] = ALL_TABLES | INTERNAL_TABLES
"""Every table that such a store serves."""
