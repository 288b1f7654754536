"""How long texts may be on SingleStore: agno's lengths there, where they are not those it has on MySQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dbrouter.backends.mysql.column_types import Lengths

_TIMES: Final[Mapping[tuple[str, str], int]] = {
    (table, column): 64 for table in ("traces", "spans") for column in ("start_time", "end_time", "created_at")
}

LENGTHS: Final = Lengths(
    {
        **_TIMES,
        ("traces", "name"): 512,
        ("traces", "status"): 20,
        ("spans", "name"): 512,
        ("spans", "status_code"): 20,
        ("evals", "model_provider"): 50,
    }
)
