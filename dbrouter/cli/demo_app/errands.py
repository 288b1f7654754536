"""What a support desk stores besides conversations: each errand is one thing done, nearly all through the REST API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agno.eval.reliability import ReliabilityEval
from agno.run.agent import RunOutput

from dbrouter.cli.demo_app.unexpected import Unexpected, content

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from agno.db.base import BaseDb

INDEXING_SECONDS = 20.0


def remember(client: httpx.Client, _: BaseDb) -> str:
    """Write a memory of a user by hand."""
    body = {"memory": "Pays by invoice", "user_id": "grace", "topics": ["billing"]}
    content(client.post("/memories", json=body))
    total = content(client.get("/memories"))["meta"]["total_count"]
    return f"{total} memories of users"


def add_knowledge(client: httpx.Client, _: BaseDb) -> str:
    """Add a page to the knowledge base, and find it again."""
    form = {"name": "Returns", "text_content": "Returns are free within thirty days."}
    page = content(client.post("/knowledge/content", data=form))
    _until(lambda: _status(client, page["id"]) == "completed", "the knowledge base to take its page in")
    found = content(client.post("/knowledge/search", json={"query": "are returns free"}))["data"]
    return f"{len(found)} page about returns"


def learn(client: httpx.Client, _: BaseDb) -> str:
    """Write down what was learned about a user."""
    body = {"learning_type": "user_profile", "user_id": "ada", "content": {"language": "English"}}
    learned = content(client.post("/learnings", json=body))
    return learned["learning_id"]


def plan(client: httpx.Client, _: BaseDb) -> str:
    """Schedule an hourly check, and let the scheduler run it once now."""
    body = {
        "name": "hourly check",
        "cron_expr": "0 * * * *",
        "endpoint": "/agents/ops-bot/runs",
        "payload": {"message": "How is the search?", "session_id": "hourly-check"},
    }
    schedule = content(client.post("/schedules", json=body))
    run = content(client.post(f"/schedules/{schedule['id']}/trigger"))
    if run["status"] != "success":
        raise Unexpected(f"the scheduled run ended as {run['status']}: {run['error']}")
    return f"hourly, ran once as {run['status']}"


def evaluate(client: httpx.Client, db: BaseDb) -> str:
    """Check that the helpdesk looks an order up before it answers.

    In this process, on the same `db`: AgentOS's route for it would send a note to agno over the network.
    """
    form = {"message": "Where is order 4711?", "session_id": "eval", "stream": "false"}
    run = content(client.post("/agents/helpdesk/runs", data=form))
    evaluation = ReliabilityEval(
        name="looks orders up",
        agent_response=RunOutput.from_dict(run),
        expected_tool_calls=["find_order"],
        db=db,
        telemetry=False,
    )
    evaluation.run(print_results=False)
    listed = content(client.get("/eval-runs"))["data"]
    verdict = listed[0]["eval_data"]["eval_status"]
    if verdict != "PASSED":
        raise Unexpected(f"the reliability eval says {verdict}")
    return f"{listed[0]['name']}: {verdict.lower()}"


def measure(client: httpx.Client, _: BaseDb) -> str:
    """Ask for today's metrics, which count over every database that has sessions."""
    content(client.post("/metrics/refresh"))
    days = content(client.get("/metrics"))["metrics"]
    sessions = sum(day["agent_sessions_count"] + day["team_sessions_count"] for day in days)
    tokens = sum(day["token_metrics"]["total_tokens"] for day in days)
    return f"{sessions} agent and team sessions, {tokens} tokens"


ERRANDS: dict[str, Callable[[httpx.Client, BaseDb], str]] = {
    "memory": remember,
    "knowledge": add_knowledge,
    "learning": learn,
    "schedule": plan,
    "eval": evaluate,
    "metrics": measure,
}


def _status(client: httpx.Client, content_id: str) -> str:
    response = client.get(f"/knowledge/content/{content_id}")
    # The upload answers before its background task has written the row.
    return response.json()["status"] if response.is_success else ""


def _until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + INDEXING_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise Unexpected(f"waited {INDEXING_SECONDS:.0f} seconds for {what}")
        time.sleep(0.1)
