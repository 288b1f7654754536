"""The middleware by itself: what it passes on, what it answers, and which prefix it takes off a path."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from dbrouter import (
    ConfigError,
    CrossedTenant,
    LimitExceeded,
    MissingTenant,
    TenantConflict,
    TenantLocked,
    TenantMiddleware,
    TenantSuspended,
    UnknownTenant,
    tenant,
)
from dbrouter.router.tenancy.binding import current
from dbrouter.router.tenancy.request import Request, current_request, refused
from dbrouter.router.tenancy.tenants import Source, TenancyRules
from dbrouter.router.tenancy.verified import opened, sealed


@dataclass
class Db:
    """What the middleware asks of a router."""

    tenancy: TenancyRules | None = field(default_factory=TenancyRules)


def served(app: Any, *, rules: TenancyRules | None = None, scope: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """What a client receives."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"type": "http", "path": "/x", "headers": [], **(scope or {})}
    middleware = TenantMiddleware(app, Db(rules or TenancyRules()))
    asyncio.run(middleware(given, receive, send))  # type: ignore[arg-type]
    return sent


def answering(status: int, *parts: bytes, before: Callable[[], None] = lambda: None) -> Any:
    """An app that answers, after it did something."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        before()
        headers = [(b"access-control-allow-origin", b"https://ui"), (b"vary", b"Origin"), (b"x-inner", b"1")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


def raising(error: Exception) -> Callable[[], None]:
    """Raises it."""

    def act() -> None:
        raise error

    return act


ANSWERS = [
    (MissingTenant("secret acme"), 400),
    (UnknownTenant("secret acme"), 404),
    (TenantSuspended("secret acme"), 403),
    (TenantConflict("secret acme"), 403),
    (TenantLocked("secret acme"), 403),
    (LimitExceeded("secret acme", retry_after=0.2), 429),
    (LimitExceeded("secret acme"), 429),
    (CrossedTenant("secret acme"), 500),
]


@pytest.mark.parametrize(("error", "status"), ANSWERS, ids=lambda each: type(each).__name__)
def test_a_refusal_that_leaves_the_app_is_an_answer_in_public_words(error: Any, status: int) -> None:
    start, body = served(answering(200, before=raising(error)))
    assert start["status"] == status
    assert b"acme" not in body["body"]
    assert json.loads(body["body"])["error_type"] == "tenancy"
    headers = dict(start["headers"])
    assert int(headers[b"content-length"]) == len(body["body"])
    retry = getattr(error, "retry_after", None)
    assert headers.get(b"retry-after") == (None if retry is None else b"1")


@pytest.mark.parametrize(("error", "status"), ANSWERS, ids=lambda each: type(each).__name__)
def test_a_refusal_that_the_app_swallowed_is_the_answer_to_its_error(error: Any, status: int) -> None:
    sent = served(answering(500, b"tenant acme ...", before=lambda: refused(error)))
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == status
    names = [name for name, _ in sent[0]["headers"]]
    assert b"access-control-allow-origin" in names
    assert b"x-inner" not in names


def test_a_refusal_of_tenancy_is_never_a_success_and_one_of_limits_may_be() -> None:
    swallowed = answering(200, b"half", before=lambda: refused(TenantConflict("x")))
    assert served(swallowed)[0]["status"] == 403
    retried = answering(200, b"done", before=lambda: refused(LimitExceeded("x", retry_after=1)))
    assert served(retried)[0]["status"] == 200


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise TenantConflict("late")

    with pytest.raises(TenantConflict):
        served(app)


def test_other_errors_are_the_servers() -> None:
    with pytest.raises(KeyError):
        served(answering(200, before=raising(KeyError())))


def test_a_request_has_a_binding_of_its_own_and_leaves_none() -> None:
    seen: list[Any] = []
    served(answering(200, before=lambda: seen.append(current_request())))
    served(answering(200, before=lambda: seen.append(current_request())))
    assert len({id(each) for each in seen}) == 2
    assert all(isinstance(each, Request) for each in seen)
    assert current() is None


def test_a_request_that_bound_code_makes_in_its_own_process_stays_that_tenants() -> None:
    seen: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        request = current_request()
        assert request is not None
        seen.append(request.tenant)
        await answering(200)(_scope, _receive, send)

    async def call() -> None:
        async def nothing(_message: Any = None) -> Any:
            return {"type": "http.request"}

        middleware = TenantMiddleware(app, Db())
        with tenant("acme"):
            await middleware({"type": "http", "path": "/", "headers": []}, nothing, nothing)
        await middleware({"type": "http", "path": "/", "headers": []}, nothing, nothing)

    asyncio.run(call())
    assert seen == ["acme", None]


def test_two_middlewares_of_one_request_are_one() -> None:
    seen: list[Any] = []
    inner = TenantMiddleware(answering(200, before=lambda: seen.append(current_request())), Db())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(current_request())
        await inner(scope, receive, send)

    served(app)
    assert seen[0] is seen[1]


def test_a_scope_of_another_kind_passes_through() -> None:
    seen: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append((scope["type"], current()))

    served(app, scope={"type": "lifespan"})
    assert seen == [("lifespan", None)]


def test_a_db_without_tenants_is_refused() -> None:
    with pytest.raises(ConfigError, match="tenancy"):
        TenantMiddleware(answering(200), Db(tenancy=None))


def by_path(pattern: str) -> TenancyRules:
    """Tenants by the path."""
    return TenancyRules(resolve=(Source.REQUEST,), path=pattern)


@pytest.mark.parametrize(
    ("pattern", "raw", "root", "named", "path", "left"),
    [
        ("/t/{tenant}/", b"/t/acme/sessions", "", "acme", "/sessions", b"/sessions"),
        ("/t/{tenant}", b"/t/acme/sessions", "", "acme", "/sessions", b"/sessions"),
        ("/{tenant}", b"/acme", "", "acme", "/", b"/"),
        ("/t/{tenant}", b"/t/acme", "", "acme", "/", b"/"),
        ("/t/{tenant}", b"/t/acme/", "", "acme", "/", b"/"),
        ("/t/{tenant}", b"/t/a%2Fb/s%2Fid", "", "a/b", "/s/id", b"/s%2Fid"),
        ("/t/{tenant}", b"/t/%61cme/x", "", "acme", "/x", b"/x"),
        ("/t/{tenant}", b"/t/%00/x", "", "\0", "/x", b"/x"),
        ("/t/{tenant}", b"/t/..%2Facme/x", "", "../acme", "/x", b"/x"),
        ("/org-{tenant}/api", b"/org-acme/api/x", "", "acme", "/x", b"/x"),
        ("/t/{tenant}", b"/api/t/acme/x", "/api", "acme", "/api/x", b"/api/x"),
        ("/t/{tenant}", b"/t/acme/x", "/api", "acme", "/api/x", b"/x"),
        ("/t/{tenant}", b"/t", "", None, "/t", b"/t"),
        ("/t/{tenant}", b"/t//x", "", None, "/t//x", b"/t//x"),
        ("/t/{tenant}", b"/T/acme/x", "", None, "/T/acme/x", b"/T/acme/x"),
        ("/t/{tenant}", b"/x/t/acme", "", None, "/x/t/acme", b"/x/t/acme"),
        ("/t/{tenant}", b"/t/%ff/x", "", None, "/t/\ufffd/x", b"/t/%ff/x"),
        ("/org-{tenant}/api", b"/org-/api/x", "", None, "/org-/api/x", b"/org-/api/x"),
    ],
)
def test_a_prefix_is_taken_off_by_its_parts(
    pattern: str, raw: bytes, root: str, named: str | None, path: str, left: bytes
) -> None:
    from urllib.parse import unquote

    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        request = current_request()
        assert request is not None
        seen.append((request.path_tenant, scope["path"], scope["raw_path"]))
        assert request.scope is scope
        await answering(200)(scope, receive, send)

    scope = {"path": unquote(raw.decode()), "raw_path": raw, "root_path": root}
    served(app, rules=by_path(pattern), scope=scope)
    assert seen == [(named, path, left)]


@pytest.mark.parametrize("pattern", ["/t/", "/{tenant}/{tenant}", "/{tenant}-{user}", "/t/{tenant}{user}", "/{x}"])
def test_a_path_that_leaves_the_tenant_open_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError):
        TenantMiddleware(answering(200), Db(by_path(pattern)))


@pytest.mark.parametrize("name", ["acme", "a/b", "a.b", "\0", "\ud800", "аcme", "", "x" * 3000])
def test_what_is_sealed_can_be_opened_with_the_same_key_alone(name: str) -> None:
    value = sealed(name, "key")
    assert value.isascii()
    assert opened(value, "key") == name
    assert opened(value, "other") is None
    assert opened(value[:-1] + ("0" if value[-1] != "0" else "1"), "key") is None
    assert opened(sealed("globex", "key").partition(".")[0] + "." + value.partition(".")[2], "key") in {None, "globex"}


@pytest.mark.parametrize("value", ["", ".", "acme", "acme.acme", "é.é", "YWNtZQ==."])
def test_what_is_no_seal_opens_nothing(value: str) -> None:
    assert opened(value, "key") is None
