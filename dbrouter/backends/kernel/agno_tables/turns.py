"""Whose turn it is in families where several records must change together: tables of ours beside agno's.

A commit that must not overlap another takes the turn: it moves on the turn's record, expecting it as it was before
anything else was read. Of two that read the same, one commits and the other begins anew.
"""

from __future__ import annotations

from dbrouter.backends.kernel.tables import Column, Kind, TableSpec, TimeUnit


def turns_of(family: str) -> TableSpec:
    """The table with the turns of a family: what is changed in turn, and how often it was."""
    return TableSpec(
        name=f"{family}_turns",
        family=family,
        attribute=f"{family}_turns_table_name",
        default_name=f"dbrouter_{family}_turns",
        columns=(
            Column(name="id", kind=Kind.STRING, nullable=False),
            Column(name="turns", kind=Kind.BIGINT, nullable=False),
        ),
        key=("id",),
        time=TimeUnit.NONE,
        ours=True,
    )


TABLES = tuple(turns_of(family) for family in ("components", "company", "authz"))
