"""How much a routine has accepted by itself, and whether it may accept more."""

from __future__ import annotations

from typing import Any, TypeAlias

from dbrouter.backends.kernel.codec import encode
from dbrouter.backends.kernel.filters import EVERYTHING, Filter, Not, all_of, eq
from dbrouter.backends.kernel.ops import Scan
from dbrouter.router.agno_types import acceptance_count
from dbrouter.router.families.company import PROJECTS, TASKS, Company, owned_by

AutoAccept: TypeAlias = dict[str, Any]
"""`routine_id`, `policy` and `max_acceptances`."""


async def accepted(
    company: Company,
    routine_id: str,
    policy: str,
    *,
    task: str | None = None,
    project: str | None = None,
    user_id: str | None = None,
) -> int:
    """Tasks and projects that the routine accepted under the policy, archived ones too. task, project: not this one."""
    histories: list[Any] = []
    for table, where in (
        (TASKS, all_of(eq("routine_id", routine_id), _but(task))),
        (PROJECTS, _but(project)),
    ):
        found = await company.store.execute(
            Scan(table=table, where=all_of(where, owned_by(user_id)), columns=("transitions",))
        )
        histories += [record["transitions"] for record in found.records]
    return acceptance_count(histories, routine_id, policy)


async def require_room(
    company: Company, auto_accept: AutoAccept, *, task: str | None = None, project: str | None = None
) -> None:
    """Raise `ValueError` if the routine has accepted all it may."""
    count = await accepted(company, auto_accept["routine_id"], auto_accept["policy"], task=task, project=project)
    if count >= auto_accept["max_acceptances"]:
        raise ValueError("Routine acceptance limit reached")


def turns_of(auto_accept: AutoAccept | None) -> tuple[str, ...]:
    """The turn that acceptances by one routine take: it accepts in several products, which have turns of their own."""
    return () if auto_accept is None else (encode(("acceptances", auto_accept["routine_id"])),)


def _but(id_: str | None) -> Filter:
    return EVERYTHING if id_ is None else Not(eq("id", id_))
