"""AgentOS on a router, through its REST API: what an operator sees and does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.agno.conftest import EVERY_SERVED, ORACLE, SERVED, parameter
from tests.agno.live import Live
from tests.agno.rest import Rest, serving
from tests.waiting import first_true


@pytest.fixture(params=[parameter(*each) for each in (*SERVED, ORACLE)])
def live(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A db for AgentOS."""
    return open_live(*request.param)


async def test_the_configuration_names_one_database(live: Live) -> None:
    async with serving(live) as rest:
        config = await rest.get("/config")

    assert config["os_database"] == live.db.id
    assert config["databases"] == [live.db.id]
    for section in ("session", "memory", "metrics", "knowledge", "evals", "traces", "learning"):
        assert [each["db_id"] for each in config[section]["dbs"]] == [live.db.id], section


@EVERY_SERVED
async def test_sessions_are_listed_in_pages_with_their_total(live: Live) -> None:
    async with serving(live) as rest:
        for number in range(5):
            await rest.say("agents/clerk", f"hello {number}", f"s{number}", "ada")
        await rest.say("agents/ops-bot", "the search", "o1", "ada")
        await rest.say("teams/office", "hello", "t1", "ada")
        await rest.say("workflows/digest", "hello", "w1", "ada")
        await rest.say("agents/clerk", "hello", "g1", "grace")
        seen: list[str] = []
        for page in (1, 2, 3):
            listed = await rest.get("/sessions", type="agent", user_id="ada", limit=2, page=page)
            assert listed["meta"]["total_count"] == 6
            assert listed["meta"]["total_pages"] == 3
            seen += [session["session_id"] for session in listed["data"]]
        of_component = await rest.get("/sessions", type="agent", component_id="ops-bot")
        of_team = await rest.get("/sessions", type="team")
        of_workflow = await rest.get("/sessions", type="workflow")

    assert sorted(seen) == ["o1", "s0", "s1", "s2", "s3", "s4"]
    assert [session["session_id"] for session in of_component["data"]] == ["o1"]
    assert [session["session_id"] for session in of_team["data"]] == ["t1"]
    assert [session["session_id"] for session in of_workflow["data"]] == ["w1"]


async def test_sessions_are_sorted_as_asked_over_all_databases(live: Live) -> None:
    async with serving(live) as rest:
        for number, agent in enumerate(("clerk", "ops-bot", "clerk", "ops-bot")):
            body = {"session_id": f"s{number}", "session_name": f"name {number}", "agent_id": agent, "user_id": "ada"}
            await rest.call("POST", "/sessions", params={"type": "agent"}, json=body)
        ascending = await rest.get("/sessions", type="agent", sort_by="session_id", sort_order="asc")
        descending = await rest.get("/sessions", type="agent", sort_by="session_id", sort_order="desc")

    assert [session["session_id"] for session in ascending["data"]] == ["s0", "s1", "s2", "s3"]
    assert [session["session_id"] for session in descending["data"]] == ["s3", "s2", "s1", "s0"]


async def test_a_session_is_read_renamed_changed_and_deleted_by_its_id_alone(live: Live) -> None:
    async with serving(live) as rest:
        for agent, session in (("clerk", "s1"), ("ops-bot", "o1")):
            await rest.say(f"agents/{agent}", "the search", session, "ada")
            await rest.call("POST", f"/sessions/{session}/rename", json={"session_name": "Renamed"})
            await rest.call("PATCH", f"/sessions/{session}", json={"session_state": {"total": 9}})
            read = await rest.get(f"/sessions/{session}")
            runs = await rest.get(f"/sessions/{session}/runs")

            assert (read["session_name"], read["agent_id"]) == ("Renamed", agent)
            assert read["session_state"] == {"total": 9}
            assert len(runs) == 1
            assert (await rest.get(f"/sessions/{session}/runs/{runs[0]['run_id']}"))["run_id"] == runs[0]["run_id"]

            await rest.call("DELETE", f"/sessions/{session}")
            await rest.call("GET", f"/sessions/{session}", status=404)
        assert (await rest.get("/sessions", type="agent"))["meta"]["total_count"] == 0
    assert await live.ask("get_runs") == []


async def completed(rest: Rest, path: str, session: str) -> bool:
    """Whether a run is over and well."""
    return bool((await rest.get(path, session_id=session))["status"] == "COMPLETED")


async def test_runs_are_read_listed_and_run_in_the_background(live: Live) -> None:
    async with serving(live) as rest:
        for component in ("agents/clerk", "teams/office", "workflows/digest"):
            session = component.replace("/", "-")
            run = await rest.say(component, "hello", session, "ada")
            read = await rest.get(f"/{component}/runs/{run['run_id']}", session_id=session)
            assert (read["run_id"], read["content"]) == (run["run_id"], run["content"])
            form = {
                "message": "later",
                "session_id": session,
                "stream": "false",
                "background": "true",
                "user_id": "ada",
            }
            started = await rest.call("POST", f"/{component}/runs", data=form)
            path = f"/{component}/runs/{started['run_id']}"
            await first_true(partial(completed, rest, path, session), "the end of the run")
            listed = await rest.get(f"/{component}/runs", session_id=session)
            inputs = [each["run_id"] for each in listed if each["run_id"] in {run["run_id"], started["run_id"]}]
            assert inputs == [run["run_id"], started["run_id"]]


async def test_a_streamed_run_comes_as_events_and_is_stored_whole(live: Live) -> None:
    async with serving(live) as rest:
        for component in ("agents/clerk", "teams/office"):
            session = component.replace("/", "-")
            form = {"message": "one two three", "session_id": session, "stream": "true"}
            answer = await rest.client.post(f"/{component}/runs", data=form)
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.text.count("RunContent") > 3
            runs = await rest.get(f"/sessions/{session}/runs")
            assert any(run["content"].endswith("You said: one two three") for run in runs)


async def test_several_sessions_are_deleted_at_once(live: Live) -> None:
    async with serving(live) as rest:
        for agent, session in (("clerk", "s1"), ("ops-bot", "o1"), ("clerk", "s2")):
            await rest.say(f"agents/{agent}", "the search", session, "ada")
        gone = {"session_ids": ["s1", "o1"], "session_types": ["agent", "agent"]}
        await rest.call("DELETE", "/sessions", json=gone)
        left = await rest.get("/sessions", type="agent")

    assert [session["session_id"] for session in left["data"]] == ["s2"]


async def test_memories_are_written_searched_changed_and_deleted(live: Live) -> None:
    async with serving(live) as rest:
        for user, text, topic in (
            ("ada", "Likes trains", "travel"),
            ("ada", "Has a dog", "home"),
            ("grace", "Sails", "travel"),
        ):
            await rest.call("POST", "/memories", json={"memory": text, "user_id": user, "topics": [topic]})
        mine = await rest.get("/memories", user_id="ada", limit=1, page=2, sort_by="updated_at")
        found = await rest.get("/memories", search_content="TRAINS")
        travel = await rest.get("/memories", topics="travel")
        stats = await rest.get("/user_memory_stats")
        topics = await rest.get("/memory_topics")
        memory = found["data"][0]
        changed = {"memory": "Likes night trains", "user_id": "ada", "topics": ["travel"]}
        await rest.call("PATCH", f"/memories/{memory['memory_id']}", json=changed)
        again = await rest.get(f"/memories/{memory['memory_id']}")
        await rest.call("DELETE", f"/memories/{memory['memory_id']}")
        left = await rest.get("/memories", user_id="ada")

    assert (mine["meta"]["total_count"], len(mine["data"])) == (2, 1)
    assert [each["memory"] for each in found["data"]] == ["Likes trains"]
    assert sorted(each["user_id"] for each in travel["data"]) == ["ada", "grace"]
    assert {each["user_id"]: each["total_memories"] for each in stats["data"]} == {"ada": 2, "grace": 1}
    assert sorted(topics) == ["home", "travel"]
    assert again["memory"] == "Likes night trains"
    assert [each["memory"] for each in left["data"]] == ["Has a dog"]


async def test_knowledge_is_uploaded_listed_changed_and_deleted(live: Live) -> None:
    async with serving(live) as rest:
        for name in ("Returns", "Shipping", "Opening hours"):
            await rest.call("POST", "/knowledge/content", data={"name": name, "text_content": f"About {name}."})
        listed = await rest.get("/knowledge/content", limit=2, page=1)
        first = listed["data"][0]
        await rest.call("PATCH", f"/knowledge/content/{first['id']}", data={"name": "Renamed"})
        read = await rest.get(f"/knowledge/content/{first['id']}")
        status = await rest.get(f"/knowledge/content/{first['id']}/status")
        await rest.call("DELETE", f"/knowledge/content/{first['id']}")
        left = await rest.get("/knowledge/content")

    assert (listed["meta"]["total_count"], len(listed["data"])) == (3, 2)
    assert (read["name"], status["status"]) == ("Renamed", "completed")
    assert left["meta"]["total_count"] == 2
    assert first["id"] not in [each["id"] for each in left["data"]]


async def test_knowledge_is_sorted_as_asked(routed: Live) -> None:
    # agno's SqliteDb multiplies the column by one or minus one here, which does nothing to text.
    async with serving(routed) as rest:
        for name in ("Returns", "Shipping", "Opening hours"):
            await rest.call("POST", "/knowledge/content", data={"name": name, "text_content": f"About {name}."})
        listed = await rest.get("/knowledge/content", limit=2, page=1, sort_by="name", sort_order="asc")
        rest_of_it = await rest.get("/knowledge/content", limit=2, page=2, sort_by="name", sort_order="asc")

    names = [each["name"] for each in (*listed["data"], *rest_of_it["data"])]
    assert names == ["Opening hours", "Returns", "Shipping"]


@EVERY_SERVED
async def test_metrics_count_the_sessions_of_every_database(live: Live) -> None:
    async with serving(live) as rest:
        await rest.say("agents/clerk", "hello", "s1", "ada")
        await rest.say("agents/ops-bot", "the search", "o1", "ada")
        await rest.say("agents/ops-bot", "the search", "o2", "grace")
        await rest.say("teams/office", "hello", "t1", "ada")
        await rest.say("workflows/digest", "hello", "w1", "ada")
        await rest.call("POST", "/metrics/refresh")
        (today,) = (await rest.get("/metrics"))["metrics"]
        await rest.say("agents/clerk", "hello", "s2", "ada")
        await rest.call("POST", "/metrics/refresh")
        (later,) = (await rest.get("/metrics"))["metrics"]

    counts = {
        name: today[f"{name}_count"] for name in ("agent_sessions", "team_sessions", "workflow_sessions", "users")
    }
    assert counts == {"agent_sessions": 3, "team_sessions": 1, "workflow_sessions": 1, "users": 2}
    assert today["token_metrics"]["total_tokens"] > 0
    assert {each["model_id"] for each in today["model_metrics"]} == {"scripted"}
    assert later["agent_sessions_count"] == 4


async def test_an_eval_is_run_listed_renamed_and_deleted(live: Live) -> None:
    async with serving(live) as rest:
        asked = {"eval_type": "reliability", "input": "add 3", "expected_tool_calls": ["add"], "name": "adds"}
        run = await rest.call("POST", "/eval-runs", json={"agent_id": "clerk", **asked})
        assert run["eval_data"]["eval_status"] == "PASSED"
        listed = await rest.get("/eval-runs", agent_id="clerk")
        assert ([each["id"] for each in listed["data"]], listed["meta"]["total_count"]) == ([run["id"]], 1)
        await rest.call("PATCH", f"/eval-runs/{run['id']}", json={"name": "adds numbers"})
        assert (await rest.get(f"/eval-runs/{run['id']}"))["name"] == "adds numbers"
        await rest.call("DELETE", "/eval-runs", json={"eval_run_ids": [run["id"]]})
        assert (await rest.get("/eval-runs"))["meta"]["total_count"] == 0


@EVERY_SERVED
async def test_a_run_waits_for_its_approval_and_goes_on_with_it(live: Live) -> None:
    async with serving(live) as rest:
        run = await rest.say("agents/ops-bot", "the search", "o1", "ada")
        assert run["status"] == "PAUSED"
        again = {"session_id": "o1", "stream": "false"}
        await rest.call("POST", f"/agents/ops-bot/runs/{run['run_id']}/continue", data=again, status=400)

        pending = await rest.get("/approvals", status="pending")
        (waiting,) = pending["data"]
        assert (waiting["run_id"], waiting["agent_id"], pending["meta"]["total_count"]) == (run["run_id"], "ops-bot", 1)
        assert (await rest.get("/approvals/count"))["count"] == 1
        resolution = {"status": "approved", "resolved_by": "carol"}
        await rest.call("POST", f"/approvals/{waiting['id']}/resolve", json=resolution)
        await rest.call("POST", f"/approvals/{waiting['id']}/resolve", json=resolution, status=409)

        done = await rest.call("POST", f"/agents/ops-bot/runs/{run['run_id']}/continue", data=again)
        assert (done["status"], done["content"]) == ("COMPLETED", "Done: the search restarted")
        resolved = await rest.get(f"/approvals/{waiting['id']}")
        assert (resolved["status"], resolved["resolved_by"]) == ("approved", "carol")
        assert (await rest.get("/approvals/count"))["count"] == 0


async def test_learnings_are_written_listed_changed_and_deleted(live: Live) -> None:
    async with serving(live) as rest:
        for user in ("ada", "grace"):
            body = {"learning_type": "user_profile", "user_id": user, "content": {"name": user.title()}}
            await rest.call("POST", "/learnings", json=body)
        await rest.call("POST", "/learnings", json={**body, "user_id": "ada"}, status=409)
        listed = await rest.get("/learnings", user_id="ada")
        (learned,) = listed["data"]
        path = f"/learnings/{learned['learning_id']}"
        await rest.call("PATCH", path, json={"content": {"name": "Ada Lovelace"}})
        read = await rest.get(path)
        users = await rest.get("/learnings/users")
        await rest.call("DELETE", path)
        left = await rest.get("/learnings")

    assert (learned["content"], listed["meta"]["total_count"]) == ({"name": "Ada"}, 1)
    assert read["content"] == {"name": "Ada Lovelace"}
    assert sorted(each["user_id"] for each in users["data"]) == ["ada", "grace"]
    assert [each["user_id"] for each in left["data"]] == ["grace"]


async def test_a_session_of_one_user_does_not_open_to_another(live: Live) -> None:
    async with serving(live) as rest:
        await rest.say("agents/clerk", "hello", "s1", "ada")
        form = {"message": "hello", "session_id": "s1", "stream": "false", "user_id": "grace"}
        await rest.call("GET", "/sessions/s1", params={"user_id": "grace"}, status=404)
        refused = await rest.client.post("/agents/clerk/runs", data=form)
        session = await rest.get("/sessions/s1")

    assert session["user_id"] == "ada"
    assert refused.status_code == 404
    assert len(await live.ask("get_runs", session_id="s1")) == 1
