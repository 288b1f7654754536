"""Evaluation runs as agno's own classes keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.router.agno_types import EvalFilterType, EvalRunRecord, EvalType

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def run(run_id: str, eval_type: EvalType = EvalType.ACCURACY, **columns: object) -> EvalRunRecord:
    return EvalRunRecord(
        **{"run_id": run_id, "eval_type": eval_type, "eval_data": {"score": 0.5}, "eval_input": {"q": "é?"}, **columns}  # type: ignore[arg-type]
    )


def fill(both: Both) -> None:
    for each in (
        run("r1", agent_id="a1", model_id="m1", model_provider="p", name="b", evaluated_component_name="x"),
        run("r2", EvalType.RELIABILITY, team_id="t1", name="a"),
        run("r3", EvalType.PERFORMANCE, workflow_id="w1", eval_input={}),
        run("r4", EvalType.AGENT_AS_JUDGE, agent_id="a2", eval_data={}, name="c"),
        run("r5", workflow_id="w1", eval_input=None),
    ):
        both.create_eval_run(each)
        both.clock.tick()
    both.update_eval_run_user_id("r1", "ann")
    both.update_eval_run_user_id("r2", "")


def test_empty_tables_answer_alike(both: Both) -> None:
    both.get_eval_run("r1")
    both.get_eval_runs()
    both.get_eval_runs(deserialize=False)
    both.rename_eval_run("r1", "name")
    both.update_eval_run_user_id("r1", "ann")
    both.delete_eval_run("r1")
    both.delete_eval_runs(["r1"])


@pytest.mark.parametrize("deserialize", [True, False])
def test_reads_answer_alike(both: Both, deserialize: bool) -> None:
    fill(both)
    for asked in (
        {},
        {"user_id": "ann"},
        {"user_id": ""},
        {"agent_id": "a1"},
        {"team_id": "t1"},
        {"workflow_id": "w1"},
        {"model_id": "m1"},
        {"eval_type": [EvalType.ACCURACY, EvalType.RELIABILITY]},
        {"eval_type": []},
        {"filter_type": EvalFilterType.AGENT},
        {"filter_type": EvalFilterType.TEAM},
        {"filter_type": EvalFilterType.WORKFLOW},
        {"sort_by": "created_at", "sort_order": "asc"},
        {"sort_by": "updated_at"},
        {"limit": 3},
        {"limit": 3, "page": 2},
        {"sort_by": "created_at", "sort_order": "asc", "limit": 2, "page": 2},
    ):
        both.get_eval_runs(**asked, deserialize=deserialize)
    for run_id in ("r1", "r3", "r4", "r9"):
        both.get_eval_run(run_id, deserialize=deserialize)
        both.get_eval_run(run_id, deserialize=deserialize, user_id="ann")


def test_renames_answer_and_store_alike(both: Both) -> None:
    fill(both)
    for deserialize in (True, False):
        both.clock.tick()
        both.rename_eval_run("r1", "new", deserialize=deserialize)
        both.rename_eval_run("r1", "newer", deserialize=deserialize, user_id="ann")
        both.rename_eval_run("r1", "newest", deserialize=deserialize, user_id="bob")
        both.rename_eval_run("r9", "new", deserialize=deserialize)
    both.get_eval_runs(deserialize=False)


def test_deletes_do_alike(both: Both) -> None:
    fill(both)
    both.delete_eval_runs(["r1", "r2", "r3"], user_id="ann")
    both.get_eval_runs(deserialize=False)
    both.delete_eval_run("r2")
    both.delete_eval_runs(["r3", "r9"])
    both.get_eval_runs(deserialize=False)


def test_a_taken_id_is_refused_by_both(both: Both) -> None:
    fill(both)
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        both.agno.create_eval_run(run("r1"))
    with pytest.raises(Duplicate):
        both.ours.create_eval_run(run("r1"))


@pytest.mark.parametrize("asked", [{"page": 1}, {"page": 0, "limit": 1}])
def test_pages_that_make_no_sense_are_refused_alike(both: Both, asked: dict[str, int]) -> None:
    for side in (both.agno, both.ours):
        with pytest.raises(ValueError, match="page"):
            side.get_eval_runs(**asked)


def test_ours_keeps_the_total_of_an_empty_page_where_agno_loses_it(both: Both) -> None:
    fill(both)
    assert both.answers("get_eval_runs", limit=2, page=9, deserialize=False) == (([], 0), ([], 5))
