"""What the indexes of a prefix hold, and what they should hold by the records, both read with the vendor's client."""

from __future__ import annotations

from typing import Any

from dbrouter.backends.kernel.duplicates import unique_values
from dbrouter.backends.kernel.ordered_form import canonical
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.backends.redis.layout import Layout, Table
from dbrouter.backends.redis.records import flat_record


def records_of(client: Any, prefix: str, table: Table) -> dict[bytes, dict[str, Any]]:
    """The end of each record's key, with the record."""
    start = f"{{{prefix}//{table.spec.family}}}{table.name}:r:".encode()
    found: dict[bytes, dict[str, Any]] = {}
    for key in client.scan_iter(match=start + b"*", count=10_000):
        fields = client.hgetall(key)
        found[key.removeprefix(start)] = flat_record(table, [each for pair in fields.items() for each in pair])
    return found


def disagreements(client: Any, prefix: str) -> list[str]:
    """Every entry that no record accounts for, and every one that is missing."""
    found: list[str] = []
    layout = Layout(prefix, {}, {})
    for table in map(layout.table, ALL_TABLES):
        if table.shared:
            continue
        records = records_of(client, prefix, table)
        start = f"{{{prefix}//{table.spec.family}}}{table.name}"
        for index in table.indexes:
            wanted = {entry for key, record in records.items() if (entry := _entry(index, key, record)) is not None}
            held = set(client.zrange(f"{start}:x:{index.name}", 0, -1))
            found += [f"{start}:x:{index.name}: {each!r}" for each in wanted ^ held]
        for unique in table.uniques:
            taken: dict[bytes, bytes] = {}
            for key, record in records.items():
                values = unique_values(unique, record)
                if values is not None:
                    taken[b"".join(map(canonical, values))] = key
            if taken != client.hgetall(f"{start}:u:{unique.name}"):
                found.append(f"{start}:u:{unique.name}")
    return found


def _entry(index: Any, key: bytes, record: dict[str, Any]) -> bytes | None:
    values = [record[column] for column in index.path]
    if None in values:
        return None
    ordering: list[Any] = []
    if index.by is not None:
        value = record[index.by]
        ordering = [record[index.fallback] if value is None and index.fallback else value]
    return b"".join(map(canonical, [*values, *ordering])) + key
