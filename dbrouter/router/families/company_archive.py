"""Archiving with all that belongs to it, and bringing back exactly what was archived with it.

Who was archived by whom is the last event in a record's history; its status stays.
"""

from __future__ import annotations

from dbrouter.backends.kernel.filters import Field, Filter, all_of, not_null, one_of
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Order, Put, Scan
from dbrouter.router.families.company import ACTIVE, TASKS, Company

OPEN = ("ready", "in_progress", "in_review")
ARCHIVED = not_null("deleted_at")


def event(record: Record, action: str, now: int, parent: dict[str, str] | None = None) -> list[Record]:
    """The record's history with one more event: "archive" or "restore", perhaps because of its parent."""
    reason = "Parent archived" if parent else ("Archived" if action == "archive" else "Restored")
    return [
        *(record.get("transitions") or []),
        {
            "action": action,
            "from": record["status"],
            "target": record["status"],
            "reason": reason,
            "created_at": now,
            "user_id": None,
            "archived_by": parent,
        },
    ]


async def refuse_open_tasks(company: Company, where: Filter) -> None:
    """Raise `ValueError`, naming them, if tasks that match are being worked on."""
    found = await company.store.execute(
        Scan(
            table=TASKS,
            where=all_of(where, one_of("status", OPEN)),
            order=(Order(Field("id")),),
            columns=("id", "title"),
        )
    )
    if found.records:
        raise ValueError({"message": "Cannot archive with active Tasks", "tasks": found.records})


async def archived(company: Company, table: str, where: Filter, parent: dict[str, str], now: int) -> list[Put]:
    """What archives the records that match, because of their parent."""
    return [
        Put(
            table=table,
            record=stored.record
            | {
                "deleted_at": now,
                "updated_at": now,
                "transitions": event(stored.record, "archive", now, parent),
            },
            expect=stored.version,
        )
        for stored in await company.every(table, all_of(where, ACTIVE))
    ]


async def restored(company: Company, table: str, where: Filter, parent: dict[str, str], now: int) -> list[Put]:
    """What brings back those of the records that match which this parent took with it."""
    puts: list[Put] = []
    for stored in await company.every(table, all_of(where, ARCHIVED)):
        history = stored.record["transitions"] or []
        last = history[-1] if history else {}
        if last.get("action") == "archive" and last.get("archived_by") == parent:
            after = {"deleted_at": None, "updated_at": now, "transitions": event(stored.record, "restore", now)}
            puts.append(Put(table=table, record=stored.record | after, expect=stored.version))
    return puts
