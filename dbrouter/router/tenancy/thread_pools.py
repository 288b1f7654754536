"""Pools of threads keep the tenant of whoever hands them work: agno hands over memories and learnings without context.

`ThreadPoolExecutor.submit` is the one place through which that work goes, so it is what carries the binding: ours and
nothing else of the context. `threading.Thread` is left alone: a thread that a request happens to start may live on and
serve others, and must not keep the request's tenant.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from dbrouter.backends.kernel.forking import lock
from dbrouter.router.tenancy.binding import Binding, bind, current

P = ParamSpec("P")
T = TypeVar("T")

_lock = lock()
_users = 0
_plain: Callable[..., Any] | None = None


def keep_tenants() -> None:
    """Let every thread pool of this process keep tenants, until as many calls of `forget_tenants` have been made."""
    global _users, _plain  # noqa: PLW0603  # there is one class to change, for all routers of the process
    with _lock:
        _users += 1
        if _plain is not None:
            return
        plain = ThreadPoolExecutor.submit
        _plain = plain

        @functools.wraps(plain)
        def submit(self: ThreadPoolExecutor, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
            return plain(self, carrying(fn), *args, **kwargs)

        ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]


def forget_tenants() -> None:
    """Leave thread pools as they were, once nobody needs it any more."""
    global _users, _plain  # noqa: PLW0603
    with _lock:
        _users = max(0, _users - 1)
        if _users == 0 and _plain is not None:
            ThreadPoolExecutor.submit = _plain  # type: ignore[method-assign]
            _plain = None


def carrying(call: Callable[P, T]) -> Callable[P, T]:
    """The call, run under the binding that holds here and now, wherever it runs; as it is if nothing is bound."""
    binding = current()
    return call if binding is None else functools.partial(_under, binding, call)


def _under(binding: Binding, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    before = bind(binding)
    try:
        return call(*args, **kwargs)
    finally:
        bind(before)
