"""What the demo raises when AgentOS does not do what the demo shows."""

from __future__ import annotations


class Unexpected(Exception):
    """AgentOS answered something else."""
