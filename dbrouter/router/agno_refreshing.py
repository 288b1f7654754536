"""AgentOS's routes that bring metrics up to date. Import it inside a function: it comes with AgentOS itself."""

from __future__ import annotations

from agno.os.routers.metrics import metrics

__all__ = ["metrics"]
