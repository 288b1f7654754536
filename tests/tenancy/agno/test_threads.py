"""Work that agno does beside a run, in threads and tasks without context, is the tenant's whose run it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from agno.agent import Agent
from agno.learn import LearningMachine, LearningMode, UserProfileConfig
from agno.memory import MemoryManager

from dbrouter import tenant
from dbrouter.testing.scripted_model import Call, Say, ScriptedModel
from tests.tenancy.agno.house import House, serving
from tests.tenancy.agno.test_requests import HEADER
from tests.waiting import first_true


def remembering(db: Any) -> Agent:
    """An agent that remembers what it is told, in the background of its answer."""
    keeper = ScriptedModel.saying(
        Call(tool="add_memory", arguments={"memory": "{text}", "topics": ["told"]}), Say(text="Kept.")
    )
    manager = MemoryManager(model=keeper, db=db)
    return Agent(
        id="clerk",
        model=ScriptedModel(),
        db=db,
        memory_manager=manager,
        update_memory_on_run=True,
        telemetry=False,
    )


async def memories(house: House, whose: str) -> int:
    """How many memories a tenant has."""
    return len(await house.ask(whose, "get_user_memories"))


async def test_memories_are_made_in_the_background_for_the_tenant_of_the_run(
    build: Callable[..., House], mode: str
) -> None:
    house = build(mode, **HEADER)
    async with serving(house, agents=[remembering(house.router)]) as client:
        for whose in ("acme", "globex"):
            said = await client.say("I like tea", "s", headers={"X-Tenant": whose}, form={"user_id": "ada"})
            assert said.is_success
    assert [await memories(house, each) for each in ("acme", "globex", "initech")] == [1, 1, 0]


def test_memories_of_an_agent_that_blocks_are_made_in_a_pool_of_threads(build: Callable[..., House]) -> None:
    house = build("blocking")
    agent = remembering(house.router)
    seen: list[str] = []
    plain = house.router.upsert_user_memory

    def upsert(*arguments: Any, **options: Any) -> Any:
        seen.append(threading.current_thread().name)
        return plain(*arguments, **options)

    house.router.upsert_user_memory = upsert
    with tenant("initech"):
        agent.run("I like tea", session_id="s", user_id="ada")
    assert seen
    assert threading.main_thread().name not in seen
    found = house.router.for_tenant("initech").get_user_memories()
    assert [each.memory for each in found] == ["I like tea"]
    house.router.close()


def learning(db: Any) -> Agent:
    """An agent that learns who it talks to."""
    keeper = ScriptedModel.saying(Call(tool="update_profile", arguments={"name": "Ada"}), Say(text="Kept."))
    machine = LearningMachine(db=db, model=keeper, user_profile=UserProfileConfig(mode=LearningMode.ALWAYS))
    return Agent(id="clerk", model=ScriptedModel(), db=db, learning=machine, telemetry=False)


async def test_learnings_are_the_tenants_of_the_run(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **HEADER)
    async with serving(house, agents=[learning(house.router)]) as client:
        said = await client.say("I am Ada", "s", headers={"X-Tenant": "globex"}, form={"user_id": "ada"})
        assert said.is_success
        profile = {"learning_type": "user_profile", "user_id": "ada"}
        found = await first_true(lambda: house.ask("globex", "get_learning", **profile), "the learning")
    assert found["content"]["name"] == "Ada"
    assert not await house.ask("acme", "get_learning", **profile)


async def test_evaluations_are_stored_for_the_tenant_that_asked_for_them(
    build: Callable[..., House], mode: str
) -> None:
    house = build(mode, **HEADER)
    asked = {"eval_type": "reliability", "agent_id": "clerk", "input": "hello", "expected_tool_calls": ["add"]}
    async with serving(house) as client:
        for whose in ("acme", "globex"):
            made = await client.http.post("/eval-runs", json=asked, headers={"X-Tenant": whose})
            stored = await client.get("/eval-runs", headers={"X-Tenant": whose})
            assert [each["id"] for each in stored.json()["data"]] == [made.json()["id"]]


async def test_a_run_in_the_background_goes_on_as_the_tenants_after_the_answer(build: Callable[..., House]) -> None:
    house = build("async", **HEADER)
    async with serving(house) as client:
        begun = await client.say("add 5", "s", headers={"X-Tenant": "acme"}, form={"background": "true"})
        assert begun.is_success
        run = begun.json()["run_id"]

        async def completed() -> Any:
            now = await client.get(
                f"/agents/clerk/runs/{run}", params={"session_id": "s"}, headers={"X-Tenant": "acme"}
            )
            return now.json() if now.is_success and now.json()["status"] == "COMPLETED" else None

        assert (await first_true(completed, "the end of the run"))["content"] == "total 5"
        foreign = await client.get(
            f"/agents/clerk/runs/{run}", params={"session_id": "s"}, headers={"X-Tenant": "globex"}
        )
    assert foreign.status_code == 404
    assert await house.sessions("globex") == []


def test_thread_pools_are_left_alone_where_the_rules_say_so(build: Callable[..., House]) -> None:
    plain = ThreadPoolExecutor.submit
    house = build("blocking", thread_pools=False)
    assert ThreadPoolExecutor.submit is plain
    house.router.close()
