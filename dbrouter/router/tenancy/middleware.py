"""Each request is one tenant's: an ASGI middleware that opens the request's binding and answers its refusals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias
from urllib.parse import unquote_to_bytes

from dbrouter.backends.kernel.errors import ConfigError, PolicyError, TenantError
from dbrouter.router.tenancy.binding import Bound, Claimed, bind, current
from dbrouter.router.tenancy.patterns import Pattern
from dbrouter.router.tenancy.refusals import told
from dbrouter.router.tenancy.request import Request, Scope
from dbrouter.router.tenancy.request_sources import RequestSources
from dbrouter.router.tenancy.tenants import Source, TenancyRules
from dbrouter.router.tenancy.tracing import TRACES

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_MARK = "dbrouter_request"
_POLICY_VIOLATION = 1008


class HasTenants(Protocol):
    """A router with tenants."""

    @property
    def tenancy(self) -> TenancyRules | None:
        """The rules by which tenants are found; `None` if it has none."""
        ...


class TenantMiddleware:
    """Gives each request and websocket a binding: `app.add_middleware(TenantMiddleware, db=router)`.

    Its tenant is found when a call first asks, so after AgentOS has authenticated it, wherever this middleware stands.
    From then on the request is that tenant's, in all its tasks and threads, also in those that outlive the answer. A
    refused call becomes the answer, if none has begun. With `tenancy.path` the prefix is taken off the path.
    """

    def __init__(self, app: App, db: HasTenants) -> None:
        rules = db.tenancy
        if rules is None:
            raise ConfigError("TenantMiddleware: the db has no tenants; give its configuration a section `tenancy`")
        self._app = app
        self._sources = RequestSources(rules)
        self._prefix = _Prefix(rules.path) if rules.path and Source.REQUEST in rules.resolve else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        binding = current()
        if isinstance(binding, Request) and scope.get("state", {}).get(_MARK) is binding:
            # Installed twice, on an app and on one that it mounts: it is one request.
            await self._app(scope, receive, send)
            return
        # Made here, so that whatever copies the scope further in still writes to the same state.
        scope.setdefault("state", {})
        named = None
        if self._prefix is not None:
            scope, named = self._prefix.taken_off(scope)
        request = Request(scope, path_tenant=named, sources=self._sources)
        scope["state"][_MARK] = request
        before = bind(request)
        if isinstance(before, Bound | Claimed) and isinstance(before.whose, str):
            # Called in the process, by code that is bound: a request does not take its tenant off it.
            request.tenant = before.whose
        TRACES.serve(request)
        try:
            if scope["type"] == "http":
                await self._http(request, receive, send)
            else:
                await self._websocket(request, receive, send)
        finally:
            bind(before)

    async def _http(self, request: Request, receive: Receive, send: Send) -> None:
        answer = _Answer(request, send)
        try:
            await self._app(request.scope, receive, answer.send)
        except PolicyError as error:
            if answer.has_begun:
                raise
            await answer.refuse(error)

    async def _websocket(self, request: Request, receive: Receive, send: Send) -> None:
        offered: list[str] = []
        is_open = True

        async def heard() -> Message:
            message = await receive()
            token = _offered(message)
            if token is not None:
                offered[:] = [token]
            return message

        async def said(message: Message) -> None:
            nonlocal is_open
            if message["type"] == "websocket.close":
                is_open = False
            elif offered and _accepts(message):
                request.token = offered.pop()
            await send(message)

        try:
            await self._app(request.scope, heard, said)
        except PolicyError:
            if not is_open:
                raise
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": "refused"})


class _Answer:
    """The answer of one request, replaced by a refusal where a refused call made it an error."""

    def __init__(self, request: Request, send: Send) -> None:
        self._request = request
        self._send = send
        self.has_begun = False
        self._is_replaced = False

    async def send(self, message: Message) -> None:
        """Pass on what the app says, unless it tells of a refusal in its own way."""
        if self._is_replaced:
            return
        if message["type"] == "http.response.start":
            error = self._request.refused
            # AgentOS answers 200 with the error's words where a run failed. Over a limit, others' work may be done.
            if error is not None and (message["status"] >= 400 or isinstance(error, TenantError)):
                self._is_replaced = True
                await self.refuse(error, beside=message.get("headers", ()))
                return
            self.has_begun = True
        await self._send(message)

    async def refuse(self, error: PolicyError, beside: Any = ()) -> None:
        """Send the refusal as the whole answer."""
        self.has_begun = True
        status, headers, body = told(error, beside=beside)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


class _Prefix:
    """A prefix of the path that names the tenant, as in `/t/{tenant}/`."""

    def __init__(self, pattern: str) -> None:
        self._segments = [part.encode() for part in pattern.strip("/").split("/")]
        places = [at for at, part in enumerate(self._segments) if b"{" in part]
        if len(places) != 1:
            raise ConfigError(f"tenancy.path: {pattern!r}: {{tenant}} has to stand in one part of it")
        self._place = places[0]
        self._pattern = Pattern.of(self._segments[self._place].decode())
        if self._pattern.separator:
            raise ConfigError(f"tenancy.path: {pattern!r}: {{tenant}} stands alone; no {{user}} is read from a path")

    def taken_off(self, scope: Scope) -> tuple[Scope, str | None]:
        """The scope without the prefix, and the tenant; the scope as it is and `None` if there is no such prefix.

        The prefix goes from the path itself and does not become a part of `root_path`: some of AgentOS's middlewares
        compare the path with their own, and would take a prefixed one for somebody else's.
        """
        root = str(scope.get("root_path", "")).rstrip("/")
        raw = bytes(scope.get("raw_path") or str(scope["path"]).encode("utf-8"))
        base = _quoted_root(raw, root)
        segments = raw[len(base) :].lstrip(b"/").split(b"/")
        count = len(self._segments)
        if len(segments) < count or not raw[len(base) :].startswith(b"/"):
            return scope, None
        for at, (part, wanted) in enumerate(zip(segments, self._segments, strict=False)):
            if at != self._place and part != wanted:
                return scope, None
        try:
            # Decoded within its part: an escaped slash belongs to the name and ends nothing.
            named = self._pattern.tenant_in(unquote_to_bytes(segments[self._place]).decode("utf-8"))
        except UnicodeDecodeError:
            return scope, None
        if named is None:
            return scope, None
        rest = b"/" + b"/".join(segments[count:])
        path = root + unquote_to_bytes(rest).decode("utf-8", "replace")
        return {**scope, "path": path, "raw_path": base + rest}, named


def _quoted_root(raw: bytes, root: str) -> bytes:
    """The part of a raw path that is the app's root; servers differ in whether they send it along."""
    encoded = root.encode("utf-8")
    return encoded if encoded and (raw == encoded or raw.startswith(encoded + b"/")) else b""


def _offered(message: Message) -> str | None:
    """The token in a websocket message by which a client authenticates at AgentOS."""
    told_json = _json_in(message, "websocket.receive", '"authenticate"')
    token = told_json.get("token") if told_json.get("action") == "authenticate" else None
    return token if isinstance(token, str) else None


def _accepts(message: Message) -> bool:
    """Whether AgentOS tells a websocket that the token it sent is accepted."""
    return _json_in(message, "websocket.send", '"authenticated"').get("event") == "authenticated"


def _json_in(message: Message, kind: str, word: str) -> dict[str, Any]:
    text = message.get("text") if message["type"] == kind else None
    if not isinstance(text, str) or word not in text:
        return {}
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
