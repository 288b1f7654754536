"""agno's evals, knowledge base and learning machine with a router as their db."""

from __future__ import annotations

from typing import Any

from agno.db.schemas.evals import EvalFilterType, EvalType
from agno.eval.accuracy import AccuracyAgentResponse, AccuracyEval
from agno.eval.reliability import ReliabilityEval
from agno.knowledge import Knowledge
from agno.learn import LearningMachine

from dbrouter.testing.scripted_model import Call, Rule, Say, ScriptedModel
from dbrouter.testing.word_shelf import WordShelf
from tests.agno.cast import clerk
from tests.agno.conftest import EVERY_DB
from tests.agno.live import Live


async def checked(live: Live, evaluation: Any) -> Any:
    if live.blocking:
        return evaluation.run(print_results=False)
    return await evaluation.arun(print_results=False)


async def test_a_reliability_eval_is_stored_with_its_verdict(live: Live) -> None:
    run = await live.run(clerk(live.db, session_state={}), "add 3", session_id="s")
    evaluation = ReliabilityEval(
        name="adds", agent_response=run, expected_tool_calls=["add"], db=live.db, telemetry=False
    )
    await checked(live, evaluation)

    (record,) = await live.ask("get_eval_runs")
    assert (record.name, record.eval_type, record.agent_id) == ("adds", EvalType.RELIABILITY, "clerk")
    assert record.eval_data["eval_status"] == "PASSED"


async def test_a_failed_eval_is_stored_as_failed(live: Live) -> None:
    run = await live.run(clerk(live.db), "hello", session_id="s")
    evaluation = ReliabilityEval(
        name="adds", agent_response=run, expected_tool_calls=["add"], db=live.db, telemetry=False
    )
    await checked(live, evaluation)

    (record,) = await live.ask("get_eval_runs")
    assert record.eval_data["eval_status"] == "FAILED"


async def test_an_accuracy_eval_is_stored_with_its_scores(live: Live) -> None:
    judged = AccuracyAgentResponse(accuracy_score=9, accuracy_reason="close enough").model_dump_json()
    judge = clerk(live.db, id="judge", model=ScriptedModel.saying(judged), output_schema=AccuracyAgentResponse)
    evaluation = AccuracyEval(
        name="repeats",
        agent=clerk(live.db),
        input="hello",
        expected_output="You said: hello",
        evaluator_agent=judge,
        db=live.db,
        telemetry=False,
    )
    if live.blocking:
        evaluation.run(print_results=False, print_summary=False)
    else:
        await evaluation.arun(print_results=False, print_summary=False)

    (record,) = await live.ask("get_eval_runs", eval_type=[EvalType.ACCURACY])
    assert record.eval_data["avg_score"] == 9
    assert await live.ask("get_eval_runs", eval_type=[EvalType.RELIABILITY]) == []


@EVERY_DB
async def test_eval_runs_are_found_by_what_was_evaluated_renamed_and_deleted(live: Live) -> None:
    run = await live.run(clerk(live.db, session_state={}), "add 3", session_id="s")
    for name in ("first", "second"):
        evaluation = ReliabilityEval(
            name=name, agent_response=run, expected_tool_calls=["add"], db=live.db, telemetry=False
        )
        await checked(live, evaluation)

    rows, total = await live.ask("get_eval_runs", filter_type=EvalFilterType.AGENT, limit=1, page=1, deserialize=False)
    assert (len(rows), total) == (1, 2)
    assert await live.ask("get_eval_runs", filter_type=EvalFilterType.TEAM) == []
    await live.ask("rename_eval_run", rows[0]["run_id"], "renamed")
    assert (await live.ask("get_eval_run", rows[0]["run_id"])).name == "renamed"
    await live.ask("delete_eval_runs", [rows[0]["run_id"]])
    assert len(await live.ask("get_eval_runs")) == 1


@EVERY_DB
async def test_a_page_of_knowledge_is_stored_found_and_removed(live: Live) -> None:
    shelf = WordShelf()
    knowledge = Knowledge(name="handbook", contents_db=live.db, vector_db=shelf)
    content = {"name": "Returns", "text_content": "Returns are free.", "metadata": {"topic": "returns"}}
    if live.blocking:
        knowledge.insert(**content)
        ((page,), total) = knowledge.get_content()
    else:
        await knowledge.ainsert(**content)
        ((page,), total) = await knowledge.aget_content()

    assert (page.name, page.status, total) == ("Returns", "completed", 1)
    assert [document.content for document in knowledge.search("free returns")] == ["Returns are free."]
    if live.blocking:
        knowledge.remove_content_by_id(page.id)
    else:
        await knowledge.aremove_content_by_id(page.id)
    assert await live.ask("get_knowledge_contents") == ([], 0)
    assert shelf.search("returns") == []


@EVERY_DB
async def test_what_a_learning_machine_learns_about_a_user_is_told_on_the_next_turn(live: Live) -> None:
    teacher = ScriptedModel(
        rules=(
            Rule(
                when=r"My name is (?P<name>\w+)",
                steps=(Call(tool="update_profile", arguments={"name": "{name}"}), Say(text="Learned.")),
            ),
            Rule(when="", steps=(Say(text="Nothing new."),)),
        )
    )
    machine = LearningMachine(db=live.db, model=teacher, user_profile=True)
    agent = clerk(live.db, learning=machine)
    await live.run(agent, "My name is Ada", session_id="s", user_id="ada")

    (learned,) = await live.ask("get_learnings", user_id="ada")
    assert (learned["learning_type"], learned["content"]["name"]) == ("user_profile", "Ada")
    await live.run(agent, "hello", session_id="t", user_id="ada")
    assert "Ada" in str([message.content for message in agent.model.heard[-1]])
