"""Whose calls these are: one context variable, set by code, by a request, or by a schedule that was claimed.

A binding is carried by whatever carries context: awaited calls, tasks, `asyncio.to_thread`, sync endpoints; pools of
threads too, once `thread_pools` is on. Nothing changes a binding of somebody else's: whoever asks for another tenant
while one is bound is refused.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from dbrouter.backends.kernel.errors import TenantLocked, UnknownTenant
from dbrouter.router.tenancy.tenants import EVERY_OTHER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbrouter.router.tenancy.request import Request


class All(Enum):
    """An operator's binding: no tenant, but all of them."""

    ALL = "all"

    def __repr__(self) -> str:
        return "ALL"

    __str__ = __repr__


ALL = All.ALL
"""What an operator binds who means every tenant. No string is equal to it, so no request can name it."""

Whose: TypeAlias = str | All
"""A tenant's name, or all of them."""


class Bound:
    """What `with tenant("acme"):` bound."""

    __slots__ = ("caller", "ended", "outer", "whose")

    def __init__(self, whose: Whose, outer: Binding | None) -> None:
        self.whose = whose
        self.outer = outer
        self.caller = _caller()
        self.ended = False

    @property
    def is_left_over(self) -> bool:
        """Whether its block is over, and it is not a task or thread begun within that asks.

        A generator that nobody went through to its end ends its block elsewhere, and leaves this in its consumer.
        """
        return self.ended and self.caller == _caller()


class Claimed:
    """What a claim of a schedule or a job bound, for the task that executes it.

    Whoever claimed goes on to claim others' in the same task. To that task the binding says only whose the claimed
    schedules are; to the tasks that it starts, whose calls theirs are.
    """

    __slots__ = ("caller", "schedules", "whose")

    def __init__(self, whose: str | None, schedules: Mapping[str, str], caller: object) -> None:
        self.whose = whose
        """The tenant of the last claim, `None` after one that found nothing."""
        self.schedules = schedules
        """Schedule's id -> its tenant, of the last claims."""
        self.caller = caller

    @property
    def is_claimers(self) -> bool:
        """Whether it is the claiming task that asks, not one that it started."""
        return _caller() == self.caller


Binding: TypeAlias = "Bound | Claimed | Request"

_CURRENT: ContextVar[Binding | None] = ContextVar("dbrouter_tenant", default=None)
_KEPT_CLAIMS = 64


def current() -> Binding | None:
    """The binding of this context, if there is one."""
    binding = _CURRENT.get()
    while isinstance(binding, Bound) and binding.ended and binding.is_left_over:
        binding = binding.outer
    return binding


class tenant:  # noqa: N801  # read as a word: `with tenant("acme"):`
    """Binds everything within to one tenant, or to `ALL` of them: `with tenant("acme"):`.

    Also in async code: tasks and threads started within keep the binding, even when they outlive it. In a request it
    binds the whole request for good. A generator that yields within shares the binding with whoever iterates it until
    it goes on. `TenantLocked` if another tenant is bound already, or for `ALL` in a request.
    """

    __slots__ = ("_bound", "_whose")

    def __init__(self, whose: Whose) -> None:
        self._whose: Whose = whose if isinstance(whose, All) else checked_name(whose)
        self._bound: list[Bound] = []

    def __enter__(self) -> Self:
        outer = current()
        refuse_another(outer, self._whose)
        if outer is not None and not isinstance(outer, Bound | Claimed):
            # A request is bound for good, for all tasks and threads of it: also for those that began earlier.
            outer.hold(self._whose)
        bound = Bound(self._whose, outer)
        if outer is None or isinstance(outer, Bound | Claimed):
            _CURRENT.set(bound)
        self._bound.append(bound)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        bound = self._bound.pop()
        bound.ended = True
        if _CURRENT.get() is not bound:
            # A generator that is closed from another context, or after its consumer bound the same tenant.
            return
        outer = bound.outer
        while isinstance(outer, Bound) and outer.ended:
            outer = outer.outer
        _CURRENT.set(outer)


def refuse_another(binding: Binding | None, whose: Whose) -> None:
    """Raise `TenantLocked` unless code under this binding may ask for that tenant."""
    match binding:
        case None:
            return
        case Bound(whose=bound):
            if bound != whose:
                raise TenantLocked(f"{bound!r} is bound here until its block ends; {whose!r} cannot be bound within")
        case Claimed(whose=claimed):
            if claimed not in {None, whose} and not binding.is_claimers:
                raise TenantLocked(f"a schedule of {claimed!r} is executed here; {whose!r} cannot be bound within")
        case _:
            binding.refuse_another(whose)


def claimed(schedule: str, whose: str) -> None:
    """Bind the tasks that this one starts from now on to the tenant whose schedule it has claimed."""
    binding = current()
    if isinstance(binding, Bound) or not (binding is None or isinstance(binding, Claimed)):
        # Code that is bound already claims its own tenant's schedules.
        return
    known = {**_claims_of_this(binding), schedule: whose}
    while len(known) > _KEPT_CLAIMS:
        del known[next(iter(known))]
    _CURRENT.set(Claimed(whose, known, _caller()))


def nothing_claimed() -> None:
    """A claim found nothing: the tasks that this one starts from now on are nobody's."""
    binding = current()
    if isinstance(binding, Claimed) and binding.is_claimers:
        _CURRENT.set(Claimed(None, binding.schedules, binding.caller))


def _claims_of_this(binding: Claimed | None) -> Mapping[str, str]:
    return binding.schedules if binding is not None and binding.is_claimers else {}


@contextmanager
def working_for(whose: str) -> Generator[None]:
    """Bind everything within to the tenant whose work it is, whatever the rules list: for those who found it there."""
    before = bind(Claimed(whose, {}, None))
    try:
        yield
    finally:
        bind(before)


def bind(binding: Binding | None) -> Binding | None:
    """Make this the binding of this context; answers what was. For those who hand over work, and put it back after."""
    before = _CURRENT.get()
    _CURRENT.set(binding)
    return before


def checked_name(name: str) -> str:
    """The name itself, if a tenant can have it; else `UnknownTenant`. Any text can be a name but these two."""
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        raise TypeError(f"a tenant's name is text, not {type(name).__name__}")
    if name in {"", EVERY_OTHER}:
        raise UnknownTenant(f"no tenant can be called {name!r}")
    return name


def _caller() -> tuple[int, object]:
    """The thread and, on an event loop, the task; the task itself, for its id may be another's later."""
    try:
        return threading.get_ident(), asyncio.current_task()
    except RuntimeError:
        return threading.get_ident(), None
