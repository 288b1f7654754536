"""The tenant rides on the span: an exporter writes traces from a thread that has no context.

Each span that starts while a tenant is known is stamped with its name, and the trace's id is remembered with it: a row
of a trace carries no attributes. So is the trace of each call whose tenant was found in another way, by a view or a
user id. A trace of several tenants, as of a script that serves one after the other, says nothing by its id.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, cast

from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import AnyOp, Batch, Insert, Upsert
from dbrouter.router.tenancy.binding import Binding, Bound, Claimed, current

ATTRIBUTE = "dbrouter.tenant"
"""The span's attribute that names its tenant."""

MOST = 20_000
"""Traces whose tenant is remembered; an exporter is done with one seconds after its end."""


class TraceTenants:
    """Trace's id -> its tenant, of the traces that this process began lately. Also an OpenTelemetry span processor."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._tenants: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._lock = threading.Lock()
        self._provider: object = None

    def on_start(self, span: Any, parent_context: object = None) -> None:  # noqa: ARG002  # OpenTelemetry's keyword
        """Stamp a span that starts."""
        whose = _tenant_of(current())
        if whose is not None:
            self._stamp(span, whose)

    def on_end(self, span: object) -> None:
        """Do nothing."""

    def _on_ending(self, span: object) -> None:
        pass

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # OpenTelemetry's signature
        """Nothing waits."""
        return True

    def found(self, whose: str) -> None:
        """A call was found to be this tenant's: so is the span in which it was made."""
        trace_api = sys.modules.get("opentelemetry.trace")
        if trace_api is None:
            return
        self._installed(trace_api)
        span = trace_api.get_current_span()
        if span.is_recording():
            self._stamp(span, whose)

    def tenant_of(self, trace_id: str) -> str | None:
        """The one tenant of a trace; `None` if it is not known, or if there are several."""
        known = self._tenants.get(trace_id)
        return next(iter(known)) if known is not None and len(known) == 1 else None

    def _stamp(self, span: Any, whose: str) -> None:
        if span.attributes.get(ATTRIBUTE) != whose:
            span.set_attribute(ATTRIBUTE, whose)
        # As agno's exporter writes it.
        trace_id = format(span.get_span_context().trace_id, "032x")
        known = self._tenants.get(trace_id)
        if known is not None and whose in known:
            return
        with self._lock:
            self._tenants[trace_id] = self._tenants.get(trace_id, frozenset()) | {whose}
            while len(self._tenants) > self._most:
                self._tenants.popitem(last=False)

    def _installed(self, trace_api: Any) -> None:
        """Become a processor of the provider that agno's `setup_tracing` has made, once it is there."""
        provider = trace_api.get_tracer_provider()
        if provider is self._provider:
            return
        with self._lock:
            if provider is not self._provider and hasattr(provider, "add_span_processor"):
                provider.add_span_processor(self)
            self._provider = provider


TRACES = TraceTenants()
"""Of this process: OpenTelemetry's provider is one for all routers, too."""


def stamped(record: Record) -> str | None:
    """The tenant that a span's row names, as another process may have stamped it."""
    attributes = record.get("attributes")
    named = cast("Mapping[str, Any]", attributes).get(ATTRIBUTE) if isinstance(attributes, Mapping) else None
    return named if isinstance(named, str) else None


def spans_in(op: AnyOp) -> Iterator[Record]:
    """The rows of spans that an op writes. A question about spans says nothing of whose they are."""
    match op:
        case Batch(upserts=upserts):
            for upsert in upserts:
                yield from spans_in(upsert)
        case Insert(table="spans", records=records) | Upsert(table="spans", records=records):
            yield from records
        case _:
            return


def _tenant_of(binding: Binding | None) -> str | None:
    match binding:
        case None:
            return None
        case Bound(whose=whose):
            return whose if isinstance(whose, str) else None
        case Claimed(whose=whose):
            return None if binding.is_claimers else whose
        case _:
            return binding.tenant
