"""A model that answers from a script: no network, no randomness, and tool calls like a real one.

The next step is read off the conversation itself (how many times the model has spoken since the user did), so one
`ScriptedModel` serves any number of threads, sessions and agents at once, and a retried call gets the same answer.
"""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agno.metrics import MessageMetrics
from agno.models.base import Model
from agno.models.message import Message
from agno.models.response import ModelResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

__all__ = ["Call", "Rule", "Say", "ScriptedModel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """The model answers with `text` and its turn is over.

    `{result}` stands for what the last tool returned, `{text}` for what the user said, `{1}` or `{name}` for a group of
    the rule's pattern.
    """

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The model calls `tool`; strings among `arguments` take the same stand-ins as `Say.text`."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


Step = Say | Call | tuple[Call, ...]
"""What the model does when it is asked once: speak, call a tool, or call several at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to do, step by step, when the user's text matches `when` (a regular expression, searched without case)."""

    when: str
    steps: tuple[Step, ...]


@dataclass
class ScriptedModel(Model):
    """An agno model that follows `rules`, the first that matches; without one it repeats what it was told.

    `heard` holds the messages of the last calls, in order of arrival, for tests that ask what an agent sent.
    """

    id: str = "scripted"
    name: str | None = "ScriptedModel"
    provider: str | None = "dbrouter"
    rules: tuple[Rule, ...] = ()
    heard: deque[list[Message]] = field(default_factory=lambda: deque[list[Message]](maxlen=1024), repr=False)

    @classmethod
    def saying(cls, *steps: str | Step, id: str = "scripted") -> ScriptedModel:  # noqa: A002 - agno's word
        """Return a model that goes through the same steps whatever the user says."""
        script = tuple(Say(text=step) if isinstance(step, str) else step for step in steps)
        return cls(id=id, rules=(Rule(when="", steps=script),))

    def invoke(self, messages: list[Message], *_: object, **__: object) -> ModelResponse:
        """Give the whole answer at once."""
        return self._answer(messages)

    async def ainvoke(self, messages: list[Message], *_: object, **__: object) -> ModelResponse:
        """Give the whole answer at once."""
        return self._answer(messages)

    def invoke_stream(self, messages: list[Message], *_: object, **__: object) -> Iterator[ModelResponse]:
        """Give the answer word by word; tool calls come in one piece, usage with the last one."""
        yield from _pieces(self._answer(messages))

    async def ainvoke_stream(self, messages: list[Message], *_: object, **__: object) -> AsyncIterator[ModelResponse]:
        """Give the answer word by word; tool calls come in one piece, usage with the last one."""
        for piece in _pieces(self._answer(messages)):
            yield piece

    def _parse_provider_response(self, response: ModelResponse, **_: object) -> ModelResponse:
        return response

    def _parse_provider_response_delta(self, response: ModelResponse) -> ModelResponse:
        return response

    def __deepcopy__(self, memo: dict[int, Any]) -> ScriptedModel:
        """Return a copy that reports to the same `heard`: AgentOS runs a copy of the agent for each request."""
        memo[id(self.heard)] = self.heard
        return super().__deepcopy__(memo)

    def _answer(self, messages: list[Message]) -> ModelResponse:
        self.heard.append(list(messages))
        turn = _Turn.of(messages)
        step, found = self._step(turn)
        response = ModelResponse(role="assistant")
        match step:
            case Say(text=text):
                response.content = _fill(text, turn, found)
            case Call():
                response.tool_calls = [_tool_call(step, turn, found)]
            case tuple():
                response.tool_calls = [_tool_call(call, turn, found) for call in step]
        asked = sum(_words(message.content) for message in messages)
        said = _words(response.content) + len(response.tool_calls)
        response.response_usage = MessageMetrics(input_tokens=asked, output_tokens=said, total_tokens=asked + said)
        return response

    def _step(self, turn: _Turn) -> tuple[Step, re.Match[str] | None]:
        for rule in self.rules:
            if found := re.search(rule.when, turn.asked, re.IGNORECASE | re.DOTALL):
                # A script that is used up repeats its last word, so a tool loop always ends.
                return rule.steps[min(turn.spoken, len(rule.steps) - 1)], found
        return Say(text="You said: {text}"), None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """The end of the conversation: the user's last words, and what happened since."""

    asked: str
    spoken: int
    result: str

    @classmethod
    def of(cls, messages: Sequence[Message]) -> _Turn:
        start = max((at for at, message in enumerate(messages) if message.role == "user"), default=-1)
        since = messages[start + 1 :]
        results = [_text(message.content) for message in since if message.role == "tool"]
        return cls(
            asked=_text(messages[start].content) if start >= 0 else "",
            spoken=sum(message.role == "assistant" for message in since),
            result=results[-1] if results else "",
        )


def _tool_call(call: Call, turn: _Turn, found: re.Match[str] | None) -> dict[str, Any]:
    arguments = {name: _filled(value, turn, found) for name, value in call.arguments.items()}
    return {
        "id": f"call_{uuid4().hex}",
        "type": "function",
        "function": {"name": call.tool, "arguments": json.dumps(arguments)},
    }


def _filled(value: object, turn: _Turn, found: re.Match[str] | None) -> object:
    return _fill(value, turn, found) if isinstance(value, str) else value


def _fill(template: str, turn: _Turn, found: re.Match[str] | None) -> str:
    known = {"result": turn.result, "text": turn.asked}
    if found is not None:
        known |= {str(at): group or "" for at, group in enumerate(found.groups(), start=1)}
        known |= {name: group or "" for name, group in found.groupdict().items()}
    return re.sub(r"\{(\w+)\}", lambda hole: known.get(hole[1], hole[0]), template)


def _pieces(response: ModelResponse) -> Iterator[ModelResponse]:
    for word in re.findall(r"\S+\s*|\s+", response.content or ""):
        yield ModelResponse(role="assistant", content=word)
    yield ModelResponse(role="assistant", tool_calls=response.tool_calls, response_usage=response.response_usage)


def _words(content: object) -> int:
    return len(_text(content).split())


def _text(content: object) -> str:
    match content:
        case None:
            return ""
        case str():
            return content
        case _:
            return json.dumps(content, default=str)
