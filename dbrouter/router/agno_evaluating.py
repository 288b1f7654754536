"""How agno stores its evaluations. Apart from `agno_types`: whoever reads sessions evaluates nothing.

Import it inside a function.
"""

from __future__ import annotations

from agno.eval import utils

__all__ = ["utils"]
