"""How arguments are made, a module for each group of families. Who adds a family adds a module to `MODULES`."""

from __future__ import annotations

from dbrouter.testing.leaks.making import authorization, company, components, conversations, jobs, mcp_oauth, records
from dbrouter.testing.leaks.making.hand import Calls, Hand, Makers

MODULES = (records, conversations, components, company, authorization, mcp_oauth, jobs)

MAKERS: Makers = {name: make for module in MODULES for name, make in module.MAKERS.items()}
"""Parameter -> how to make one. A required parameter that is not here fails the suite by name."""

CALLS: Calls = {name: make for module in MODULES for name, make in module.CALLS.items()}
"""Method -> arguments of it that belong together, and columns that it takes as keyword arguments."""

__all__ = ["CALLS", "MAKERS", "Hand"]
