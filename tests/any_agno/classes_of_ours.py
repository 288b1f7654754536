"""Database classes as somebody might write them for agno."""

from __future__ import annotations

from typing import Any

from agno.db.in_memory import InMemoryDb
from agno.utils.log import log_debug, log_error


class Plain(InMemoryDb):
    """agno's own, with a name and a secret that it does nothing with."""

    def __init__(self, secret: str = "", *, answers: Any = None) -> None:
        super().__init__()
        self.secret = secret
        self.answers = answers


class Old(Plain):
    """One whose overrides lag behind agno's: other parameters, other shapes."""

    def get_user_memories(self, user_id: str | None = None, deserialize: bool | None = True) -> Any:  # type: ignore[override]
        """Rows alone, where agno's contract says rows and how many there are."""
        found = super().get_user_memories(user_id=user_id, deserialize=deserialize)
        return found[0] if isinstance(found, tuple) else found

    def get_knowledge_contents(self, limit: int | None = None, page: int | None = None) -> Any:  # type: ignore[override]
        """Nothing at all, for what is not there."""
        found = super().get_knowledge_contents(limit=limit, page=page)
        return found if found[0] else None

    def delete_session(self, session_id: str, user_id: str | None = None) -> Any:  # type: ignore[override]
        """The session that was deleted."""
        found = self.get_session(session_id, deserialize=False)
        return found if super().delete_session(session_id, user_id) else None


class Demanding(Plain):
    """One that asks for what agno does not give."""

    def get_user_memory(self, memory_id: str, tenant: str, **rest: Any) -> Any:  # type: ignore[override]
        """The memory of a tenant."""
        return super().get_user_memory(memory_id, **rest), tenant


class Stubs(Plain):
    """Overrides of every kind that are none."""

    def get_user_memory(self, *_: Any, **__: Any) -> Any:
        """Not there."""
        raise NotImplementedError("memories are not kept here")

    def get_user_memories(self, *_: Any, **__: Any) -> Any:
        """Nothing, whatever is asked."""
        return []

    def clear_memories(self) -> None:
        """Nothing."""

    def delete_user_memory(self, *_: Any, **__: Any) -> None:
        """Nothing, said once more."""
        return super().delete_user_memory(*_, **__)

    def upsert_user_memory(self, *_: Any, **__: Any) -> Any:
        """A refusal that says who refuses."""
        raise NotImplementedError(f"{type(self).__name__} keeps no memories")


class Hiding(Plain):
    """One that hides errors, as many of agno's do."""

    def _ask(self, error: Exception | None = None) -> Any:
        if error is not None:
            raise error
        return self.answers["eval"]

    def get_user_memory(self, *_: Any, **__: Any) -> Any:
        """Nothing, after an error that is logged."""
        try:
            return self._ask(ConnectionError("nobody there"))
        except Exception as error:  # noqa: BLE001  # as agno's do
            log_error(f"Error: {error}")
            return None

    def get_user_memories(self, *_: Any, **__: Any) -> Any:
        """Nothing, after an error that hardly anybody sees."""
        try:
            return self._ask(ValueError("no such column"))
        except Exception as error:  # noqa: BLE001  # as agno's do
            log_debug(f"Error: {error}")
            return []

    def get_all_memory_topics(self, *_: Any, **__: Any) -> Any:
        """Something, after an error that did not matter."""
        try:
            return self._ask(ValueError("never mind"))
        except Exception as error:  # noqa: BLE001  # as agno's do
            log_debug(f"Error: {error}")
            return [self.secret]

    def get_eval_run(self, *_: Any, **__: Any) -> Any:
        """Nothing, without a word."""
        try:
            return self._ask()
        except Exception:  # noqa: BLE001  # as agno's do
            return None

    def get_session(self, *_: Any, **__: Any) -> Any:
        """The question by which it is seen whether anybody is there."""
        return self._ask(TimeoutError("nobody there"))


NOT_A_DB = object()
