"""Products, sources, projects and tasks of a company as agno's own classes keep them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from dbrouter.backends.kernel.errors import Duplicate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle.conftest import Both


def product(id: str, **columns: Any) -> dict[str, Any]:  # noqa: A002
    return {"id": id, "name": f"product {id}", "created_at": ord(id[-1]), **columns}


def project(id: str, product_id: str = "p", **columns: Any) -> dict[str, Any]:  # noqa: A002
    row = {"id": id, "name": f"project {id}", "product_id": product_id, "status": "proposed", "transitions": []}
    return {**row, "created_at": ord(id[-1]), **columns}


def task(id: str, product_id: str = "p", **columns: Any) -> dict[str, Any]:  # noqa: A002
    row = {"id": id, "title": f"task {id}", "product_id": product_id, "status": "backlog", "transitions": []}
    return {**row, "created_at": ord(id[-1]), **columns}


def source(id: str, product_id: str = "p", **columns: Any) -> dict[str, Any]:  # noqa: A002
    row = {"id": id, "product_id": product_id, "reference": f"https://example.org/{id}", "type": "url"}
    return {**row, "created_at": ord(id[-1]), **columns}


def alike(both: Both, method: str, /, *args: Any, **kwargs: Any) -> Any:
    """The same answer, or the same refusal, from both."""

    def outcome(side: Any) -> Any:
        try:
            return getattr(side, method)(*args, **kwargs)
        except ValueError as error:
            return f"refused: {error}"

    theirs, mine = outcome(both.agno), outcome(both.ours)
    assert mine == theirs
    both.clock.tick()
    return mine


def fill(both: Both) -> None:
    for each in (product("p", user_id="ann"), product("q", user_id="bob", metadata={"archive_window_days": 3, "x": 1})):
        both.create_product(each)
    for each in (
        project("a", user_id="ann"),
        project("b", status="active", target_date=9),
        project("c", "q", status="done", updated_at=5),
    ):
        both.create_project(each)
    for each in (
        task("1", user_id="ann", project_id="a"),
        task("2", project_id="b", evidence=["e"], updated_at=1000),
        task("3", "q", project_id="c", status="done"),
        task("4", user_id="bob", brief="x", session_id="s", metadata={"m": None}),
    ):
        both.create_task(each)
    for each in (source("u"), source("v", user_id="ann", config={"branch": "main", "metadata": {"a": 1}})):
        both.create_source(each)
    both.clock.tick()


def everything(both: Both) -> None:
    for kind in ("product", "project", "task", "source"):
        getattr(both, f"get_{kind}s")(include_deleted=True, limit=50)
        getattr(both, f"get_{kind}s")(limit=50)
    both.get_product_counts(["p", "q", "nobody"])
    both.get_project_counts(["a", "b", "c", "nobody"])


def test_empty_tables_answer_alike(both: Both) -> None:
    for kind in ("product", "project", "task", "source"):
        getattr(both, f"get_{kind}")("x")
        getattr(both, f"get_{kind}s")()
        getattr(both, f"delete_{kind}")("x")
        getattr(both, f"restore_{kind}")("x")
    both.get_product_counts([])
    both.count_company_acceptances("r", "p", "x")
    alike(both, "transition_task", "x", "ready", "why")
    alike(both, "add_product_routine", "x", "r")


def test_lists_answer_alike(both: Both) -> None:
    fill(both)
    everything(both)
    for kind in ("product", "project", "task"):
        lists = getattr(both, f"get_{kind}s")
        for asked in (
            {"user_id": "ann"},
            {"user_id": ""},
            {"limit": 1, "page": 2},
            {"sort_by": "updated_at"},
            {"sort_by": "updated_at", "sort_order": "asc"},
            {"sort_order": "asc"},
        ):
            lists(**asked)
        for asked in ({"limit": 0}, {"page": 0}, {"sort_by": "name"}, {"sort_order": "up"}):
            assert "refused" in alike(both, f"get_{kind}s", **asked)
        for id in ("p", "a", "1", "u"):  # noqa: A001
            for user_id in (None, "ann", "bob"):
                getattr(both, f"get_{kind}")(id, user_id=user_id)
    both.get_projects(product_id="p", status="active")
    both.get_sources(product_id="p", user_id="ann")
    for asked in (
        {"product_id": "q"},
        {"status": "done"},
        {"project_id": "a"},
        {"session_id": "s"},
        {"failed": True},
        {"failed": False},
    ):
        both.get_tasks(**asked)


def test_products_change_alike(both: Both) -> None:
    fill(both)
    alike(both, "update_product", "p", name="new", purpose="x")
    alike(both, "update_product", "p", user_id="bob", name="stolen")
    alike(both, "add_product_routine", "p", "r1")
    alike(both, "add_product_routine", "p", "r2")
    alike(both, "add_product_routine", "p", "r1")
    alike(both, "update_product", "p", metadata={"archive_window_days": 1})
    alike(both, "update_product", "p", metadata={"routine_ids": ["r9"]})
    for fields in ({"name": " "}, {"user_id2": 1}, {"metadata": {"archive_window_days": -1}}, {"purpose": 3}):
        assert "refused" in alike(both, "update_product", "q", **fields)
    everything(both)


def test_sources_change_alike(both: Both) -> None:
    fill(both)
    alike(both, "create_source", source("w", reference="https://example.org/u"), reuse=True)
    alike(both, "create_source", source("w", reference="https://example.org/u", type="repository"), reuse=True)
    alike(both, "create_source", source("w", reference="https://example.org/v", config={"branch": "main"}), reuse=True)
    alike(both, "create_source", source("w", "nobody"))
    alike(both, "update_source", "u", reference="https://example.org/new")
    alike(both, "update_source", "v", user_id="bob", type="url")
    alike(both, "update_source", "v", config={"branch": 3})
    alike(both, "delete_source", "u")
    alike(both, "update_source", "u", type="url")
    alike(both, "create_source", source("w", reference="https://example.org/new"), reuse=True)
    alike(both, "restore_source", "u", user_id="ann")
    alike(both, "restore_source", "u")
    everything(both)


def test_projects_move_on_alike(both: Both) -> None:
    fill(both)
    alike(both, "update_project", "a", expected_status="active", name="x")
    alike(both, "update_project", "a", expected_status="proposed", name="x")
    alike(both, "update_project", "a", status="done")
    alike(both, "transition_project", "a", "active", "go", accepted_by="ann")
    alike(both, "transition_project", "a", "active", "again")
    alike(both, "transition_project", "a", "done", "finished")
    alike(both, "transition_task", "1", "cancelled", "no")
    alike(both, "transition_project", "a", "done", "finished", user_id="bob")
    alike(both, "transition_project", "a", "done", "finished", expected_updated_at=3)
    alike(both, "transition_project", "a", "done", "finished", accepted_by="ann")
    alike(both, "create_task", task("9", project_id="a"))
    alike(both, "create_task", task("9", project_id="a", status="done"))
    alike(both, "create_project", project("a"), reuse=True)
    alike(both, "create_project", project("a", "q"), reuse=True)
    alike(both, "create_project", project("z", "nobody"))
    everything(both)


def test_tasks_move_on_alike(both: Both) -> None:
    fill(both)
    alike(both, "update_task", "1", title="new", project_id="b")
    alike(both, "update_task", "1", project_id="c")
    alike(both, "update_task", "1", user_id="bob", title="stolen")
    alike(both, "update_task", "1", status="done")
    alike(both, "transition_task", "1", "ready", " ")
    alike(both, "transition_task", "1", "ready", "why")
    alike(both, "transition_task", "1", "in_review", "why")
    both.agno.transition_task("1", "ready", "why", accepted_by="ann", executor_type="agent", executor_id="x")
    both.ours.transition_task("1", "ready", "why", accepted_by="ann", executor_type="agent", executor_id="x")
    history = both.get_task("1")["transitions"]
    alike(both, "start_task_run", "1", 1, [])
    alike(both, "start_task_run", "1", 2, history)
    alike(both, "start_task_run", "1", 1, history, user_id="ann", run_db_id="db")
    running = both.get_task("1")
    alike(both, "complete_task_run", "1", "other", {"status": "COMPLETED"})
    alike(both, "complete_task_run", "1", running["job_id"], {"status": "COMPLETED"}, expected_transitions=[])
    alike(both, "complete_task_run", "1", running["job_id"], {"status": "ERROR"}, running["transitions"], {"sha": "x"})
    both.get_tasks(failed=True)
    both.get_tasks(failed=False)
    alike(both, "complete_task_run", "1", running["job_id"], {"status": "COMPLETED"})
    alike(both, "update_task", "1", title="too late")
    alike(both, "transition_task", "1", "backlog", "again", expected_updated_at=1)
    alike(both, "transition_task", "1", "backlog", "again")
    everything(both)


def test_a_proposal_is_made_once(both: Both) -> None:
    fill(both)
    alike(both, "create_task", task("8", dedupe_key="k", project_id="b"))
    alike(both, "create_task", task("9", dedupe_key="k"))
    alike(both, "create_task", task("9", "q", dedupe_key="k"))
    with pytest.raises(Duplicate):
        both.ours.create_task(task("1"))


def test_routines_accept_no_more_than_they_may(both: Both) -> None:
    fill(both)
    accepts = {"routine_id": "r", "policy": "p1", "max_acceptances": 1}
    for number in ("5", "6"):
        alike(both, "create_task", task(number, routine_id="r", updated_at=7))
    ready = {"accepted_by": "routine", "executor_type": "agent", "executor_id": "x", "auto_accept": accepts}
    assert "refused" in alike(both, "transition_task", "5", "ready", "auto", **ready)
    for side in (both.agno, both.ours):
        assert side.transition_task("5", "ready", "auto", expected_updated_at=7, **ready)["status"] == "ready"
        with pytest.raises(ValueError, match="limit reached"):
            side.transition_task("6", "ready", "auto", expected_updated_at=7, **ready)
    for excluded in ("x", "5"):
        for user_id in (None, "ann"):
            both.count_company_acceptances("r", "p1", excluded, user_id=user_id)
    both.count_company_acceptances("r", "other", "x")
    alike(both, "transition_project", "c", "done", "auto", auto_accept=accepts)


def test_archives_take_with_them_and_bring_back_alike(both: Both) -> None:
    fill(both)
    alike(both, "delete_task", "3", updated_before=1)
    alike(both, "delete_task", "3")
    alike(both, "delete_project", "c", updated_before=2)
    alike(both, "delete_project", "c", updated_before=2_000_000_000)
    everything(both)
    alike(both, "restore_project", "c")
    alike(both, "restore_task", "3")
    alike(both, "delete_product", "p", user_id="bob")
    alike(both, "delete_product", "p")
    everything(both)
    for name, args in (
        ("restore_task", ("1",)),
        ("update_task", ("1",)),
        ("restore_project", ("a",)),
        ("create_project", (project("z"),)),
        ("create_task", (task("z"),)),
        ("create_source", (source("z"),)),
        ("delete_product", ("p",)),
        ("add_product_routine", ("p", "r")),
    ):
        alike(both, name, *args)
    alike(both, "restore_product", "p", user_id="bob")
    alike(both, "restore_product", "p")
    alike(both, "restore_product", "p")
    everything(both)


def test_open_tasks_keep_a_product_from_the_archive(both: Both) -> None:
    fill(both)
    alike(both, "create_task", task("7", status="in_progress", project_id="b"))
    assert "active Tasks" in alike(both, "delete_product", "p")
    assert "active Tasks" in alike(both, "delete_project", "b")
    everything(both)


def race(workers: int, call: Callable[[int], Any]) -> list[Any]:
    def attempt(number: int) -> Any:
        try:
            return call(number)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(attempt, range(workers)))


def test_no_task_is_added_to_a_product_while_it_goes_to_the_archive(both: Both) -> None:
    for round_ in range(6):
        name = f"race{round_}"
        both.ours.create_product(product(name))

        def work(number: int, name: str = name) -> Any:
            if number == 3:
                return both.ours.delete_product(name)
            return both.ours.create_task(task(f"{name}-{number}", name, status="ready"))

        outcomes = race(6, work)
        gone = both.ours.get_product(name) is None
        added = [each for each in outcomes if isinstance(each, dict)]
        assert gone == (outcomes[3] is True)
        assert not (gone and added)


def test_of_many_who_move_a_task_on_one_does(both: Both) -> None:
    both.ours.create_product(product("p"))
    for round_ in range(5):
        both.ours.create_task(task(f"t{round_}"))
        outcomes = race(
            8, lambda number, task_id=f"t{round_}": both.ours.transition_task(task_id, "cancelled", f"by {number}")
        )
        assert sum(isinstance(each, dict) for each in outcomes) == 1
        assert len(both.ours.get_task(f"t{round_}")["transitions"]) == 1
