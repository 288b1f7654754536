"""Evaluation runs: shapes, filters, owners."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.backends.kernel.ops import Update
from dbrouter.backends.kernel.store import Store
from dbrouter.router.agno_types import EvalFilterType, EvalRunRecord, EvalType
from dbrouter.router.families.context import Context
from dbrouter.router.families.evals import Evals
from tests.families.recorded import Recorded

NOW = 1_700_000_000


def evals_in(store: Store, now: int = NOW) -> Evals:
    return Evals(Context(store, now=lambda: now))


def run(run_id: str, eval_type: EvalType = EvalType.ACCURACY, **columns: object) -> EvalRunRecord:
    return EvalRunRecord(
        **{"run_id": run_id, "eval_type": eval_type, "eval_data": {"score": 0.5}, "eval_input": {"q": "?"}, **columns}  # type: ignore[arg-type]
    )


async def ids_of(evals: Evals, **asked: object) -> list[str]:
    return [each.run_id for each in await evals.get_eval_runs(**asked)]  # type: ignore[arg-type,union-attr]


async def test_a_run_comes_back_as_it_was_given(store: Store) -> None:
    evals = evals_in(store)
    given = run("r1", agent_id="a1", name="first")
    assert await evals.create_eval_run(given) is given
    assert await evals.get_eval_run("r1") == given
    assert await evals.get_eval_run("r2") is None


@pytest.mark.parametrize("eval_input", [None, {}])
async def test_a_run_without_input_comes_back_without_and_one_with_an_empty_one_with_it(
    store: Store, eval_input: dict[str, Any] | None
) -> None:
    evals = evals_in(store)
    await evals.create_eval_run(run("r1", eval_input=eval_input))
    assert await evals.get_eval_run("r1") == run("r1", eval_input=eval_input)


async def test_a_run_as_a_dict_has_every_column(store: Store) -> None:
    evals = evals_in(store)
    await evals.create_eval_run(run("r1", agent_id="a1"))
    raw = await evals.get_eval_run_raw("r1")
    assert raw == await evals.get_eval_run("r1", deserialize=False)
    assert raw == {
        "run_id": "r1",
        "eval_type": "accuracy",
        "eval_data": {"score": 0.5},
        "eval_input": {"q": "?"},
        "name": None,
        "agent_id": "a1",
        "team_id": None,
        "workflow_id": None,
        "model_id": None,
        "model_provider": None,
        "evaluated_component_name": None,
        "user_id": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    assert raw is not None
    assert type(raw["eval_type"]) is str
    assert await evals.get_eval_run_raw("r2") is None


async def test_a_taken_run_id_is_refused(store: Store) -> None:
    evals = evals_in(store)
    await evals.create_eval_run(run("r1"))
    with pytest.raises(Duplicate):
        await evals.create_eval_run(run("r1"))


async def test_runs_come_newest_first_and_filtered(store: Store) -> None:
    await evals_in(store, now=1).create_eval_run(run("r1", agent_id="a1", model_id="m1"))
    await evals_in(store, now=2).create_eval_run(run("r2", EvalType.RELIABILITY, team_id="t1", name="b"))
    await evals_in(store, now=3).create_eval_run(run("r3", EvalType.PERFORMANCE, workflow_id="w1", name="a"))
    evals = evals_in(store)
    assert await ids_of(evals) == ["r3", "r2", "r1"]
    assert await ids_of(evals, agent_id="a1") == ["r1"]
    assert await ids_of(evals, team_id="t1") == ["r2"]
    assert await ids_of(evals, workflow_id="w1") == ["r3"]
    assert await ids_of(evals, model_id="m1") == ["r1"]
    assert await ids_of(evals, eval_type=[EvalType.ACCURACY, EvalType.PERFORMANCE]) == ["r3", "r1"]
    assert await ids_of(evals, eval_type=[]) == ["r3", "r2", "r1"]
    assert await ids_of(evals, filter_type=EvalFilterType.TEAM) == ["r2"]
    assert await ids_of(evals, filter_type=EvalFilterType.WORKFLOW) == ["r3"]
    assert await ids_of(evals, sort_by="name", sort_order="asc", filter_type=EvalFilterType.AGENT) == ["r1"]
    assert await ids_of(evals, sort_by="created_at", sort_order="asc", limit=2) == ["r1", "r2"]


async def test_a_page_knows_the_total_even_when_empty(store: Store) -> None:
    evals = evals_in(store)
    for number in range(3):
        await evals.create_eval_run(run(f"r{number}"))
    records, total = await evals.get_eval_runs(limit=2, page=2, deserialize=False)
    assert (len(records), total) == (1, 3)  # type: ignore[arg-type]
    assert await evals.get_eval_runs(limit=2, page=3, deserialize=False) == ([], 3)


async def test_renaming_is_one_request_and_answers_the_new_run(store: Store) -> None:
    await evals_in(store).create_eval_run(run("r1", name="old"))
    recorded = Recorded(store)
    evals = evals_in(recorded, now=NOW + 60)
    assert await evals.rename_eval_run("r1", "new") == run("r1", name="new")
    assert [type(op) for op in recorded.ops] == [Update]
    raw = await evals.rename_eval_run("r1", "newer", deserialize=False)
    assert isinstance(raw, dict)
    assert (raw["name"], raw["updated_at"], raw["created_at"]) == ("newer", NOW + 60, NOW)
    assert await evals.rename_eval_run("r2", "new") is None


async def test_an_owner_is_set_later_and_then_counts(store: Store) -> None:
    evals = evals_in(store)
    await evals.create_eval_run(run("r1"))
    await evals.create_eval_run(run("r2"))
    assert await evals.get_eval_run("r1", user_id="ann") is None
    await evals.update_eval_run_user_id("r1", "ann")
    assert await evals.get_eval_run("r1", user_id="ann") == run("r1")
    assert await ids_of(evals, user_id="ann") == ["r1"]
    assert await ids_of(evals, user_id="") == []
    assert await evals.rename_eval_run("r1", "x", user_id="bob") is None
    await evals.delete_eval_runs(["r1", "r2"], user_id="bob")
    assert len(await ids_of(evals)) == 2
    await evals.delete_eval_runs(["r1", "r2"], user_id="ann")
    assert await ids_of(evals) == ["r2"]
    await evals.delete_eval_runs([])
    await evals.delete_eval_run("r2")
    assert await ids_of(evals) == []
