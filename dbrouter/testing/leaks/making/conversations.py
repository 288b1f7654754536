"""What conversations leave: tool results, compactions, transcripts; and runs that are fenced."""

from __future__ import annotations

from typing import Any

from dbrouter.testing.leaks.making.hand import Calls, Hand, Makers


def _tool_result(hand: Hand) -> dict[str, Any]:
    return {
        "result_id": hand.id(),
        "namespace": hand.id(),
        "path": hand.text(),
        "session_id": hand.id(),
        "run_id": hand.id(),
        "tool_call_id": hand.id(),
        "tool_name": hand.text(),
        "args_hash": hand.id(),
        "content_type": "text/plain",
        "size_bytes": hand.random.randint(0, 9),
        "line_count": 1,
        "preview": hand.text(),
        "user_id": hand.maybe_user(),
        "created_at": hand.second(),
        "expires_at": hand.second(),
    }


def _compaction(hand: Hand) -> dict[str, Any]:
    return {
        "compaction_id": hand.id(),
        "session_id": hand.id(),
        "run_id": hand.maybe_id(),
        "user_id": hand.maybe_user(),
        "first_kept_message_id": hand.maybe_id(),
        "summary": hand.text(),
        "archived_messages": hand.text(),
        "messages_compacted": hand.random.randint(0, 9),
        "tokens_before": 9,
        "tokens_after": 3,
        "created_at": hand.second(),
    }


def _entry(hand: Hand) -> dict[str, Any]:
    return {"uuid": hand.maybe_id(), "type": "user", "text": hand.text()}


def _transcript(hand: Hand) -> dict[str, Any]:
    """Few of them, so that what is asked for is often there."""
    return {"framework": "claude", "project_key": hand.few(), "session_id": hand.few()}


def _part(hand: Hand) -> dict[str, Any]:
    return {**_transcript(hand), "subpath": hand.few() if hand.rarely() else None}


def _fields(hand: Hand) -> dict[str, Any]:
    return {"status": hand.random.choice(["RUNNING", "COMPLETED", "PAUSED"]), "content": hand.text()}


def _run_dict(hand: Hand) -> dict[str, Any]:
    return {"run_id": hand.id(), "agent_id": hand.maybe_id(), "status": "PENDING", "content": hand.text()}


MAKERS: Makers = {
    "result_id": lambda hand: hand.id(),
    "result_ids": lambda hand: hand.ids(),
    "compaction_id": lambda hand: hand.id(),
    "now": lambda hand: hand.second(),
    "run_dict": _run_dict,
    "fields": _fields,
    "expected_attempt": lambda hand: hand.random.randint(0, 2),
    "content_if_absent": lambda hand: hand.text(),
    "session_data": lambda hand: hand.data(),
}

CALLS: Calls = {
    "upsert_tool_result": lambda hand: {"row": _tool_result(hand)},
    "upsert_compaction": lambda hand: {"row": _compaction(hand)},
    "append_transcript_entries": lambda hand: {
        **_part(hand),
        "entries": [_entry(hand) for _ in range(hand.random.randint(1, 3))],
        "agno_session_id": hand.id(),
    },
    "get_transcript_entries": _part,
    "delete_transcript": _part,
    "list_transcript_subpaths": _transcript,
    "list_transcript_sessions": lambda hand: {"framework": "claude", "project_key": hand.few()},
}
