"""Rows that agno's classes wrote are read by ours, and the reverse; both may write one database in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.interchange.stories import STORIES, Story
from tests.oracle.conftest import plain
from tests.oracle.test_metrics import SPENT

if TYPE_CHECKING:
    from tests.interchange.conftest import Opened, Place

stories = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)


UNORDERED = {"search_learnings", "get_approvals", "get_spans", "get_learnings_user_stats"}
"""What has the order of times that may be equal here."""


def answers(db: Opened, story: Story) -> list[Any]:
    return [asked_of(db, method, asked) for method, asked in story.asked]


def asked_of(db: Opened, method: str, asked: dict[str, Any]) -> Any:
    answer = plain(getattr(db, method)(**asked))
    if method not in UNORDERED:
        return answer
    return (sorted(answer[0], key=repr), answer[1]) if isinstance(answer, tuple) else sorted(answer, key=repr)


def tell(db: Opened, *chapters: Callable[[Any], None]) -> None:
    """Write, and close: what ours wrote behind is stored then."""
    for chapter in chapters:
        chapter(db)
    db.close()


def assert_both_read_the_same(place: Place, story: Story) -> None:
    theirs, mine = answers(place.agno(), story), answers(place.ours(), story)
    for question, their_answer, my_answer in zip(story.asked, theirs, mine, strict=True):
        assert my_answer == their_answer, question
    assert any(theirs)


@stories
def test_what_agno_wrote_is_read_as_agno_reads_it(place: Place, story: Story) -> None:
    tell(place.agno(), story.write)
    assert_both_read_the_same(place, story)


@stories
def test_what_ours_wrote_is_read_by_agno_as_by_ours(place: Place, story: Story) -> None:
    tell(place.ours(), story.write)
    assert_both_read_the_same(place, story)


@stories
def test_what_agno_wrote_is_changed_by_ours(place: Place, story: Story) -> None:
    tell(place.agno(), story.write)
    tell(place.ours(), story.change)
    assert_both_read_the_same(place, story)


@stories
def test_what_ours_wrote_is_changed_by_agno(place: Place, story: Story) -> None:
    tell(place.ours(), story.write)
    tell(place.agno(), story.change)
    assert_both_read_the_same(place, story)


def test_both_stay_open_and_write_in_turn(place: Place) -> None:
    """A deployment that moves one process after the other."""
    sides = [place.agno(), place.ours()]
    story = STORIES["sessions"]
    story.write(sides[0])
    for turn in range(6):
        session = sides[turn % 2].get_session("s1")
        session.session_data["session_state"]["n"] += 1
        sides[turn % 2].upsert_session(session)
        # With a time: agno's objects of runs without one are as old as the reading.
        run = {"run_id": f"turn{turn}", "agent_id": "a", "status": "COMPLETED", "created_at": 9}
        sides[turn % 2].upsert_run(run, "s1")
    for side in sides:
        assert side.get_session("s1").session_data["session_state"] == {"n": 7}
        ids = [run["run_id"] for run in side.get_session("s1", deserialize=False)["runs"]]
        assert ids[-6:] == [f"turn{turn}" for turn in range(6)]
    assert_both_read_the_same(place, story)


def test_metrics_that_either_computed_are_the_others_too(place: Place) -> None:
    for side in (place.agno(), place.ours()):
        STORIES["sessions"].write(side)
        session = side.get_session("s1")
        session.session_data.update(SPENT)
        side.upsert_session(session)
        side.calculate_metrics()
        theirs, mine = place.agno().get_metrics(), place.ours().get_metrics()
        assert rows(mine) == rows(theirs)
        assert rows(mine)


def rows(metrics: tuple[list[dict[str, Any]], int | None]) -> list[dict[str, Any]]:
    found = [{**each, "updated_at": None} for each in metrics[0]]
    return sorted(found, key=lambda row: (row["date"], row["user_id"] or ""))


def test_a_schedule_claimed_by_one_is_not_due_for_the_other(place: Place) -> None:
    theirs, mine = place.agno(), place.ours()
    STORIES["schedules"].write(theirs)
    claimed = [side.claim_due_schedule(worker) for side, worker in ((mine, "w1"), (theirs, "w2"), (mine, "w3"))]
    assert [each and each["id"] for each in claimed] == ["s2", "s1", "s5"]
    assert theirs.claim_due_schedule("w4") is None
    assert mine.claim_due_schedule("w4") is None
    at = claimed[0]["locked_at"]
    assert theirs.release_schedule("s2", int(time.time()) - 5, worker_id="w2", locked_at=at) is False
    assert theirs.release_schedule("s2", int(time.time()) - 5, worker_id="w1", locked_at=at) is True
    assert mine.claim_due_schedule("w5")["id"] == "s2"


def test_version_stamps_of_tables_are_equal(place: Place) -> None:
    theirs = place.agno()
    theirs._create_all_tables()
    mine = place.ours()
    mine._create_all_tables()
    for table in ("agno_sessions", "agno_runs", "agno_memories", "agno_schema_versions"):
        assert mine.get_latest_schema_version(table) == theirs.get_latest_schema_version(table)
    mine.upsert_schema_version("agno_sessions", "9.9.9")
    assert theirs.get_latest_schema_version("agno_sessions") == "9.9.9"


def test_tables_that_ours_created_have_agnos_stamp(place: Place) -> None:
    place.ours()._create_all_tables()
    theirs = place.agno()
    for table in ("agno_sessions", "agno_runs", "agno_memories", "agno_evals", "agno_approvals"):
        assert theirs.get_latest_schema_version(table) in ("3.0.0", "2.0.0")
    assert theirs.get_latest_schema_version("agno_sessions") == "3.0.0"


def test_values_that_only_agno_writes_are_read(place: Place) -> None:
    """SQLite takes Python's NaN from agno's serializer, and Postgres a NUL taken out of a text."""
    theirs, mine = place.agno(), place.ours()
    STORIES["sessions"].write(theirs)
    session = theirs.get_session("s1")
    session.session_data["session_state"] = {"n": float("inf")} if place.kind == "sqlite" else {"n": "nul\0"}
    theirs.upsert_session(session)
    assert (
        mine.get_session("s1").session_data["session_state"] == theirs.get_session("s1").session_data["session_state"]
    )
    assert [row["session_id"] for row in mine.get_sessions(session_name="tea t", deserialize=False)[0]] == ["s1"]


def test_integers_beyond_64_bits_that_agno_wrote_are_not_rounded(place: Place) -> None:
    theirs, mine = place.agno(), place.ours()
    STORIES["sessions"].write(theirs)
    session = theirs.get_session("s1")
    state = {"odd": 2**70 + 1, "wei": 1_500 * 10**18, "minus": -(2**64)}
    session.session_data["session_state"] = state
    theirs.upsert_session(session)
    read = mine.get_session("s1")
    assert repr(read.session_data["session_state"]) == repr(state)
    mine.upsert_session(read)
    assert repr(mine.get_session("s1").session_data["session_state"]) == repr(state)
