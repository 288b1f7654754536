"""Results of evaluation runs."""

from __future__ import annotations

from dbrouter.backends.kernel.agno_tables.evals import EVALS as SPEC
from dbrouter.backends.kernel.filters import EVERYTHING, Field, Filter, all_of, eq, equals, not_null, one_of
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import Delete, Get, Insert, Order, Scan, Update
from dbrouter.router.agno_types import EvalFilterType, EvalRunRecord, EvalType
from dbrouter.router.families.context import Context
from dbrouter.router.families.paging import offset_of, sorting

EVALS = SPEC.name
NEWEST_FIRST = (Order(Field("created_at"), descending=True),)
COMPONENT_COLUMN = {
    EvalFilterType.AGENT: "agent_id",
    EvalFilterType.TEAM: "team_id",
    EvalFilterType.WORKFLOW: "workflow_id",
}


class Evals:
    """Keeps evaluation runs."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._now = context.now

    async def create_eval_run(self, eval_run: EvalRunRecord) -> EvalRunRecord:
        """The given run, once it is stored. A taken run id raises `Duplicate`.

        The run has no owner yet: agno's record cannot carry one and sets it by `update_eval_run_user_id`.
        """
        now = self._now()
        record: Record = {
            **eval_run.model_dump(),
            "eval_type": eval_run.eval_type.value,
            "created_at": now,
            "updated_at": now,
        }
        await self._store.execute(Insert(table=EVALS, records=(record,)))
        return eval_run

    async def get_eval_run(
        self, eval_run_id: str, deserialize: bool | None = True, user_id: str | None = None
    ) -> EvalRunRecord | Record | None:
        """The run, or `None` if there is none with this id (and this owner, if one is given)."""
        stored = await self._store.execute(Get(table=EVALS, key=(eval_run_id,), where=equals(user_id=user_id)))
        return None if stored is None else _shaped(stored.record, deserialize)

    async def get_eval_run_raw(self, eval_run_id: str) -> Record | None:
        """The run's columns, or `None`."""
        stored = await self._store.execute(Get(table=EVALS, key=(eval_run_id,)))
        return None if stored is None else stored.record

    async def get_eval_runs(
        self,
        limit: int | None = None,
        page: int | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
        agent_id: str | None = None,
        team_id: str | None = None,
        workflow_id: str | None = None,
        model_id: str | None = None,
        filter_type: EvalFilterType | None = None,
        eval_type: list[EvalType] | None = None,
        deserialize: bool | None = True,
        user_id: str | None = None,
    ) -> list[EvalRunRecord] | tuple[list[Record], int]:
        """The runs that match, newest first unless asked otherwise; as dicts, together with how many match in all.

        filter_type: only runs of an agent, of a team or of a workflow.
        """
        found = await self._store.execute(
            Scan(
                table=EVALS,
                where=all_of(
                    equals(
                        agent_id=agent_id,
                        team_id=team_id,
                        workflow_id=workflow_id,
                        model_id=model_id,
                        user_id=user_id,
                    ),
                    _of_types(eval_type),
                    EVERYTHING if filter_type is None else not_null(COMPONENT_COLUMN[EvalFilterType(filter_type)]),
                ),
                order=sorting(SPEC, sort_by, sort_order, default=NEWEST_FIRST),
                limit=limit,
                offset=offset_of(limit, page),
                total=not deserialize,
            )
        )
        if not deserialize:
            return found.records, found.total or 0
        return [EvalRunRecord.model_validate(record) for record in found.records]

    async def rename_eval_run(
        self, eval_run_id: str, name: str, deserialize: bool | None = True, user_id: str | None = None
    ) -> EvalRunRecord | Record | None:
        """The renamed run, or `None` if there is none with this id (and this owner, if one is given)."""
        renamed = await self._store.execute(
            Update(
                table=EVALS,
                where=equals(run_id=eval_run_id, user_id=user_id),
                changes={"name": name, "updated_at": self._now()},
            )
        )
        return _shaped(renamed[0], deserialize) if renamed else None

    async def update_eval_run_user_id(self, eval_run_id: str, user_id: str) -> None:
        """Set the run's owner."""
        await self._store.execute(
            Update(table=EVALS, where=eq("run_id", eval_run_id), changes={"user_id": user_id}, returning=False)
        )

    async def delete_eval_run(self, eval_run_id: str) -> None:
        """Delete the run, whoever owns it."""
        await self._store.execute(Delete(table=EVALS, where=eq("run_id", eval_run_id)))

    async def delete_eval_runs(self, eval_run_ids: list[str], user_id: str | None = None) -> None:
        """Delete these runs, only this owner's if one is given."""
        await self._store.execute(
            Delete(table=EVALS, where=all_of(one_of("run_id", eval_run_ids), equals(user_id=user_id)))
        )


def _of_types(eval_type: list[EvalType] | None) -> Filter:
    # agno's REST layer sends an empty list for "any type".
    return one_of("eval_type", [EvalType(each).value for each in eval_type]) if eval_type else EVERYTHING


def _shaped(record: Record, deserialize: bool | None) -> EvalRunRecord | Record:
    return EvalRunRecord.model_validate(record) if deserialize else record
