"""Offloaded tool results, folded messages and foreign transcripts as agno's own classes keep them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from agno.session import AgentSession

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def result(id: str, **columns: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "result_id": id,
        "namespace": "ns",
        "path": f"/{id}",
        "session_id": "s1",
        "run_id": "r1",
        "tool_call_id": "c1",
        "tool_name": "search",
        "args_hash": "h",
        "content_type": "text",
        "size_bytes": 3,
        "line_count": 1,
        "preview": "pre",
        "created_at": 1,
        **columns,
    }


def test_tool_results_answer_and_store_alike(both: Both) -> None:
    assert both.get_tool_results_for_session("s1") == []
    assert both.get_expired_tool_results(9) == []
    for each in (
        result("a", expires_at=5),
        result("b", created_at=2, user_id="ann"),
        result("c", created_at=2, expires_at=9),
        result("d", session_id="s2", expires_at=10),
        result("a", preview="again", size_bytes=4),
    ):
        both.upsert_tool_result(each)
    for id in ("a", "b", "x"):  # noqa: A001
        both.get_tool_result(id)
    for limit in (None, 2):
        both.get_tool_results_for_session("s1", limit=limit)
    for now in (4, 5, 9, 10):
        theirs, mine = both.answers("get_expired_tool_results", now)
        assert sorted(mine, key=str) == sorted(theirs, key=str)
    both.delete_tool_results([])
    both.delete_tool_results(["b", "x", "c"])
    both.get_tool_results_for_session("s1")


def folded(id: str, **columns: Any) -> dict[str, Any]:  # noqa: A002
    return {"compaction_id": id, "session_id": "s1", "created_at": ord(id), "archived_messages": "Tea & 50%", **columns}


def test_compactions_answer_and_store_alike(both: Both) -> None:
    assert both.get_compactions_for_session("s1") == []
    assert both.search_compactions("s1", "tea") == []
    for each in (
        folded("a", summary="x", messages_compacted=3, tokens_before=9, tokens_after=1),
        folded("b", archived_messages="coffee", user_id="ann", run_id="r"),
        folded("c", session_id="s2"),
        folded("a", summary="never changes"),
    ):
        both.upsert_compaction(each)
    both.get_compaction("a")
    both.get_compaction("x")
    for limit in (None, 1):
        both.get_compactions_for_session("s1", limit=limit)
    for query in ("tea", ["TEA", "coff", ""], [], "", "50%"):
        both.search_compactions("s1", query)
    assert both.delete_compactions_for_session("s1") == 2
    both.get_compactions_for_session("s2")


def test_a_searched_percent_sign_is_a_percent_sign(both: Both) -> None:
    both.ours.upsert_compaction(folded("a"))
    assert len(both.ours.search_compactions("s1", "0%")) == 1
    assert both.ours.search_compactions("s1", "%0") == []


ALL = ("claude", "p", "t")


def test_transcripts_answer_and_store_alike(both: Both) -> None:
    both.upsert_session(AgentSession(session_id="s1", created_at=1), deserialize=False)
    assert both.get_transcript_entries(*ALL) == []
    assert both.list_transcript_sessions("claude", "p") == []
    for entries, subpath in (
        ([{"uuid": "1", "a": 1}, {"b": "\u00e9"}], None),
        ([{"uuid": "2"}, {"uuid": "1", "again": True}, {"uuid": "3"}, {"uuid": "3"}], None),
        ([{"uuid": "1", "side": True}], "sub/b"),
        ([{"uuid": "1"}], "sub/a"),
        ([], None),
    ):
        both.append_transcript_entries(*ALL, entries, "s1", subpath=subpath)
    both.append_transcript_entries("claude", "p", "u", [{}], "s1")
    for subpath in (None, "", "sub/a", "sub/b", "x"):
        both.get_transcript_entries(*ALL, subpath=subpath)
    both.list_transcript_subpaths(*ALL)
    theirs, mine = both.answers("list_transcript_sessions", "claude", "p")
    assert {each["session_id"] for each in mine} == {each["session_id"] for each in theirs} == {"t", "u"}
    assert all(abs(each["mtime"] - other["mtime"]) < 60_000 for each in mine for other in theirs)
    both.delete_transcript(*ALL, subpath="sub/a")
    both.list_transcript_subpaths(*ALL)
    both.delete_transcript(*ALL)
    both.get_transcript_entries(*ALL)
    both.list_transcript_subpaths(*ALL)
    both.delete_transcript(*ALL)


@pytest.mark.parametrize("writers", [8])
def test_many_who_append_lose_and_repeat_nothing(both: Both, writers: int) -> None:
    both.ours.upsert_session(AgentSession(session_id="s1", created_at=1), deserialize=False)

    def append(writer: int) -> None:
        for turn in range(5):
            entries = [{"uuid": f"{writer}-{turn}-{n}", "n": n} for n in range(3)]
            both.ours.append_transcript_entries(*ALL, entries, "s1")

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(append, range(writers)))
    uuids = [entry["uuid"] for entry in both.ours.get_transcript_entries(*ALL)]
    assert len(uuids) == len(set(uuids)) == writers * 15
    for writer in range(writers):
        mine = [uuid for uuid in uuids if uuid.startswith(f"{writer}-")]
        assert mine == [f"{writer}-{turn}-{n}" for turn in range(5) for n in range(3)]
