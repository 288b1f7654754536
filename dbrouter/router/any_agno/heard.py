"""Errors that agno's classes catch and answer with nothing: they are heard of when they are logged.

Many methods of agno's classes catch every error, log it, and answer `None` or an empty list, so that a database that is
away reads as one that is empty. What they log with is wrapped, for the modules of agno's databases only, by a function
that first notes the error that is being handled, if somebody listens, and then logs as before.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from dbrouter.router.any_agno.answers import is_empty

LOGGING = "agno.utils.log"
DATABASES = "agno.db."
WAYS = ("log_debug", "log_info", "log_warning", "log_error", "log_exception")
QUIET = frozenset({"log_debug", "log_info"})
"""What is logged so may have been nothing; only an empty answer tells that it was not."""

HARMLESS = frozenset({"ConditionalCheckFailedException", "ResourceNotFoundException", "NotFound", "JSONDecodeError"})
"""Errors by which a database says that something is not there, or is not as it was expected to be."""

AGAIN_ONE_BY_ONE = {"upsert_sessions": "sessions", "upsert_memories": "memories"}
"""Methods that, when all at once failed, try each alone -> the argument that holds them."""

BROAD = (None, "Exception", "BaseException")
_MARK = "_dbrouter_listens"


@dataclass(slots=True)
class Hearing:
    """What was heard during a call. ignored: the error that the caller itself is handling."""

    ignored: BaseException | None
    loud: list[BaseException] = field(default_factory=list[BaseException])
    quiet: list[BaseException] = field(default_factory=list[BaseException])

    def swallowed(self, method: str, arguments: dict[str, Any], answer: object) -> BaseException | None:
        """The error for which this answer stands, if it stands for one."""
        loud = next((each for each in self.loud if type(each).__name__ not in HARMLESS), None)
        quiet = next((each for each in self.quiet if type(each).__name__ not in HARMLESS), None)
        given = AGAIN_ONE_BY_ONE.get(method)
        if given is not None:
            complete = isinstance(answer, list) and len(answer) == len(arguments[given])  # pyright: ignore[reportUnknownArgumentType]
            return None if complete else loud or quiet
        if is_empty(answer):
            return loud or quiet
        # What was read may lack what could not be read: a session its runs.
        return loud if method.startswith(("get_", "list_", "search_")) else None


_HEARING: ContextVar[Hearing | None] = ContextVar("dbrouter_hearing", default=None)


@contextmanager
def hearing() -> Generator[Hearing]:
    """Hear of the errors that are logged during a call."""
    found = Hearing(ignored=sys.exc_info()[1])
    token = _HEARING.set(found)
    try:
        yield found
    finally:
        _HEARING.reset(token)


def listen_to(cls: type) -> None:
    """From now on hear of what the class, and agno's databases in general, log."""
    own = {each.__module__ for each in cls.__mro__}
    # A copy, for other threads import modules meanwhile.
    for name, module in sys.modules.copy().items():
        if name.startswith(DATABASES) or name in own:
            _listen_in(module)


def is_silent(cls: type, method: str) -> bool:
    """Whether the method has errors end in an answer without a word, or may have: nobody can read its source."""
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(getattr(cls, method))))
    except (OSError, TypeError):
        return True
    handlers = (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.ExceptHandler))
    return any(_is_silent(each) for each in handlers)


def _is_silent(handler: ast.ExceptHandler) -> bool:
    if (None if handler.type is None else ast.unparse(handler.type)) not in BROAD:
        return False
    parts = [*ast.walk(handler)]
    speaks = any(isinstance(each, ast.Raise | ast.Call) for each in parts)
    answers = any(isinstance(each, ast.Return | ast.Assign | ast.AnnAssign) for each in parts)
    return answers and not speaks


def _listen_in(module: ModuleType) -> None:
    for way in WAYS:
        known = getattr(module, way, None)
        if known is not None and known.__module__ == LOGGING and not hasattr(known, _MARK):
            setattr(module, way, _listening(known, quiet=way in QUIET))


def _listening(log: Callable[..., Any], *, quiet: bool) -> Callable[..., Any]:
    @functools.wraps(log)
    def told(*args: Any, **kwargs: Any) -> Any:
        found = _HEARING.get()
        error = None if found is None else sys.exc_info()[1]
        if found is not None and error is not None and error is not found.ignored:
            (found.quiet if quiet else found.loud).append(error)
        return log(*args, **kwargs)

    setattr(told, _MARK, True)
    return told
