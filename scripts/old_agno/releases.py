"""The releases of agno whose databases the tests begin with, and what each needs beside it to run today."""

from __future__ import annotations

from collections.abc import Mapping

_BESIDE = ("sqlalchemy[asyncio]<2.1", "psycopg[binary]", "pymysql", "fastapi", "opentelemetry-sdk")
_TRACING = ("pymongo", "openinference-instrumentation-agno")

RELEASES: Mapping[str, tuple[str, ...]] = {
    # It imports a name from pymongo that later releases of pymongo do not have.
    "2.3.0": (*_BESIDE, "pymongo==4.8.0"),
    "2.5.0": (*_BESIDE, *_TRACING),
    "2.9.0": (*_BESIDE, *_TRACING),
    "3.0.0": (*_BESIDE, *_TRACING),
}
"""Release -> requirements. 2.3 is the oldest, 2.9 the last with runs inside sessions, 3.0 the first with today's."""
