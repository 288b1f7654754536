"""What the demo raises when AgentOS does not do what the demo shows."""

from __future__ import annotations


class Unexpected(Exception):  # noqa: N818 - it names what happened, as the package's other errors do
    """AgentOS answered something else."""
