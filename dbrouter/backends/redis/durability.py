"""How sure a write is: what the server is asked to promise, and what it must not be set up to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.redis.failing import said
from dbrouter.backends.secrets import masked

if TYPE_CHECKING:
    from dbrouter.backends.redis.connections import Connections
    from dbrouter.backends.redis.scripts import Request


@dataclass(frozen=True, slots=True)
class Durability:
    """replicas: how many must have a write within so many seconds before it counts as written."""

    replicas: int
    seconds: float

    def asked_for(self, request: Request) -> Request:
        """The request, with the question how many replicas have it; in the same exchange."""
        if not self.replicas:
            return request
        wait = ("WAIT", self.replicas, max(1, int(self.seconds * 1000)))
        return replace(request, commands=(*request.commands, wait))

    def confirm(self, answers: Sequence[Any], place: str) -> None:
        """Raise `Unavailable` if too few have it, or if the server did not say how many."""
        if not self.replicas:
            return
        having = answers[-1]
        if isinstance(having, Exception):
            raise Unavailable(
                f"{place}: {masked(said(having))}; it is written, and whether replicas have it is unknown"
            ) from having
        if having < self.replicas:
            raise Unavailable(
                f"{place}: {having} of {self.replicas} replicas had the write within {self.seconds:g} s; it is"
                " written, and lost if the server fails before they have it"
            )

    async def check(self, connections: Connections) -> None:
        """Return if every server answers and drops nothing of its own accord."""
        try:
            answers = await connections.every(("INFO", "memory"))
        except Unavailable as error:
            if "NOPERM" not in str(error):
                raise
            # A user who may not ask how the server is set up may still use it.
            answers = await connections.every(("PING",))
        for answer in answers:
            policy = _policy(answer)
            if policy not in ("", "noeviction"):
                raise Unavailable(
                    f"{connections.place}: with maxmemory-policy {policy} the server drops records when its memory is"
                    " full; set it to noeviction"
                )


def _policy(info: bytes) -> str:
    lines = (line.partition(":") for line in info.decode().splitlines())
    found = {name: value.strip() for name, _, value in lines}
    return found.get("maxmemory_policy", "") if found.get("maxmemory", "0") != "0" else ""
