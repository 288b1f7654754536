"""The durable queue."""

from __future__ import annotations

from typing import Any

from dbrouter.testing.leaks.making.hand import Calls, Hand, Makers

WORKERS = ("w1", "w1", "w1", "w2")
NEVER_OR_AT_ONCE = (86_400, -86_400)
"""Seconds from now: what such a time decides is the same for both databases, though one is asked after the other."""


def _job(hand: Hand) -> dict[str, Any]:
    return {
        "id": hand.new(),
        "component_type": "agent",
        "job_type": "run",
        "deployment_id": None,
        "component_id": hand.id(),
        "session_id": hand.few(),
        "user_id": hand.maybe_user(),
        "payload": {**hand.data(), "serialize_session": hand.random.random() < 0.5},
        "status": hand.random.choice(["queued", "queued", "paused"]),
        "attempt": 0,
        "max_attempts": hand.random.randint(1, 2),
        "idempotency_key": hand.maybe_id(),
        "available_at": hand.second(),
        "created_at": hand.second(),
    }


def _held(hand: Hand) -> dict[str, Any]:
    return {"job_id": hand.new(), "worker_id": hand.random.choice(WORKERS), "attempt": hand.random.choice((1, 1, 2))}


def _claimed(hand: Hand) -> dict[str, Any]:
    return {"worker_id": hand.random.choice(WORKERS), "lock_grace_seconds": hand.random.choice(NEVER_OR_AT_ONCE)}


MAKERS: Makers = {
    "job": _job,
    "job_id": lambda hand: hand.new(),
    "job_ids": lambda hand: hand.some_new(),
    "max_depth": lambda hand: hand.random.choice([0, 5]),
    "lock_grace_seconds": lambda hand: hand.random.choice(NEVER_OR_AT_ONCE),
    "error": lambda hand: hand.text(),
    "continue_payload": lambda hand: hand.data(),
    "older_than_seconds": lambda hand: hand.random.choice(NEVER_OR_AT_ONCE),
    "retry_delay_seconds": lambda hand: hand.random.choice(NEVER_OR_AT_ONCE),
    "deployment_id": lambda hand: hand.id(),
}

CALLS: Calls = {
    "claim_job": _claimed,
    "acquire_sweep": lambda hand: {"job_id": hand.new(), **_claimed(hand)},
    "heartbeat_jobs": lambda hand: {"worker_id": hand.random.choice(WORKERS), "job_ids": hand.some_new()},
    "complete_job": lambda hand: {**_held(hand), "status": hand.random.choice(["completed", "failed", "paused"])},
    "retry_or_fail_job": _held,
    "settle_swept_job": lambda hand: {
        "job_id": hand.new(),
        "worker_id": hand.random.choice(WORKERS),
        "status": "failed",
    },
    "settle_paused_job": lambda hand: {"job_id": hand.new(), "status": hand.random.choice(["completed", "failed"])},
    "list_jobs": lambda hand: {"status": hand.random.choice([None, "queued", ["queued", "running"]])},
}
