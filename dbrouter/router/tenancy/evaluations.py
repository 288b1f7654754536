"""Evaluations are stored for the tenant that they were made for.

agno hands each to a db that blocks on a thread of its own, where nothing is bound, and logs what becomes of it there: a
refusal would be told to nobody, and the evaluation lost.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from dbrouter.router.tenancy.thread_pools import carrying

_CARRIES = "_dbrouter_carries"


def keep_evaluations() -> None:
    """Have agno store evaluations under the binding of whoever made them. Once a process."""
    from dbrouter.router.agno_evaluating import utils

    made = utils._run_in_daemon_thread  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # agno has no other way in
    if getattr(made, _CARRIES, False):
        return

    @functools.wraps(made)
    async def run(fn: Callable[..., Any], *args: Any) -> None:
        await made(carrying(fn), *args)

    setattr(run, _CARRIES, True)
    utils._run_in_daemon_thread = run  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
