"""The tenant rides on the span: an exporter writes traces from a thread that has no context.

Each span that starts while a tenant is known is stamped with its name, and so is the span in which a call is found to
be a tenant's by other means, by a view or a user id. A row of a trace carries no attributes: it is the tenant's whose
its root span is, if no span of it is another's. A trace of several tenants, as of a script that serves one after the
other or of clients that send the same trace id, says nothing by its id: there only stamps and contexts count.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from dbrouter.backends.kernel.forking import lock
from dbrouter.backends.kernel.merging import Record
from dbrouter.backends.kernel.ops import AnyOp, Batch, Insert, Upsert
from dbrouter.router.tenancy.binding import Binding, Bound, Claimed, current
from dbrouter.router.tenancy.request import Request

ATTRIBUTE = "dbrouter.tenant"
"""The span's attribute that names its tenant."""

MOST = 20_000
"""Traces whose tenant is remembered; an exporter is done with one seconds after its end."""


@dataclass(slots=True)
class _Trace:
    """What is known of one trace: its root span in this process, and whose its spans and its root are."""

    root: int | None = None
    tenants: set[str] = field(default_factory=set[str])
    of_root: str | None = None
    request: Request | None = None
    """The request whose span the root is: its tenant may be found after the span began."""
    has_two_roots: bool = False


class TraceTenants:
    """Trace's id -> its tenant, of the traces that this process began lately. Also an OpenTelemetry span processor."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._traces: OrderedDict[str, _Trace] = OrderedDict()
        self._lock = lock()
        self._provider: object = None

    def on_start(self, span: Any, parent_context: object = None) -> None:  # noqa: ARG002  # OpenTelemetry's signature
        """Stamp a span that starts."""
        binding = current()
        self._see(span, _tenant_of(binding), binding if isinstance(binding, Request) else None)

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
        span = self._current_span()
        if span is not None:
            self._see(span, whose, None)

    def serve(self, request: Request) -> None:
        """A request begins, perhaps in a span that began before it."""
        span = self._current_span()
        if span is not None:
            self._see(span, None, request)

    def tenant_of(self, trace_id: str) -> str | None:
        """The one tenant of a trace; `None` if it is not known, or if there are several."""
        known = self._traces.get(trace_id)
        if known is None or known.has_two_roots:
            return None
        of_root = known.of_root if known.request is None else known.request.tenant
        return of_root if known.tenants <= {of_root} else None

    def began_here(self, trace_id: str) -> bool:
        """Whether this process began the trace, so that its tenant may yet be found."""
        # Of the very first trace nobody has been told.
        return trace_id in self._traces or (self._provider is None and "opentelemetry.sdk.trace" in sys.modules)

    def _current_span(self) -> Any:
        """The span of this context, if it will be exported: only the SDK's own have attributes to be stamped."""
        trace_api = sys.modules.get("opentelemetry.trace")
        if trace_api is None:
            return None
        self._installed(trace_api)
        span = trace_api.get_current_span()
        return span if span.is_recording() and hasattr(span, "attributes") else None

    def _see(self, span: Any, whose: str | None, request: Request | None) -> None:
        own = span.attributes.get(ATTRIBUTE)
        if own is None and whose is not None:
            span.set_attribute(ATTRIBUTE, whose)
        is_root = span.parent is None or span.parent.is_remote
        if whose is None and not is_root:
            return
        context = span.get_span_context()
        # As agno's exporter writes it.
        trace_id = format(context.trace_id, "032x")
        with self._lock:
            known = self._traces.get(trace_id)
            if known is None:
                known = self._traces[trace_id] = _Trace()
                while len(self._traces) > self._most:
                    self._traces.popitem(last=False)
            if whose is not None:
                known.tenants.add(whose)
            if is_root:
                known.has_two_roots = known.has_two_roots or known.root not in {None, context.span_id}
                known.root = context.span_id
                known.of_root = known.of_root or whose
                known.request = known.request or request

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


def traces_say(op: AnyOp) -> Iterator[tuple[str, str]]:
    """What the traces and spans that an op writes say of their tenant. A question about them says nothing."""
    match op:
        case Batch(upserts=upserts):
            for upsert in upserts:
                yield from traces_say(upsert)
        case Insert(table="spans" | "traces", records=records) | Upsert(table="spans" | "traces", records=records):
            for record in records:
                named = stamped(record)
                if named is not None:
                    yield "the span", named
                known = TRACES.tenant_of(record["trace_id"])
                if known is not None:
                    yield "the trace", known
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
