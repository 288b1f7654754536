"""Traces and spans as rows, so that one odd value in one span costs no other span."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.codec import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dbrouter.backends.kernel.merging import Record
    from dbrouter.router.agno_tracing import Span, Trace

UNSTORABLE_ATTRIBUTE = "dbrouter.unstorable"
"""The span attribute that names the attributes which are stored as their `repr`."""

_PLAIN = frozenset({str, int, float, bool, type(None)})


def iso(moment: datetime) -> str:
    """The time as the tables hold it: ISO-8601 text in UTC, which sorts as the times do. Naive times are UTC."""
    if moment.tzinfo is not UTC:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat()


def from_iso(text: str) -> datetime:
    """The time that a table's text says."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def trace_record(trace: Trace) -> Record:
    """The row of a trace. Its span and error counts are left out: they are counted from the spans when read."""
    return {
        "trace_id": trace.trace_id,
        "name": _text(trace.name),
        "status": _text(trace.status),
        "start_time": iso(trace.start_time),
        "end_time": iso(trace.end_time),
        "duration_ms": int(trace.duration_ms),
        "run_id": _text_or_null(trace.run_id),
        "session_id": _text_or_null(trace.session_id),
        "user_id": _text_or_null(trace.user_id),
        "agent_id": _text_or_null(trace.agent_id),
        "team_id": _text_or_null(trace.team_id),
        "workflow_id": _text_or_null(trace.workflow_id),
        "created_at": iso(trace.created_at),
    }


def span_record(span: Span) -> Record:
    """The row of a span. Attributes without a stored form become their `repr`, named in `dbrouter.unstorable`."""
    return {
        "span_id": span.span_id,
        "trace_id": span.trace_id,
        "parent_span_id": span.parent_span_id,
        "name": _text(span.name),
        "span_kind": _text(span.span_kind),
        "status_code": _text(span.status_code),
        "status_message": _text_or_null(span.status_message),
        "start_time": iso(span.start_time),
        "end_time": iso(span.end_time),
        "duration_ms": int(span.duration_ms),
        "attributes": storable(span.attributes),
        "created_at": iso(span.created_at),
    }


def storable(attributes: Mapping[Any, Any] | None) -> dict[str, Any] | None:
    """A copy of the attributes that every backend can store.

    Text and numbers, nearly all there is, are not looked into: this runs on the thread of the traced call.
    """
    if attributes is None:
        return None
    kept: dict[str, Any] = {}
    replaced: list[str] = []
    for name, value in attributes.items():
        key = name if isinstance(name, str) else str(name)
        if type(value) in _PLAIN or _has_stored_form(value):
            kept[key] = value
        else:
            kept[key] = _shown(value)
            replaced.append(key)
    if replaced:
        kept[UNSTORABLE_ATTRIBUTE] = replaced
    return kept


def _has_stored_form(value: Any) -> bool:
    try:
        encode(value)
    except Exception:  # noqa: BLE001  # `Unstorable`, or whatever a foreign object's own `to_dict` raises
        return False
    return True


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  # `Unstorable`, or whatever a foreign object's own `to_dict` raises
        return object.__repr__(value)


def _text(value: Any) -> str:
    # Instrumentations put numbers and nulls where agno's types promise text; a typed column would refuse the batch.
    return "" if value is None else str(value)


def _text_or_null(value: Any) -> str | None:
    return None if value is None else str(value)


def counted(record: Mapping[str, Any], counts: Mapping[str, Any] | None) -> Trace:
    """The trace of a row, with the counts of its spans (none stored: zero)."""
    from dbrouter.router.agno_tracing import Trace  # see agno_tracing

    total, errors = (counts["total_spans"], counts["error_count"]) if counts else (0, 0)
    return Trace.from_dict({**record, "total_spans": total, "error_count": errors})


def spans_of(records: Iterable[Record]) -> list[Span]:
    """The spans of rows."""
    from dbrouter.router.agno_tracing import Span  # see agno_tracing

    return [Span.from_dict(record) for record in records]
