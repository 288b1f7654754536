"""What the demo raises when AgentOS does not do what the demo shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


class Unexpected(Exception):
    """AgentOS answered something else."""


def content(response: httpx.Response) -> Any:
    """Return the answer's JSON; `Unexpected` says what AgentOS said instead."""
    if not response.is_success:
        route = f"{response.request.method} {response.request.url.path}"
        raise Unexpected(f"{route} answered {response.status_code}: {response.text}")
    return response.json()
