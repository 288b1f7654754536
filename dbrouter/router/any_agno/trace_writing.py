"""Traces that were collected, written through agno's own methods: each trace once, its spans in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.errors import DbRouterError
from dbrouter.backends.kernel.ops import Upsert
from dbrouter.router.any_agno.call import Call
from dbrouter.router.any_agno.methods import Methods
from dbrouter.router.families.trace_records import counted, spans_of

if TYPE_CHECKING:
    from dbrouter.router.agno_tracing import Span

WRITTEN = frozenset({"traces", "spans"})


async def write_traces(methods: Methods, upserts: Sequence[Upsert]) -> Any:
    """Write the traces, then the spans that need them. An error leaves what came before it written.

    A class counts a span twice or refuses all of a call if one of them is stored already; a span that is, is not
    written again.
    """
    for upsert in upserts:
        if upsert.table == "traces":
            for record in upsert.records:
                # Rules say that what is told twice counts; without them the first telling does.
                if upsert.rules or await _asked(methods, "traces", "get_trace", trace_id=record["trace_id"]) is None:
                    await _asked(methods, "traces", "upsert_trace", trace=counted(record, None))
    for upsert in upserts:
        if upsert.table == "spans":
            await _write_spans(methods, spans_of(upsert.records))
    return None if len(upserts) > 1 else []


async def _write_spans(methods: Methods, spans: list[Span]) -> None:
    try:
        await _asked(methods, "spans", "create_spans", spans=spans)
    except DbRouterError as error:
        if error.retryable:
            raise
        # One of them was refused, or is stored already, perhaps by a write of which nobody knew that it succeeded.
        for span in spans:
            if await _asked(methods, "spans", "get_span", span_id=span.span_id) is None:
                await _asked(methods, "spans", "create_span", span=span)


async def _asked(methods: Methods, table: str, method: str, **arguments: Any) -> Any:
    return await methods.call(Call(table=table, method=method, arguments=arguments))
