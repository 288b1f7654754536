"""agno's trace and span types. Apart from `agno_types` because agno imports OpenTelemetry, an extra, with them.

Import it inside a function: whoever holds a span has OpenTelemetry, whoever reads sessions need not.
"""

from __future__ import annotations

from agno.tracing.schemas import Span, Trace, create_trace_from_spans

__all__ = ["Span", "Trace", "create_trace_from_spans"]
