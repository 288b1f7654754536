"""Stored agents, teams and workflows as agno's own classes keep them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from agno.db.base import ComponentDependencyError, ComponentType

from tests.oracle.conftest import plain

if TYPE_CHECKING:
    from tests.oracle.conftest import Both

AGENT, TEAM, WORKFLOW = ComponentType.AGENT, ComponentType.TEAM, ComponentType.WORKFLOW


def alike(both: Both, method: str, /, *args: Any, **kwargs: Any) -> Any:
    """The same answer, or the same refusal, from both."""

    def outcome(side: Any) -> Any:
        try:
            return getattr(side, method)(*args, **kwargs)
        except ValueError as error:
            return f"{type(error).__name__}: {error}"

    theirs, mine = plain(outcome(both.agno)), plain(outcome(both.ours))
    assert mine == theirs
    both.clock.tick()
    return mine


def link(child: str, version: int | None = 1, kind: str = "member", key: str = "", **columns: Any) -> dict[str, Any]:
    return {
        "link_kind": kind,
        "link_key": key or child,
        "child_component_id": child,
        "child_version": version,
        "position": 0,
        **columns,
    }


def create(both: Both, id: str, kind: ComponentType = AGENT, **columns: Any) -> Any:  # noqa: A002
    return alike(
        both,
        "create_component_with_config",
        **{"component_id": id, "component_type": kind, "name": f"{id}!", "config": {"n": id}, **columns},
    )


def fill(both: Both) -> None:
    create(both, "a", stage="published", user_id="ann", label="first")
    create(both, "b", description="draft", metadata={"x": [1]}, user_id="bob")
    create(both, "c", stage="published")
    create(both, "t", TEAM, links=[link("a"), link("b", position=1, meta={"m": 1})], user_id="ann")


def everything(both: Both) -> None:
    both.list_components(include_deleted=True, limit=50)
    both.list_components(limit=50)
    for id in ("a", "b", "c", "t", "w"):  # noqa: A001
        for user_id in (None, "ann", "bob"):
            both.get_component(id, user_id=user_id)
            both.get_component(id, user_id=user_id, include_deleted=True)
        both.list_configs(id, include_config=True, include_deleted=True)
        both.list_configs(id)
        both.get_config(id)
        both.get_current_config(id)
        both.get_latest_config(id)
        both.load_component_graph(id)
        for version in (1, 2, 3):
            both.get_config(id, version=version)
            both.get_config(id, version=version, include_deleted=True)
            theirs, mine = both.answers("get_links", id, version)
            assert sorted(mine, key=str) == sorted(theirs, key=str)
        for active in (False, True):
            for user_id in (None, "ann"):
                theirs, mine = both.answers("get_dependents", id, active_parents_only=active, parent_user_id=user_id)
                assert sorted(mine, key=str) == sorted(theirs, key=str)
    both.get_latest_configs({"a", "b", "t", "nobody"})


def test_empty_tables_answer_alike(both: Both) -> None:
    everything(both)
    both.get_latest_configs(set())
    for method, args in (
        ("delete_component", ("x",)),
        ("restore_component", ("x",)),
        ("delete_config", ("x", 1)),
        ("set_current_version", ("x", 1)),
    ):
        alike(both, method, *args)
    for each in (both.agno, both.ours):
        # What agno misses depends on its class: the table on Postgres, the component on SQLite.
        with pytest.raises(ValueError, match="not found"):
            each.upsert_config("x", {})


def test_components_are_created_and_read_alike(both: Both) -> None:
    fill(both)
    everything(both)
    for asked in (
        {"component_type": TEAM},
        {"user_id": "ann"},
        {"user_id": "nobody"},
        {"name": "a!"},
        {"exclude_component_ids": {"a", "t"}},
        {"limit": 1, "offset": 2},
    ):
        both.list_components(**asked)
    both.get_component("a", TEAM)
    both.get_config("a", label="first")
    both.get_config("a", label="second")
    both.get_dependents("a", version=2)
    both.get_links("t", 1, link_kind="step_agent")
    assert "not available" in create(both, "a")
    assert "Invalid stage" in create(both, "z", stage="live")
    assert "child_version" in create(both, "z", links=[link("a", None)])
    assert "CycleError" in create(both, "z", links=[link("z")])
    assert "Invalid stage" in create(both, "z", stage=None)
    assert "publish the child first" in create(both, "z", stage="published", links=[link("b")])
    create(both, "z", stage="published", links=[link("b", kind="prompt")])


def test_a_component_without_a_name_is_called_by_its_id(both: Both, side: str) -> None:
    theirs, mine = both.answers("upsert_component", "a", AGENT)
    # agno's Postgres class leaves the name empty, which its SQLite table cannot.
    assert mine == (theirs if side != "postgres" else theirs | {"name": "a"})
    assert both.ours.create_component_with_config("b", AGENT, None, {})[0]["name"] == "b"


def test_rows_change_alike(both: Both) -> None:
    fill(both)
    alike(both, "upsert_component", "n", AGENT, name="new", user_id="ann")
    alike(both, "upsert_component", "n", name="newer", metadata={})
    alike(both, "upsert_component", "n", AGENT, description="d")
    assert "Cannot change" in alike(both, "upsert_component", "n", TEAM)
    assert "not found" in alike(both, "upsert_component", "n", name="stolen", user_id="bob")
    assert "required" in alike(both, "upsert_component", "m")
    for version in (1, 9):
        alike(both, "upsert_component", "b", current_version=version)
        alike(both, "upsert_component", "a", current_version=version)
    everything(both)


def test_versions_are_written_published_and_deleted_alike(both: Both) -> None:
    fill(both)
    alike(both, "upsert_config", "a", {"n": 2, "name": "renamed", "description": ""}, label="two", notes="x")
    alike(both, "upsert_config", "a", version=2, config={"n": 3}, label="two")
    assert "already exists" in alike(both, "upsert_config", "a", {"n": 4}, label="two")
    assert "Cannot update published" in alike(both, "upsert_config", "a", {"n": 4}, version=1)
    assert "not found" in alike(both, "upsert_config", "a", {"n": 4}, version=7)
    assert "not found" in alike(both, "upsert_config", "a", {"n": 4}, user_id="bob")
    assert "required" in alike(both, "upsert_config", "a")
    assert "expected 1" in alike(both, "upsert_config", "a", {"n": 4}, expected_latest_version=1)
    alike(both, "upsert_config", "a", {"n": 4, "metadata": {"k": 1}}, expected_latest_version=2)
    assert "expected" in alike(both, "upsert_config", "a", version=2, stage="published", expected_current_version=7)
    alike(both, "upsert_config", "a", version=2, stage="published", expected_current_version=1)
    everything(both)
    alike(both, "set_current_version", "a", 1, expected_current_version=2)
    alike(both, "set_current_version", "a", 1, user_id="bob")
    assert "draft" in alike(both, "set_current_version", "a", 3)
    alike(both, "set_current_version", "a", 9)
    assert "DraftRequired" in alike(both, "delete_config", "a", 2)
    alike(both, "delete_config", "a", 3, user_id="bob")
    alike(both, "delete_config", "a", 3)
    alike(both, "delete_config", "a", 3)
    alike(both, "upsert_config", "a", {"n": 5})
    assert "LastConfig" in alike(both, "delete_config", "t", 1)
    everything(both)


def test_links_hold_what_they_pin_alike(both: Both) -> None:
    fill(both)
    assert "publish the child first" in alike(both, "upsert_config", "t", version=1, stage="published")
    alike(both, "upsert_config", "b", {"n": 2})
    assert "pinned by t" in alike(both, "delete_config", "b", 1)
    assert "CycleError" in alike(both, "upsert_config", "a", {"n": 2}, links=[link("t")])
    alike(both, "upsert_config", "t", version=1, links=[link("a"), link("c", key="second")])
    alike(both, "upsert_config", "t", version=1, stage="published", links=None)
    alike(both, "delete_config", "b", 1)
    assert "referenced by t" in alike(both, "delete_component", "a")
    alike(both, "delete_component", "a", user_id="bob")
    alike(both, "delete_component", "t")
    alike(both, "delete_component", "a")
    everything(both)
    assert "archived" in alike(both, "restore_component", "t")
    assert "archived" in alike(both, "upsert_config", "a", {"n": 9})
    assert "archived" in alike(both, "upsert_component", "a", name="x")
    assert "archived" in alike(both, "delete_config", "a", 1)
    assert "archived component" in create(both, "y", links=[link("a")])
    alike(both, "restore_component", "a", user_id="bob")
    alike(both, "restore_component", "a", user_id="ann")
    alike(both, "restore_component", "a")
    alike(both, "restore_component", "t")
    everything(both)


def test_what_is_not_stored_is_not_linked_on_any_database(both: Both) -> None:
    """agno's Postgres raises the driver's error; agno's tables on SQLite lack the foreign key."""
    fill(both)
    with pytest.raises(ComponentDependencyError, match="no such component"):
        both.ours.create_component_with_config("y", AGENT, "y", {}, links=[link("nobody")])
    with pytest.raises(ComponentDependencyError, match="no such component"):
        both.ours.upsert_config("a", {"n": 2}, links=[link("b"), link("nobody")])
    everything(both)


def test_removal_takes_versions_and_links_with_it_alike(both: Both) -> None:
    fill(both)
    assert "referenced by t" in alike(both, "delete_component", "a", hard_delete=True)
    assert "expected 5" in alike(both, "delete_component", "c", expected_current_version=5)
    alike(both, "delete_component", "c", hard_delete=True, expected_current_version=1)
    alike(both, "delete_component", "a", hard_delete=True, require_no_dependents=False)
    everything(both)
    create(both, "a")


def test_the_schedules_of_an_archived_component_are_disabled_with_it(both: Both) -> None:
    fill(both)
    for number, columns in enumerate(
        (
            {"target_type": "agent", "target_id": "c"},
            {"endpoint": "/agents/c/runs/"},
            {"endpoint": "/teams/c/runs"},
            {"endpoint": "/agents/c/runs", "enabled": False},
        )
    ):
        both.create_schedule(
            {
                "id": f"s{number}",
                "name": f"s{number}",
                "method": "POST",
                "endpoint": "/x",
                "cron_expr": "* * * * *",
                "timezone": "UTC",
                "timeout_seconds": 1,
                "max_retries": 0,
                "retry_delay_seconds": 1,
                "enabled": True,
                "created_at": number,
                **columns,
            }
        )
    counts: list[dict[str, int]] = [{}, {}]
    for side, count in zip((both.agno, both.ours), counts, strict=True):
        assert side.delete_component("c", cascade_stats=count) is True
    assert counts[0] == counts[1] == {"schedules_disabled": 2}
    both.get_schedules()


def test_graphs_answer_alike_however_deep(both: Both) -> None:
    fill(both)
    create(both, "w", WORKFLOW, links=[link("t", kind="step_team"), link("a", kind="step_agent", position=1)])
    alike(both, "load_component_graph", "w", 1)
    alike(both, "load_component_graph", "w")
    alike(both, "load_component_graph", "w", 7)
    alike(both, "load_component_graph", "t", 1, label="x")


def race(call: Any, workers: int = 6) -> list[Any]:
    def attempt(number: int) -> Any:
        try:
            return call(number)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(attempt, range(workers)))


@pytest.mark.parametrize("expected", [True, False])
def test_of_many_who_append_to_the_version_they_saw_one_does(both: Both, expected: bool) -> None:
    fill(both)
    for round_ in range(3):
        latest = both.ours.get_latest_config("a")["version"]
        guard = {"expected_latest_version": latest} if expected else {}
        outcomes = race(lambda number, guard=guard: both.ours.upsert_config("a", {"by": number}, **guard))
        won = [each for each in outcomes if isinstance(each, dict)]
        assert len(won) == (1 if expected else 6), (round_, outcomes)
        assert len({each["version"] for each in won}) == len(won)


def test_a_team_is_never_published_with_a_child_that_is_archived_meanwhile(both: Both) -> None:
    for round_ in range(5):
        child, parent = f"child{round_}", f"parent{round_}"
        both.ours.create_component_with_config(child, AGENT, child, {}, stage="published")
        both.ours.create_component_with_config(parent, TEAM, parent, {}, links=[link(child)])

        def act(number: int, child: str = child, parent: str = parent) -> Any:
            if number % 2:
                return both.ours.delete_component(child)
            return both.ours.upsert_config(parent, version=1, stage="published")

        race(act, 4)
        archived = both.ours.get_component(child) is None
        published = both.ours.get_current_config(parent) is not None
        assert not (archived and published)
