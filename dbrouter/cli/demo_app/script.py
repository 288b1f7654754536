"""What the demo's models say: one script per agent, read by `ScriptedModel`."""

from __future__ import annotations

from dbrouter.testing.scripted_model import Call, Rule, Say, ScriptedModel


def helpdesk() -> ScriptedModel:
    """Return the model of the agent that looks orders up."""
    return ScriptedModel(
        id="helpdesk-script",
        rules=(
            Rule(
                when=r"order (?P<number>\d+)",
                steps=(Call(tool="find_order", arguments={"number": "{number}"}), Say(text="Found it: {result}.")),
            ),
            Rule(when=r"thank", steps=(Say(text="You are welcome."),)),
            Rule(when=r"news of the day", steps=(Say(text="Two orders asked for, none lost."),)),
            Rule(when=r"I (like|love|prefer) (?P<thing>[\w ]+)", steps=(Say(text="Noted: you like {thing}."),)),
        ),
    )


def note_taker() -> ScriptedModel:
    """Return the model of the memory manager: it keeps what a user likes, and nothing else."""
    return ScriptedModel(
        id="memory-script",
        rules=(
            Rule(
                when=r"I (like|love|prefer) (?P<thing>[\w ]+)",
                steps=(
                    Call(tool="add_memory", arguments={"memory": "Likes {thing}", "topics": ["preferences"]}),
                    Say(text="Kept."),
                ),
            ),
            Rule(when="", steps=(Say(text="Nothing to keep."),)),
        ),
    )


def ops_bot() -> ScriptedModel:
    """Return the model of the agent that looks after services."""
    return ScriptedModel(
        id="ops-script",
        rules=(
            Rule(
                when=r"restart (the )?(?P<name>\w+)",
                steps=(Call(tool="restart_service", arguments={"name": "{name}"}), Say(text="Done: {result}.")),
            ),
            Rule(
                when=r"how is (the )?(?P<name>\w+)",
                steps=(Call(tool="check_service", arguments={"name": "{name}"}), Say(text="{result}.")),
            ),
        ),
    )


def front_office() -> ScriptedModel:
    """Return the model of the team's leader: it passes the question on to the member that can answer it."""
    return ScriptedModel(
        id="front-office-script",
        rules=(
            Rule(
                when=r"order \d+",
                steps=(
                    Call(tool="delegate_task_to_member", arguments={"member_id": "helpdesk", "task": "{text}"}),
                    Say(text="The helpdesk says: {result}"),
                ),
            ),
            Rule(
                when=r"how is",
                steps=(
                    Call(tool="delegate_task_to_member", arguments={"member_id": "ops-bot", "task": "{text}"}),
                    Say(text="The ops bot says: {result}"),
                ),
            ),
        ),
    )
