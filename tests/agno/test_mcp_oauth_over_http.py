"""agno's built-in MCP OAuth on a router: a client registers, is let in with the secret, and renews its tokens."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.agno.conftest import ORACLE, parameter
from tests.agno.live import Live
from tests.agno.rest import serving

builtin = pytest.importorskip("agno.os.mcp_auth_builtin", reason="agno[mcp] is not installed", exc_type=ImportError)

KEPT_IN = [("sqlite", "blocking"), ("postgres", "blocking")]
OUTSIDE = "http://localhost:7777"
BACK = "http://localhost:9999/callback"
REFUSED = 401
"""What fastmcp makes of OAuth's `invalid_grant`."""
SECRET = "a secret that somebody types"
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture(params=[parameter(*each) for each in (*KEPT_IN, ORACLE)])
def live(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A db for OAuth. agno looks at the dialect of its engine, and does the rest by the db's own methods."""
    return open_live(*request.param)


class Connector:
    """An MCP client that asks an AgentOS for access."""

    def __init__(self, http: httpx.AsyncClient, client_id: str = "") -> None:
        self._http = http
        self._verifier = secrets.token_urlsafe(48)
        self.client_id = client_id

    def another(self, client_id: str = "") -> Connector:
        """Another client of the same AgentOS, or this one as it was before."""
        return Connector(self._http, client_id)

    async def register(self) -> int:
        """Introduce itself."""
        body = {"client_name": "Desk", "redirect_uris": [BACK], "grant_types": ["authorization_code", "refresh_token"]}
        answer = await self._http.post("/register", json=body)
        self.client_id = answer.json().get("client_id", "")
        return answer.status_code

    async def ask(self) -> str:
        """Ask for access; the page on which somebody types the secret."""
        hashed = hashlib.sha256(self._verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "code_challenge": urlsafe_b64encode(hashed).decode().rstrip("="),
            "code_challenge_method": "S256",
            "state": "kept",
        }
        answer = await self._http.get("/authorize", params=query)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"].removeprefix(OUTSIDE)

    async def approve(self, page: str, secret: str = SECRET) -> httpx.Response:
        """Type the secret into the page."""
        shown = await self._http.get(page)
        if shown.status_code != 200:
            return shown
        assert "Desk" in shown.text
        csrf = shown.text.split('name="csrf" value="')[1].split('"')[0]
        txn = parse_qs(urlsplit(page).query)["txn"][0]
        form = {"txn": txn, "csrf": csrf, "secret": secret, "action": "approve"}
        return await self._http.post(urlsplit(page).path, data=form)

    async def code(self) -> str:
        """A code, all the way."""
        sent = urlsplit((await self.approve(await self.ask())).headers["location"])
        found = parse_qs(sent.query)
        assert found["state"] == ["kept"]
        return found["code"][0]

    async def exchange(self, code: str) -> httpx.Response:
        """Turn a code into tokens."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": self._verifier}
        return await self._http.post("/token", data=form | {"client_id": self.client_id})

    async def renew(self, token: str) -> httpx.Response:
        """Turn a refresh token into new tokens."""
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.client_id}
        return await self._http.post("/token", data=form)

    async def initialize(self, token: str) -> int:
        """Speak to the MCP server."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
        return (await self._http.post("/mcp", json=HELLO, headers=headers)).status_code


@asynccontextmanager
async def connector(live: Live, **options: Any) -> AsyncIterator[Connector]:
    auth = builtin.AgentOSBuiltinAuth(url=OUTSIDE, secret=SECRET, **options)
    async with serving(live, mcp=True, mcp_auth=auth) as rest:
        transport = httpx.ASGITransport(rest.app)
        async with httpx.AsyncClient(transport=transport, base_url=OUTSIDE) as http:
            yield Connector(http)


# What fails inside of an MCP server's lifespan is buried under its own errors: tests look at the answers after it.


async def test_a_client_is_let_in_and_its_code_works_once(live: Live) -> None:
    async with connector(live) as client:
        registered = await client.register()
        page = await client.ask()
        pages = [await client.approve(page, secret) for secret in ("wrong", SECRET, SECRET)]
        code = await client.code()
        granted, replayed = [await client.exchange(code) for _ in range(2)]
        token = granted.json()["access_token"]
        reached = [await client.initialize(each) for each in (token, "made up")]

    assert registered == 201
    assert "Wrong connect secret" in pages[0].text
    assert [page.status_code for page in pages] == [200, 302, 404]
    assert (granted.status_code, replayed.status_code, replayed.json()["error"]) == (200, REFUSED, "invalid_grant")
    assert reached == [200, 401]


async def test_of_many_who_present_a_code_at_once_one_gets_tokens(live: Live) -> None:
    async with connector(live) as client:
        await client.register()
        code = await client.code()
        answers = await asyncio.gather(*(client.exchange(code) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [REFUSED] * 7


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(live: Live) -> None:
    async with connector(live) as client:
        await client.register()
        first = (await client.exchange(await client.code())).json()["refresh_token"]
        other = (await client.exchange(await client.code())).json()["refresh_token"]
        second = (await client.renew(first)).json()["refresh_token"]
        third = (await client.renew(second)).json()["refresh_token"]
        answers = [(await client.renew(token)).status_code for token in (first, third, other)]

    assert answers == [REFUSED, REFUSED, 200]


async def test_clients_and_keys_outlive_a_start_and_pending_clients_are_few(live: Live) -> None:
    async with connector(live, max_clients=2) as client:
        await client.register()
        tokens = (await client.exchange(await client.code())).json()
        pending = [await client.another().register() for _ in range(3)]
    async with connector(live) as restarted:
        again = restarted.another(client.client_id)
        reached = await again.initialize(tokens["access_token"])
        renewed = await again.renew(tokens["refresh_token"])

    assert pending == [201, 201, 400]
    assert (reached, renewed.status_code) == (200, 200)


REFUSED_ON = {("sqlite", "async"): "does not support async", ("memory", "blocking"): "requires a SQLAlchemy-backed"}


@pytest.mark.parametrize(
    ("live", "why"), [(parameter(*on).values[0], why) for on, why in REFUSED_ON.items()], indirect=["live"]
)
async def test_where_agno_has_no_oauth_it_says_so_before_it_serves(live: Live, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        async with connector(live):
            pass
