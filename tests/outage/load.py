"""Writers and readers on a router of either mode, what each was told, and whether it was true."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from dbrouter.backends.kernel.errors import StoreError, Throttled, Unavailable
from dbrouter.backends.kernel.running import finish
from dbrouter.router.agno_types import AgentSession

WRITERS = 2
READERS = 1
PAUSE = 0.02
"""Seconds a caller waits after an error."""


class Load:
    """Writers that write turns, each in a session of its own, and readers that look for what was acknowledged.

    slack: seconds beyond the deadline that a call may take on a busy machine.
    """

    def __init__(self, db: Any, *, deadline: float, slack: float, name: str) -> None:
        self.db = db
        self.blocking = not inspect.iscoroutinefunction(db.get_session)
        self._limit = deadline + slack
        self._name = name
        self._over = threading.Event()
        self._acknowledged: dict[str, list[str]] = defaultdict(list)
        self.forgets = False
        """Whether the server may have lost everything by now: nothing read is wrong then."""
        self.errors: list[StoreError] = []
        self.slow: list[tuple[str, float]] = []
        self.wrong: list[str] = []

    @property
    def turns(self) -> int:
        """How many turns were acknowledged."""
        return sum(map(len, list(self._acknowledged.values())))

    def stop(self) -> None:
        """Let everybody end after the call they are in."""
        self._over.set()

    def run(self) -> None:
        """Write and read until stopped; raises what is no error of a database."""
        jobs: list[Callable[[], Any]] = [
            *(lambda number=number: self._write(f"{self._name}{number}") for number in range(WRITERS)),
            *(self._read for _ in range(READERS)),
        ]
        if self.blocking:
            with ThreadPoolExecutor(len(jobs)) as pool:
                for each in [pool.submit(copy_context().run, lambda job=job: finish(job())) for job in jobs]:
                    each.result()
        else:
            asyncio.run(self._together(jobs))

    def check(self) -> None:
        """Fail if a call was late, raised what no caller expects, or said what is not so."""
        assert not self.slow, f"over {self._limit} s: {self.slow}"
        unexpected = [each for each in self.errors if not isinstance(each, Unavailable | Throttled)]
        assert not unexpected, [repr(each) for each in unexpected]
        assert not self.wrong, self.wrong

    def check_all_is_there(self) -> None:
        """Fail if an acknowledged turn is not stored, or two share a place. For after the load."""
        if self.blocking:
            finish(self._check_all_is_there())
        else:
            asyncio.run(self._together([self._check_all_is_there]))

    async def _together(self, jobs: list[Callable[[], Any]]) -> None:
        try:
            await asyncio.gather(*(job() for job in jobs))
        finally:
            await self.db.close()

    async def _write(self, session_id: str) -> None:
        while not self._over.is_set():
            written = self._acknowledged[session_id]
            count = len(written) + 1
            run_id = f"{session_id}-{count}"
            try:
                session = await self._ask("get_session", session_id)
                if session is None and written and not self.forgets:
                    self.wrong.append(f"{session_id} is not there after {len(written)} turns")
                session = session or AgentSession(session_id=session_id, agent_id="a", created_at=1)
                session.session_data = {"session_state": {"n": count}}
                await self._ask("upsert_session", session)
                await self._ask("upsert_run", {"run_id": run_id, "agent_id": "a", "created_at": 1}, session_id)
            except StoreError as error:
                await self._failed(error)
            else:
                written.append(run_id)

    async def _read(self) -> None:
        while not self._over.is_set():
            known = {session_id: list(runs) for session_id, runs in list(self._acknowledged.items()) if runs}
            try:
                found = {each.session_id for each in await self._ask("get_sessions")}
                if not known.keys() <= found and not self.forgets:
                    self.wrong.append(f"of {sorted(known)} only {sorted(found)} are listed")
                for runs in known.values():
                    if await self._ask("get_run", runs[-1], deserialize=False) is None and not self.forgets:
                        self.wrong.append(f"{runs[-1]} is not found")
            except StoreError as error:
                await self._failed(error)
            await self._sleep(PAUSE)

    async def _ask(self, method: str, *given: Any, **named: Any) -> Any:
        began = time.monotonic()
        try:
            answer = getattr(self.db, method)(*given, **named)
            return await answer if inspect.isawaitable(answer) else answer
        finally:
            took = time.monotonic() - began
            if took > self._limit:
                self.slow.append((method, took))

    async def _failed(self, error: StoreError) -> None:
        self.errors.append(error)
        await self._sleep(PAUSE)

    def _sleep(self, seconds: float) -> Awaitable[None]:
        if not self.blocking:
            return asyncio.sleep(seconds)
        time.sleep(seconds)
        return _at_once()

    async def _check_all_is_there(self) -> None:
        for session_id, written in self._acknowledged.items():
            session = await self._ask("get_session", session_id, deserialize=False)
            assert session is not None, f"{session_id} is lost"
            assert session["session_data"]["session_state"]["n"] >= len(written)
            runs, _ = await self._ask("get_runs", session_id, deserialize=False)
            ids = [run["run_id"] for run in runs]
            assert set(written) <= set(ids)
            assert len(ids) == len(set(ids))
            assert len({run["run_index"] for run in runs}) == len(runs)


async def _at_once() -> None:
    """Nothing to wait for."""
