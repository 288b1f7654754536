"""Traces in an agno database: written behind, each trace once, through the class's own methods."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbrouter import DbRouter
from dbrouter.backends.kernel.errors import Unavailable
from tests.any_agno.routers import agno, router
from tests.families.trace_samples import span, trace


def routed(folder: Path, path: str = "sqlite.SqliteDb", **rest: Any) -> DbRouter:
    arguments = {"db_file": str(folder / "x.db")} if path == "sqlite.SqliteDb" else {"db_path": str(folder)}
    databases = {"ours": {"kind": "memory"}, "theirs": agno(path, **arguments)}
    return router(databases, agentos={"db": "ours", "trace_db": "theirs"}, **rest)


def their(db: DbRouter) -> Any:
    """The object of agno's class."""
    return db.database("theirs").methods.instances.here()  # type: ignore[attr-defined]


def counted(db: DbRouter, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the class is asked, from now on."""
    asked: list[str] = []

    def counting(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            asked.append(name)
            return method(*args, **kwargs)

        return called

    for name in ("upsert_trace", "create_spans", "create_span", "get_trace", "get_span"):
        monkeypatch.setattr(their(db), name, counting(name, getattr(their(db), name)))
    return asked


@pytest.mark.parametrize("path", ["sqlite.SqliteDb", "json.JsonDb"])
def test_what_was_written_can_be_read_at_once(tmp_path: Path, path: str) -> None:
    db = routed(tmp_path, path)
    db.upsert_trace(trace("t1", run_id="r", agent_id="a"))
    db.create_spans([span("1", "t1"), span("2", "t1", status_code="ERROR")])
    found = db.get_trace("t1")
    assert found is not None
    assert (found.total_spans, found.error_count, found.agent_id) == (2, 1, "a")
    assert {each.span_id for each in db.get_spans("t1")} == {"1", "2"}
    assert db.get_span("2").status_code == "ERROR"  # type: ignore[union-attr]
    assert [each.trace_id for each in db.get_traces(run_id="r")[0]] == ["t1"]
    db.close()


def test_what_a_run_tells_of_its_trace_is_written_in_two_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = routed(tmp_path, traces={"max_delay_ms": 60_000})
    asked = counted(db, monkeypatch)
    for number in range(50):
        db.upsert_trace(trace("t1", 0, number + 1, agent_id="a"))
        db.create_spans([span(str(number), "t1", number, number + 1)])
    assert asked == []
    assert len(db.get_spans("t1")) == 50
    assert asked == ["upsert_trace", "create_spans"]
    assert db.get_trace("t1").duration_ms == 50_000  # type: ignore[union-attr]
    db.close()


def test_spans_whose_trace_nobody_told_get_one(tmp_path: Path) -> None:
    db = routed(tmp_path)
    db.create_spans([span("1", "t1")])
    assert db.get_trace("t1") is not None
    assert [each.span_id for each in db.get_spans()] == ["1"]
    db.close()


def test_a_span_that_is_stored_already_costs_no_other(tmp_path: Path) -> None:
    db = routed(tmp_path)
    db.upsert_trace(trace("t1"))
    db.create_spans([span("1", "t1")])
    assert len(db.get_spans("t1")) == 1
    # agno's class refuses the whole batch, and says so to nobody.
    db.create_spans([span("1", "t1"), span("2", "t1"), span("3", "t1")])
    assert {each.span_id for each in db.get_spans("t1")} == {"1", "2", "3"}
    db.close()


def test_traces_wait_for_a_database_that_is_away(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    databases = {"ours": {"kind": "memory"}, "theirs": agno("sqlite.SqliteDb", db_url=f"sqlite:///{folder}/x.db")}
    db = router(databases, agentos={"db": "ours", "trace_db": "theirs"}, traces={"max_delay_ms": 60_000})
    db.upsert_trace(trace("t1"))
    db.create_spans([span("1", "t1")])
    with pytest.raises(Unavailable):
        db.get_trace("t1")
    folder.mkdir()
    assert db.get_trace("t1") is not None
    assert [each.span_id for each in db.get_spans("t1")] == ["1"]
    db.close()


def test_statistics_that_the_class_does_not_have_are_refused_in_its_words(tmp_path: Path) -> None:
    db = routed(tmp_path, "json.JsonDb")
    db.upsert_trace(trace("t1", session_id="s"))
    assert db.get_trace_stats()[1] == 1
    with pytest.raises(NotImplementedError, match="group_by='agent' is not supported by JsonDb"):
        db.get_trace_stats(group_by="agent")
    with pytest.raises(ValueError, match=r"JsonDb\.get_traces does not know the argument filter_expr"):
        db.get_traces(filter_expr={"op": "EQ", "key": "status", "value": "OK"})
    with pytest.raises(NotImplementedError):
        db.get_span_stats()
    db.close()
