"""A server between our driver and the emulator that passes bytes on, and fails requests as it is told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

STREAMING = frozenset({"BatchGetDocuments", "RunAggregationQuery", "RunQuery"})


class Between:
    """address: where it listens. requests: how many of each method came.

    fail: method -> statuses for its next requests, one each, before the emulator sees them. lose: how many of the next
    answers of a method are lost, after those that are `spared`: the emulator has done what was asked, and the caller is
    not told.
    """

    def __init__(self, emulator: str) -> None:
        self.requests: Counter[str] = Counter()
        self.fail: dict[str, list[grpc.StatusCode]] = {}
        self.lose: Counter[str] = Counter()
        self.spared: Counter[str] = Counter()
        self.meanwhile: Callable[[], None] | None = None
        """Called once, before the next lost answer is noticed."""
        self._channel = grpc.insecure_channel(emulator)
        self._server = grpc.server(ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((_Handlers(self),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.stop(None).wait()
        self._channel.close()

    def answers(self, path: str, request: bytes, context: Any) -> list[bytes]:
        """The emulator's answers, or the failure that is due."""
        method = path.rpartition("/")[2]
        self.requests[method] += 1
        if due := self.fail.get(method):
            context.abort(due.pop(0), "told to fail")
        metadata = [each for each in context.invocation_metadata() if not each[0].startswith(("user-agent", "grpc-"))]
        try:
            if method in STREAMING:
                found = list(self._channel.unary_stream(path)(request, metadata=metadata, timeout=20))
            else:
                found = [self._channel.unary_unary(path)(request, metadata=metadata, timeout=20)]
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
        if self.spared[method]:
            self.spared[method] -= 1
        elif self.lose[method]:
            self.lose[method] -= 1
            if self.meanwhile is not None:
                self.meanwhile, then = None, self.meanwhile
                then()
            context.abort(grpc.StatusCode.UNAVAILABLE, "the answer was lost")
        return found


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, between: Between) -> None:
        self._between = between

    def service(self, handler_call_details: Any) -> Any:
        """One for every method."""
        path: str = handler_call_details.method
        if path.rpartition("/")[2] in STREAMING:
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: iter(self._between.answers(path, request, context))
            )
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._between.answers(path, request, context)[0]
        )
