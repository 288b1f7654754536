"""One call of agno's interface is one tenant's: what says whose it is in one of its ops holds for all of them.

A call makes several ops, and not each of them carries the user or the component that names the tenant: a listing of a
user's sessions reads their runs by the sessions' ids.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.errors import TenantConflict
from dbrouter.backends.kernel.filters import eq
from dbrouter.backends.kernel.ops import Op, Scan

if TYPE_CHECKING:
    from dbrouter.router.families.programs import Programs
    from dbrouter.router.tenancy.binding import Whose

OWNER = "user_id"


class Call:
    """A call that is under way. owner: the user that it names; whose: the tenant, once that is known."""

    __slots__ = ("owner", "whose")

    def __init__(self, owner: object) -> None:
        self.owner = owner
        self.whose: Whose | None = None

    def agreed(self, op: Op[Any], whose: Whose | None, ask: Callable[[Op[Any]], Whose | None]) -> Whose | None:
        """Whose an op of this call is. `TenantConflict` if another op of it was another tenant's."""
        if whose is None and self.whose is None and isinstance(self.owner, str):
            # This op does not name the user of the call; one that did would be this one's.
            whose = ask(Scan(table="sessions", where=eq(OWNER, self.owner)))
        if whose is None:
            return self.whose
        if self.whose is None:
            self.whose = whose
        elif self.whose != whose:
            raise TenantConflict(
                f"{type(op).__name__}: this call began as tenant {self.whose!r}'s and goes on as {whose!r}'s"
            )
        return whose


_CALL: ContextVar[Call | None] = ContextVar("dbrouter_call", default=None)

current_call = _CALL.get
"""The call that is under way in this context, if one is."""


def call_by_call(programs: Programs) -> Programs:
    """These programs, with each call of a method of theirs known as one."""
    for name, program in list(vars(programs).items()):
        setattr(programs, name, _CallByCall(program))
    return programs


class _CallByCall:
    """A family's program whose methods are calls."""

    def __init__(self, program: object) -> None:
        self._program = program

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._program, name)
        if not inspect.iscoroutinefunction(method):
            return method
        parameters = list(inspect.signature(method).parameters)
        position = parameters.index(OWNER) if OWNER in parameters else len(parameters)

        async def called(*args: Any, **kwargs: Any) -> Any:
            owner = args[position] if len(args) > position else kwargs.get(OWNER)
            token = _CALL.set(Call(owner))
            try:
                return await method(*args, **kwargs)
            finally:
                _CALL.reset(token)

        # Found at once the next time.
        setattr(self, name, called)
        return called
