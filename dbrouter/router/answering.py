"""Errors over HTTP: each is the answer with its status, and no server error beside it."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from dbrouter.backends.kernel.errors import DbRouterError

logger = logging.getLogger("dbrouter.http")


def answer_errors(app: Any) -> Any:
    """The app, which from now on answers each of our errors with its `status_code`.

    Write `app = answer_errors(agent_os.get_app())`. AgentOS alone gives the same answers, but as a handler of
    `Exception`, after which Starlette raises the error again: the server logs a traceback beside a 409 too. `protect`
    does this by itself. Call it before the first request. A handler that the app has for `DbRouterError` stays.
    """
    app.exception_handlers.setdefault(DbRouterError, _answered)
    return app


async def _answered(request: Any, error: DbRouterError) -> Callable[..., Awaitable[None]]:
    if request.scope["type"] != "http":
        # A websocket has no status to answer with.
        raise error
    status = error.status_code
    name = type(error).__name__
    if status >= 500:
        # An outage says all in its message; what else is wrong here is somebody's fault, who needs to see where.
        logger.error("%d %s: %s", status, name, error, exc_info=error if status == 500 else None)
    else:
        logger.warning("%d %s: %s", status, name, error)
    # As AgentOS does it: what happened within is not for clients.
    body = json.dumps({"detail": str(error) if status < 500 else f"Internal server error ({name})"}).encode()

    async def answer(
        _scope: MutableMapping[str, Any],
        _receive: Callable[[], Awaitable[Any]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
