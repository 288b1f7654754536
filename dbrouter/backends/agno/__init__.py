"""Any database class of agno's, as it is: how it is configured. The rest is the router's (`router/any_agno`)."""

from __future__ import annotations

from dbrouter.backends.agno.settings import AgnoSettings

__all__ = ["AgnoSettings"]
