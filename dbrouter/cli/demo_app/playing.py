"""Conversations as YAML, played through AgentOS's REST API as a browser would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from dbrouter.cli.demo_app.unexpected import Unexpected, content

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a user says, what the answer has to contain, and who approves what the agent wants to do, if it asks."""

    say: str
    expect: str
    approved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Turns of one user with one component (`agents/helpdesk`) in one session."""

    title: str
    to: str
    session: str
    turns: tuple[Turn, ...]
    user: str | None = None
    stream: bool = False

    @classmethod
    def read(cls, text: str) -> Conversation:
        """Read a conversation from YAML; `TypeError` names a key that is missing or too many."""
        read: dict[str, Any] = yaml.safe_load(text)
        turns = tuple(Turn(**turn) for turn in read.pop("turns"))
        return cls(turns=turns, **read)


def load() -> list[Conversation]:
    """Return the conversations of `examples/`, in the order of their file names."""
    # The repository's `examples/conversations` is a link to this folder, so that an installed dbrouter has it too.
    folder = Path(__file__).parent / "conversations"
    return [Conversation.read(path.read_text()) for path in sorted(folder.glob("*.yaml"))]


def play(conversation: Conversation, client: httpx.Client) -> Iterator[tuple[Turn, str]]:
    """Have the conversation; yields each turn with its answer, raises `Unexpected` when the answer is another."""
    for turn in conversation.turns:
        answer = _answer(conversation, turn, client)
        if turn.expect not in answer:
            raise Unexpected(f"{conversation.to} answered {answer!r} to {turn.say!r}; expected {turn.expect!r} in it")
        yield turn, answer


def _answer(conversation: Conversation, turn: Turn, client: httpx.Client) -> str:
    form = {"session_id": conversation.session, "stream": str(conversation.stream).lower()}
    if conversation.user is not None:
        form["user_id"] = conversation.user
    response = client.post(f"/{conversation.to}/runs", data={"message": turn.say, **form})
    if conversation.stream and response.is_success:
        return _streamed(response.text)
    run = content(response)
    if turn.approved_by is not None:
        _approve(run, turn.approved_by, client)
        run = content(client.post(f"/{conversation.to}/runs/{run['run_id']}/continue", data=form))
    return str(run["content"])


def _approve(run: dict[str, Any], approver: str, client: httpx.Client) -> None:
    pending = content(client.get("/approvals", params={"run_id": run["run_id"], "status": "pending"}))["data"]
    if run["status"] != "PAUSED" or not pending:
        raise Unexpected(
            f"run {run['run_id']} is {run['status']}, with {len(pending)} approvals for {approver} to give"
        )
    for approval in pending:
        resolution = {"status": "approved", "resolved_by": approver}
        content(client.post(f"/approvals/{approval['id']}/resolve", json=resolution))


def _streamed(events: str) -> str:
    """Put an answer together from the server-sent events it came in."""
    lines = (line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data: "))
    pieces = (json.loads(line) for line in lines)
    return "".join(piece["content"] for piece in pieces if piece.get("event") == "RunContent")
