"""Products, sources, projects and tasks of a company."""

from __future__ import annotations

from typing import Any

from dbrouter.router.agno_types import task_run_id
from dbrouter.testing.leaks.making.hand import Calls, Hand, Makers

EXECUTORS = ("agent", "team", "workflow")
TASK_TARGETS = ("ready", "ready", "ready", "backlog", "in_progress", "in_review", "done", "cancelled")
PROJECT_TARGETS = ("active", "done", "cancelled")
ROUTINE, POLICY = "r", "weekly"


def _product(hand: Hand) -> dict[str, Any]:
    return {
        "id": hand.new(),
        "name": hand.text(),
        "purpose": hand.text(),
        "user_id": hand.maybe_user(),
        "metadata": hand.data(),
        "created_at": hand.second(),
    }


def _source(hand: Hand) -> dict[str, Any]:
    return {
        "id": hand.new(),
        "product_id": hand.new(),
        "reference": hand.text(),
        "type": "markdown",
        "credential_ref": None,
        "user_id": hand.maybe_user(),
        "config": {"paths": [hand.text()]},
        "created_at": hand.second(),
    }


def _project(hand: Hand) -> dict[str, Any]:
    return {
        "id": hand.new(),
        "product_id": hand.new(),
        "name": hand.text(),
        "outcome": hand.text(),
        "status": hand.random.choice(["proposed", "active"]),
        "user_id": hand.maybe_user(),
        "transitions": [],
        "created_at": hand.second(),
    }


def _task(hand: Hand) -> dict[str, Any]:
    """A proposal, or one that was accepted and can be run."""
    return {
        "id": hand.new(),
        "product_id": hand.new(),
        "project_id": hand.new() if hand.rarely() else None,
        "title": hand.text(),
        "brief": hand.text(),
        "status": hand.random.choice(["backlog", "backlog", "ready", "ready", "done"]),
        "executor_type": hand.random.choice(EXECUTORS),
        "executor_id": hand.id(),
        "user_id": hand.maybe_user(),
        "evidence": [hand.text()],
        "routine_id": ROUTINE,
        "dedupe_key": hand.maybe_id(),
        "transitions": [],
        "metadata": hand.data(),
        "created_at": hand.second(),
    }


def _acceptance(hand: Hand) -> dict[str, Any]:
    return {"routine_id": ROUTINE, "policy": POLICY, "max_acceptances": 2, "note": hand.text()}


def _moved_task(hand: Hand) -> dict[str, Any]:
    """A step, which a routine may have taken by itself; only one to work can name who does it."""
    target = hand.random.choice(TASK_TARGETS)
    said: dict[str, Any] = {"task_id": hand.new(), "target": target, "reason": hand.text()}
    if target == "ready":
        said |= {"executor_type": hand.random.choice(EXECUTORS), "executor_id": hand.id()}
        if hand.random.random() < 0.5:
            said |= {"auto_accept": _acceptance(hand), "expected_updated_at": None}
    return said


def _moved_project(hand: Hand) -> dict[str, Any]:
    target = hand.random.choice(PROJECT_TARGETS)
    said: dict[str, Any] = {"project_id": hand.new(), "target": target, "reason": hand.text()}
    if target == "done" and hand.rarely():
        said |= {"auto_accept": _acceptance(hand), "expected_updated_at": None}
    return said


def _finished(hand: Hand) -> dict[str, Any]:
    """The end of a task's first run."""
    task_id = hand.of_age()
    status = hand.random.choice(["COMPLETED", "ERROR"])
    result = {"status": status, "content": hand.text()}
    return {"task_id": task_id, "job_id": task_run_id(task_id, 1), "result": result}


MAKERS: Makers = {
    **dict.fromkeys(("product_id", "source_id", "project_id", "task_id"), lambda hand: hand.new()),
    **dict.fromkeys(("product_ids", "project_ids"), lambda hand: [*hand.some_new(), hand.id()]),
    **dict.fromkeys(("reuse", "failed"), lambda hand: hand.random.random() < 0.5),
    **dict.fromkeys(("accepted_by", "session_user_id"), lambda hand: hand.user()),
    **dict.fromkeys(("updated_before", "starting_at", "ending_before"), lambda hand: hand.second()),
    "product_data": _product,
    "source_data": _source,
    "project_data": _project,
    "task_data": _task,
    "checkout": lambda hand: hand.data(),
    "run_db_id": lambda hand: hand.text(),
}

CALLS: Calls = {
    "update_product": lambda hand: {"name": hand.text(), "metadata": hand.data()},
    "update_source": lambda hand: {"reference": hand.text()},
    "update_project": lambda hand: {"outcome": hand.text()},
    "update_task": lambda hand: {"brief": hand.text(), "evidence": [hand.text()]},
    "transition_task": _moved_task,
    "transition_project": _moved_project,
    # As it is before its first run, unless it was changed.
    "start_task_run": lambda hand: {"task_id": hand.of_age(), "attempt": 1, "expected_transitions": []},
    "complete_task_run": _finished,
    "count_company_acceptances": lambda hand: {
        "routine_id": ROUTINE,
        "policy": POLICY,
        "exclude_task_id": hand.new(),
    },
    "add_product_routine": lambda hand: {"product_id": hand.new(), "schedule_id": hand.text()},
}
