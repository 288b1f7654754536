"""Conversations that grew too long: folded into a summary, what was folded away is kept, searched and goes with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agno.agent import Agent
from agno.compaction import Compaction
from agno.models.message import Message

from dbrouter.testing.scripted_model import Call, Rule, Say, ScriptedModel
from tests.agno.cast import clerk
from tests.agno.conftest import ORACLE, ROUTERS, SERVED, parameter
from tests.agno.live import Live
from tests.agno.rest import serving

LONG = 320
"""Words: the summary with what agno says about it has 155."""
SUMMARY = "They spoke of walruses."


@pytest.fixture(params=[parameter(*each) for each in (*ROUTERS, ORACLE)])
def live(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A db that keeps what is folded; agno's async classes do not."""
    return open_live(*request.param)


def words(messages: list[Message], tools: list[Any] | None = None) -> int:
    return sum(len(str(message.content).split()) for message in messages)


def archivist(db: Any, **options: Any) -> Agent:
    """An agent that keeps its last turn and folds the rest when told to."""
    chat = ScriptedModel(
        rules=(
            Rule(
                when=r"look for (\w+)",
                steps=(Call(tool="search_compacted_history", arguments={"pattern": "{1}"}), Say(text="{result}")),
            ),
        )
    )
    summarizer = ScriptedModel.saying(SUMMARY, id="summarizer")
    folding = Compaction(
        model=summarizer, token_counter=words, **{"compact_at_tokens": None, "uncompacted_runs": 1} | options
    )
    return clerk(db, model=chat, tools=[], compaction=folding, add_history_to_context=True, num_history_runs=50)


async def compacted(live: Live, agent: Agent, session: str) -> Any:
    return agent.compact(session_id=session) if live.blocking else await agent.acompact(session_id=session)


async def talked(live: Live, agent: Agent, session: str, *said: str) -> None:
    for each in said:
        await live.run(agent, each, session_id=session, user_id="ada")


def heard(agent: Agent) -> list[str]:
    assert isinstance(agent.model, ScriptedModel)
    return [str(message.content) for message in agent.model.heard[-1]]


async def test_what_is_folded_is_stored_and_the_model_hears_the_summary_instead(live: Live) -> None:
    agent = archivist(live.db)
    await talked(live, agent, "s", "a walrus sings", "a seal claps", "good bye")
    done = await compacted(live, agent, "s")
    await talked(live, agent, "s", "and now")

    assert done.compacted, done.message
    (record,) = live.db.get_compactions_for_session("s")
    assert (record["summary"], record["messages_compacted"]) == (SUMMARY, 4)
    assert "a walrus sings" in record["archived_messages"]
    assert "good bye" not in record["archived_messages"]
    assert live.db.get_compaction(record["compaction_id"]) == record
    context = "\n".join(heard(agent))
    assert SUMMARY in context
    assert "good bye" in context
    assert "a walrus sings" not in context
    assert len((await live.ask("get_session", session_id="s", session_type="agent")).runs) == 4


async def test_a_conversation_folds_by_itself_when_it_is_too_long(live: Live) -> None:
    agent = archivist(live.db, compact_at_tokens=LONG)
    for number in range(8):
        await talked(live, agent, "s", f"thing {number} is " + "rather " * 40 + "blue")

    records = live.db.get_compactions_for_session("s")
    assert len(records) > 1
    assert records == sorted(records, key=lambda each: each["created_at"], reverse=True)
    assert words([Message(role="user", content=each) for each in heard(agent)]) < LONG
    assert live.db.get_compactions_for_session("s", limit=1) == records[:1]


async def test_the_agent_finds_again_what_was_folded(live: Live) -> None:
    agent = archivist(live.db)
    await talked(live, agent, "s", "a WALRUS sings", "a seal claps", "good bye")
    await compacted(live, agent, "s")
    await talked(live, agent, "other", "a walrus sleeps", "yes", "no")
    await compacted(live, agent, "other")
    found = await live.run(agent, "look for walrus", session_id="s", user_id="ada")

    assert "a WALRUS sings" in found.content
    assert "sleeps" not in found.content
    assert len(live.db.search_compactions("s", ["nothing", "seal"])) == 1
    assert live.db.search_compactions("s", "100%") == []


async def test_another_process_goes_on_with_the_fold(live: Live) -> None:
    agent = archivist(live.db)
    await talked(live, agent, "s", "a walrus sings", "a seal claps", "good bye")
    await compacted(live, agent, "s")
    again = archivist(live.db)
    await talked(live, again, "s", "and now")

    assert SUMMARY in "\n".join(heard(again))
    assert "a walrus sings" not in "\n".join(heard(again))


async def test_what_was_folded_goes_with_its_conversation(live: Live) -> None:
    agent = archivist(live.db)
    for session in ("s", "kept"):
        await talked(live, agent, session, "a walrus sings", "a seal claps", "good bye")
        await compacted(live, agent, session)
    assert await live.ask("delete_session", "s")

    assert live.db.get_compactions_for_session("s") == []
    assert len(live.db.get_compactions_for_session("kept")) == 1
    assert live.db.delete_compactions_for_session("kept") == 1


@pytest.mark.parametrize("live", [parameter(*each) for each in (*SERVED[1:], ORACLE)], indirect=True)
async def test_agentos_folds_the_conversations_that_it_serves_and_forgets_them_when_told_to(live: Live) -> None:
    agent = archivist(live.db, compact_at_tokens=LONG)
    agent.id = "archivist"
    async with serving(live, also=[agent]) as rest:
        for number in range(6):
            await rest.say("agents/archivist", f"thing {number} is " + "rather " * 40 + "blue", "s", "ada")
        runs = await rest.get("/sessions/s/runs")
        records = live.db.get_compactions_for_session("s")
        await rest.call("DELETE", "/sessions/s")

    assert len(runs) == 6
    assert "thing 0 is" in records[-1]["archived_messages"]
    assert live.db.get_compactions_for_session("s") == []
