"""Components stored in a router: saved, published, loaded back, served and run by AgentOS, archived and restored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agno.agent import Agent, get_agent_by_id, get_agents
from agno.db.base import ComponentType
from agno.registry import Registry
from agno.team import Team, get_team_by_id
from agno.workflow import Step, Workflow, get_workflow_by_id

from tests.agno.cast import add, clerk, script, stumble
from tests.agno.conftest import ORACLE, parameter
from tests.agno.live import Live
from tests.agno.rest import serving
from tests.agno.test_teams_and_workflows import office

STORED_IN = [("sqlite", "blocking"), ("postgres", "blocking"), ORACLE]
"""agno saves components in blocking databases only."""

CRON = {"cron_expr": "0 3 * * *", "payload": {"message": "add 3"}}


@pytest.fixture(params=[parameter(*each) for each in STORED_IN])
def live(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A db that agno stores components in."""
    return open_live(*request.param)


@pytest.fixture
def registry(live: Live) -> Registry:
    """What a stored configuration finds its model, its tools and its db in."""
    return Registry(models=[script()], tools=[add, stumble], dbs=[live.db])


def poet(db: Any, **options: Any) -> Agent:
    return clerk(db, **{"id": "poet", "name": "Poet", "description": "Writes", **options})


async def test_an_agent_is_saved_loaded_and_goes_on_with_its_conversation(live: Live, registry: Registry) -> None:
    saved = poet(live.db, session_state={"total": 0})
    await live.run(saved, "add 2", session_id="s", user_id="ada")
    assert saved.save() == 1
    loaded = get_agent_by_id(live.db, "poet", registry=registry, strict=True)

    assert loaded is not None
    assert (loaded.id, loaded.name, loaded.description, loaded.db) == ("poet", "Poet", "Writes", live.db)
    assert (await live.run(loaded, "add 3", session_id="s", user_id="ada")).content == "total 5"
    assert [agent.id for agent in get_agents(live.db, registry)] == ["poet"]
    assert get_agent_by_id(live.db, "nobody", registry=registry) is None


async def test_versions_are_loaded_by_number_label_and_stage(live: Live, registry: Registry) -> None:
    assert poet(live.db, instructions="first").save(label="one") == 1
    assert poet(live.db, instructions="second").save(label="two") == 2
    assert poet(live.db, instructions="third").save(stage="draft") == 3

    def instructions(**which: Any) -> Any:
        agent = get_agent_by_id(live.db, "poet", registry=registry, **which)
        return agent and agent.instructions

    assert instructions() == "second"
    assert instructions(label="one") == instructions(version=1) == "first"
    assert instructions(version=3) == "third"
    assert instructions(version=4) is None
    assert live.db.get_component("poet")["current_version"] == 2
    latest = Agent.load("poet", db=live.db, registry=registry)
    assert latest is not None
    assert latest.instructions == "second"


async def test_a_team_keeps_the_version_of_its_member_that_it_was_saved_with(live: Live, registry: Registry) -> None:
    team = office(live.db, member="poet")
    (member,) = team.members
    assert isinstance(member, Agent)
    member.instructions = "first"
    assert team.save() == 1
    poet(live.db, instructions="second").save()

    loaded = Team.load("office", db=live.db, registry=registry)
    assert loaded is not None
    (pinned,) = loaded.members
    assert isinstance(pinned, Agent)
    assert (pinned.id, pinned.instructions) == ("poet", "first")
    by_id = get_team_by_id(live.db, "office", registry=registry)
    assert by_id is not None
    assert [member.id for member in by_id.members] == ["poet"]
    (link,) = live.db.get_links("office", 1)
    assert (link["child_component_id"], link["child_version"], link["link_kind"]) == ("poet", 1, "member")


async def test_a_workflow_is_saved_with_its_steps_and_runs_when_loaded(live: Live, registry: Registry) -> None:
    flow = Workflow(id="flow", name="Flow", steps=[Step(name="write", agent=poet(live.db))], db=live.db)
    assert flow.save() == 1
    loaded = get_workflow_by_id(live.db, "flow", registry=registry)

    assert loaded is not None
    run = await live.run(loaded, "hello", session_id="w", user_id="ada")
    assert run.content == "You said: hello"
    assert [link["child_component_id"] for link in live.db.get_links("flow", 1)] == ["poet"]


async def test_a_stored_agent_team_and_workflow_are_listed_and_run_by_agentos(live: Live, registry: Registry) -> None:
    poet(live.db).save()
    Team(id="band", name="Band", members=[poet(live.db)], model=script(), db=live.db).save()
    Workflow(id="flow", name="Flow", steps=[Step(name="write", agent=poet(live.db))], db=live.db).save()
    async with serving(live, registry=registry) as rest:
        listed = {kind: [each["id"] for each in await rest.get(f"/{kind}")] for kind in ("agents", "teams")}
        workflows = [each["id"] for each in await rest.get("/workflows")]
        shown = await rest.get("/agents/poet")
        runs = [await rest.say(f"{kind}/{id_}", "hello", id_, "ada") for kind, id_ in SERVED_COMPONENTS]
        sum_ = await rest.say("agents/poet", "add 4", "poet", "ada")
        kept = await rest.get("/sessions/poet/runs")

    assert listed == {"agents": ["clerk", "ops-bot", "poet"], "teams": ["office", "band"]}
    assert workflows == ["digest", "flow"]
    assert (shown["name"], shown["db_id"]) == ("Poet", live.db.id)
    assert [run["content"] for run in runs] == ["You said: hello"] * 3
    assert sum_["content"] == "total 4"
    assert len(kept) == 2


SERVED_COMPONENTS = (("agents", "poet"), ("teams", "band"), ("workflows", "flow"))


async def test_a_component_is_made_changed_and_published_through_the_rest_api(live: Live, registry: Registry) -> None:
    config = {"id": "poet", "name": "Poet", "model": script().to_dict(), "db": {"id": live.db.id}}
    body = {"component_id": "poet", "component_type": "agent", "name": "Poet", "config": config, "label": "one"}
    async with serving(live, registry=registry) as rest:
        made = await rest.call("POST", "/components", json=body)
        assert (made["component_id"], made.get("current_version")) == ("poet", None)
        await rest.call("POST", "/components", json=body, status=400)
        await rest.call("POST", "/agents/poet/runs", data={"message": "hi", "stream": "false"}, status=404)
        path = "/components/poet/configs"
        await rest.call("PATCH", f"{path}/1", json={"config": {**config, "description": "Draft"}})
        await rest.call("PATCH", f"{path}/1", json={"stage": "published", "guard": {"latest_version": 7}}, status=409)
        await rest.call("PATCH", f"{path}/1", json={"stage": "published", "guard": {"latest_version": 1}})
        await rest.call("PATCH", f"{path}/1", json={"config": config}, status=400)
        assert (await rest.say("agents/poet", "hello", "s", "ada"))["content"] == "You said: hello"

        second = {"config": {**config, "name": "Bard"}, "stage": "published", "notes": "Renamed"}
        assert (await rest.call("POST", path, json=second))["version"] == 2
        live_now = await rest.get(f"{path}/current")
        assert (live_now["version"], live_now["config"]["name"], live_now["notes"]) == (2, "Bard", "Renamed")
        assert (await rest.get("/agents/poet"))["name"] == "Bard"
        back = await rest.call("POST", f"{path}/1/set-current", json={"guard": {"current_version": 2}})
        assert (back["current_version"], back["name"]) == (1, "Poet")
        await rest.call("POST", f"{path}/2/set-current", json={"guard": {"current_version": 2}}, status=409)
        draft = await rest.call("POST", path, json={"config": config, "stage": "draft"})
        await rest.call("POST", f"{path}/{draft['version']}/set-current", status=400)
        await rest.call("DELETE", f"{path}/{draft['version']}")
        await rest.call("GET", f"{path}/{draft['version']}", status=404)
        await rest.call("DELETE", f"{path}/1", status=400)
        assert [each["version"] for each in await rest.get(path)] == [2, 1]
        changed = await rest.call("PATCH", "/components/poet", json={"description": "Rhymes", "metadata": {"k": [1]}})
        assert (changed["description"], changed["metadata"]) == ("Rhymes", {"k": [1]})
        listed = await rest.get("/components", component_type="agent")
        assert [each["component_id"] for each in listed["data"]] == ["poet"]
        assert listed["meta"]["total_count"] == 1


async def test_archiving_a_component_disables_its_schedule_and_restoring_does_not_enable_it(
    live: Live, registry: Registry
) -> None:
    poet(live.db).save()
    async with serving(live, registry=registry) as rest:
        body = {"name": "rhyme", "endpoint": "/agents/poet/runs", **CRON}
        schedule = await rest.call("POST", "/schedules", json=body)
        other = await rest.call("POST", "/schedules", json={"name": "sums", "endpoint": "/agents/clerk/runs", **CRON})
        await rest.call("DELETE", "/components/poet", params={"expected_current_version": 9}, status=409)
        assert (await rest.get(f"/schedules/{schedule['id']}"))["enabled"]
        await rest.call("DELETE", "/components/poet")

        await rest.call("GET", "/components/poet", status=404)
        archived = await rest.get("/components/poet", include_deleted="true")
        assert archived["deleted_at"]
        assert not (await rest.get(f"/schedules/{schedule['id']}"))["enabled"]
        assert (await rest.get(f"/schedules/{other['id']}"))["enabled"]
        assert "poet" not in [each["id"] for each in await rest.get("/agents")]
        await rest.call("POST", "/agents/poet/runs", data={"message": "hi", "stream": "false"}, status=404)

        await rest.call("POST", "/components/poet/restore")
        await rest.call("POST", "/components/poet/restore", status=409)
        assert not (await rest.get(f"/schedules/{schedule['id']}"))["enabled"]
        assert "poet" in [each["id"] for each in await rest.get("/agents")]


async def test_a_member_of_a_published_team_is_not_archived_before_its_team(live: Live, registry: Registry) -> None:
    team = Team(id="band", name="Band", members=[poet(live.db)], model=script(), db=live.db)
    team.save()
    async with serving(live, registry=registry) as rest:
        refusal = await rest.call("DELETE", "/components/poet", status=409)
        assert "band" in refusal["detail"]
        await rest.call("DELETE", "/components/band")
        await rest.call("DELETE", "/components/poet")
        refusal = await rest.call("POST", "/components/band/restore", status=409)
        assert "poet" in refusal["detail"]
        await rest.call("POST", "/components/poet/restore")
        await rest.call("POST", "/components/band/restore")
        assert (await rest.say("teams/band", "hello", "s", "ada"))["content"] == "You said: hello"
    assert team.delete(hard_delete=True)
    assert poet(live.db).delete(hard_delete=True)
    assert live.db.list_components(include_deleted=True) == ([], 0)
    assert live.db.list_configs("band", include_deleted=True) == []


ASYNC = pytest.mark.parametrize(
    "routed", [parameter(backend, "async") for backend in ("sqlite", "postgres")], indirect=True
)


@ASYNC
async def test_agentos_on_an_async_router_says_that_components_need_a_blocking_one(routed: Live) -> None:
    with pytest.raises(ValueError, match="Async databases not yet supported"):
        poet(routed.db).save()
    async with serving(routed) as rest:
        refusal = await rest.call("GET", "/components", status=503)
        assert [agent["id"] for agent in await rest.get("/agents")] == ["clerk", "ops-bot"]
    assert "sync db" in refusal["detail"]


@ASYNC
async def test_an_async_routers_own_methods_for_components_are_blocking_ones_as_agnos_are(routed: Live) -> None:
    kind = ComponentType.AGENT
    made, first = routed.db.create_component_with_config("poet", kind, "Poet", {"id": "poet"}, stage="published")

    assert (made["component_id"], made["current_version"], first["version"]) == ("poet", 1, 1)
    assert routed.db.upsert_config("poet", {"id": "poet", "name": "Bard"}, stage="published")["version"] == 2
    assert (routed.db.get_component("poet")["name"], routed.db.list_components()[1]) == ("Bard", 1)
    (row,) = await routed.rows("primary", "components")
    assert (row["component_id"], row["current_version"]) == ("poet", 2)
