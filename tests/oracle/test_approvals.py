"""Approvals as agno's own classes keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.errors import Duplicate
from dbrouter.router.agno_types import RunStatus

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def approval(id: str, **columns: object) -> dict[str, object]:  # noqa: A002
    return {
        "id": id,
        "run_id": "run1",
        "session_id": "s1",
        "status": "pending",
        "source_type": "agent",
        "pause_type": "confirmation",
        **columns,
    }


def fill(both: Both) -> None:
    for each in (
        approval("p1", user_id="ann", agent_id="a1", approval_type="required", tool_args={"x": [1, None]}),
        approval("p2", user_id="", run_id="run2", team_id="t1", source_type="team", created_at=1),
        approval("p3", status="approved", schedule_id="c1", workflow_id="w1", requirements=[{"é": True}]),
    ):
        both.create_approval(each)
        both.clock.tick()


def test_empty_tables_answer_alike(both: Both) -> None:
    both.get_approval("p1")
    both.get_approvals()
    both.update_approval("p1", status="approved")
    both.delete_approval("p1")
    both.get_pending_approval_count()
    both.update_approval_run_status("run1", RunStatus.completed)


def test_reads_answer_alike(both: Both) -> None:
    fill(both)
    for asked in (
        {},
        {"status": "pending"},
        {"source_type": "team"},
        {"approval_type": "required"},
        {"pause_type": "confirmation"},
        {"agent_id": "a1"},
        {"team_id": "t1"},
        {"workflow_id": "w1"},
        {"user_id": "ann"},
        {"user_id": ""},
        {"schedule_id": "c1"},
        {"run_id": "run1", "status": "approved"},
        {"limit": 2, "page": 2},
        {"limit": 2, "page": 9},
    ):
        both.get_approvals(**asked)
    for user_id in (None, "ann", "", "bob"):
        both.get_pending_approval_count(user_id=user_id)
    for id in ("p1", "p2", "p3", "p9"):  # noqa: A001
        both.get_approval(id)


def test_decisions_answer_and_store_alike(both: Both) -> None:
    fill(both)
    both.update_approval(
        "p1", expected_status="pending", status="approved", resolved_by="ann", resolved_at=both.clock()
    )
    both.clock.tick()
    both.update_approval("p1", expected_status="pending", status="rejected", resolved_by="bob")
    both.update_approval("p3", resolution_data={"why": ["é"]}, tool_args=None)
    both.update_approval("p9", status="approved")
    both.update_approval_run_status("run1", RunStatus.paused)
    both.update_approval_run_status("run9", RunStatus.paused)
    both.get_approvals()
    both.delete_approval("p1")
    both.delete_approval("p1")
    both.get_approvals()


def test_a_taken_id_is_refused_by_both(both: Both) -> None:
    fill(both)
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        both.agno.create_approval(approval("p1"))
    with pytest.raises(Duplicate):
        both.ours.create_approval(approval("p1"))


def test_ours_names_an_unknown_column_where_agno_hides_it(both: Both) -> None:
    fill(both)
    assert both.agno.update_approval("p1", nonsense=1) is None
    with pytest.raises(Exception, match="nonsense"):
        both.ours.update_approval("p1", nonsense=1)
    with pytest.raises(Exception, match="nonsense"):
        both.ours.create_approval(approval("p4", nonsense=1))
