"""Version stamps as agno's own classes keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def test_stamps_read_and_write_alike(both: Both) -> None:
    both.get_latest_schema_version("some_table")
    both.upsert_schema_version("some_table", "2.5.6")
    both.get_latest_schema_version("some_table")
    both.upsert_schema_version("some_table", "3.0.0")
    both.get_latest_schema_version("some_table")
    both.get_latest_schema_version("another_table")
