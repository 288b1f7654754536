"""One agent on each router: what it stores and what it finds again."""

from __future__ import annotations

from agno.memory import MemoryManager
from agno.run import RunStatus

from dbrouter.testing.scripted_model import Call, Rule, Say, ScriptedModel
from tests.agno.cast import clerk
from tests.agno.conftest import EVERY_DB
from tests.agno.live import Live


@EVERY_DB
async def test_a_run_is_stored_with_its_session(live: Live) -> None:
    run = await live.run(clerk(live.db), "hello", session_id="s", user_id="ada")

    session = await live.ask("get_session", session_id="s")
    assert (session.session_id, session.agent_id, session.user_id) == ("s", "clerk", "ada")
    assert [each.run_id for each in session.runs] == [run.run_id]
    stored = await live.ask("get_run", run.run_id)
    assert stored.content == "You said: hello"
    assert stored.status == RunStatus.completed
    assert [message.role for message in stored.messages] == ["user", "assistant"]


async def test_a_streamed_run_is_stored_whole(live: Live) -> None:
    events = await live.stream(clerk(live.db), "one two three", session_id="s", user_id="ada")

    assert len(events) > 3
    (run,) = (await live.ask("get_session", session_id="s")).runs
    assert run.content == "You said: one two three"


async def test_history_reaches_the_model_on_the_next_turn(live: Live) -> None:
    agent = clerk(live.db, add_history_to_context=True)
    await live.run(agent, "my name is Ada", session_id="s")
    await live.run(agent, "what is my name", session_id="s")

    heard = [message.content for message in agent.model.heard[-1] if message.role != "system"]
    assert heard == ["my name is Ada", "You said: my name is Ada", "what is my name"]


async def test_history_of_another_session_stays_there(live: Live) -> None:
    agent = clerk(live.db, add_history_to_context=True)
    await live.run(agent, "a secret", session_id="s")
    await live.run(agent, "what do you know", session_id="t")

    assert "a secret" not in [message.content for message in agent.model.heard[-1]]


@EVERY_DB
async def test_session_state_written_by_a_tool_is_there_on_the_next_turn(live: Live) -> None:
    agent = clerk(live.db, session_state={"total": 0})
    first = await live.run(agent, "add 3", session_id="s")
    second = await live.run(clerk(live.db, session_state={"total": 0}), "add 4", session_id="s")

    assert (first.content, second.content) == ("total 3", "total 7")
    session = await live.ask("get_session", session_id="s")
    assert session.session_data["session_state"] == {"total": 7}


async def test_the_tool_calls_of_a_run_come_back(live: Live) -> None:
    run = await live.run(clerk(live.db, session_state={}), "add 3", session_id="s")

    stored = await live.ask("get_run", run.run_id)
    (tool,) = stored.tools
    assert (tool.tool_name, tool.result, tool.tool_call_error) == ("add", "total 3", False)
    assert [message.role for message in stored.messages] == ["user", "assistant", "tool", "assistant"]


async def test_a_tool_that_fails_leaves_its_error_in_the_stored_run(live: Live) -> None:
    run = await live.run(clerk(live.db), "stumble", session_id="s")

    (tool,) = (await live.ask("get_run", run.run_id)).tools
    assert tool.tool_call_error
    assert "the floor is wet" in tool.result


async def test_the_runs_of_a_session_are_numbered_in_their_order(live: Live) -> None:
    agent = clerk(live.db)
    for word in ("one", "two", "three"):
        await live.run(agent, word, session_id="s")

    rows, total = await live.ask("get_runs", session_id="s", deserialize=False)
    assert total == 3
    assert [row["run_index"] for row in rows] == [0, 1, 2]
    assert [row["run_data"]["input"]["input_content"] for row in rows] == ["one", "two", "three"]


@EVERY_DB
async def test_a_memory_manager_keeps_what_a_user_says_for_that_user(live: Live) -> None:
    notes = ScriptedModel(
        rules=(
            Rule(
                when=r"I like (?P<thing>\w+)",
                steps=(
                    Call(tool="add_memory", arguments={"memory": "Likes {thing}", "topics": ["taste"]}),
                    Say(text=""),
                ),
            ),
            Rule(when="", steps=(Say(text="Nothing."),)),
        )
    )
    agent = clerk(live.db, memory_manager=MemoryManager(model=notes, db=live.db), update_memory_on_run=True)
    await live.run(agent, "I like trains", session_id="s", user_id="ada")
    await live.run(agent, "hello", session_id="t", user_id="grace")

    kept = await live.ask("get_user_memories", user_id="ada")
    assert [(memory.memory, memory.topics, memory.agent_id) for memory in kept] == [
        ("Likes trains", ["taste"], "clerk")
    ]
    assert await live.ask("get_user_memories", user_id="grace") == []
    assert await live.ask("get_all_memory_topics") == ["taste"]

    await live.run(clerk(live.db, model=agent.model, add_memories_to_context=True), "hi", session_id="u", user_id="ada")
    assert "Likes trains" in str([message.content for message in agent.model.heard[-1]])


@EVERY_DB
async def test_a_session_can_be_renamed_and_deleted_through_the_agent(live: Live) -> None:
    agent = clerk(live.db)
    await live.run(agent, "hello", session_id="s")
    if live.blocking:
        agent.set_session_name(session_id="s", session_name="Greetings")
        assert agent.get_session(session_id="s").session_data["session_name"] == "Greetings"
        agent.delete_session(session_id="s")
        assert agent.get_session(session_id="s") is None
    else:
        await agent.aset_session_name(session_id="s", session_name="Greetings")
        assert (await agent.aget_session(session_id="s")).session_data["session_name"] == "Greetings"
        await agent.adelete_session(session_id="s")
        assert await agent.aget_session(session_id="s") is None
    assert await live.ask("get_runs", session_id="s") == []
