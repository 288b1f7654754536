"""AgentOS with authorization on a router: roles and what they decide, who did what, the switch-off of users, machines."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from agno.os.authz import Authorization

from tests.agno.conftest import ORACLE, parameter
from tests.agno.live import Live
from tests.agno.rest import Rest, serving

KEPT_IN = [(backend, mode) for backend in ("sqlite", "postgres") for mode in ("blocking", "async")]
SECRET = "a secret that is long enough for HS256"
ADMIN = ["agent_os:admin"]
MEMBER = ["agents:clerk:run", "agents:clerk:read", "sessions:read"]
HELLO = {"message": "hello", "stream": "false"}


@pytest.fixture(params=[parameter(*each) for each in (*KEPT_IN, ORACLE)])
def live(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A db that decides who may what."""
    return open_live(*request.param)


@dataclass(frozen=True)
class Caller:
    """A client of one AgentOS with a token."""

    rest: Rest
    token: str

    async def call(self, verb: str, path: str, *, status: int | None = None, **options: Any) -> Any:
        """Ask a route; every call has to succeed unless the test names another status."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.rest.call(verb, path, status=status, headers=headers, **options)

    async def get(self, path: str, **query: Any) -> Any:
        """Ask a route with `GET`."""
        return await self.call("GET", path, params=query)

    async def hello(self, agent: str = "clerk", *, status: int | None = None) -> Any:
        """Run an agent."""
        return await self.call("POST", f"/agents/{agent}/runs", data=HELLO, status=status)


@dataclass(frozen=True)
class Office:
    """An AgentOS that asks everybody for a token."""

    rest: Rest

    def as_(self, user: str, **claims: Any) -> Caller:
        """Somebody whose identity provider says who they are."""
        now = int(time.time())
        claims = {"sub": user, "iat": now, "exp": now + 60, **claims}
        return Caller(self.rest, jwt.encode(claims, SECRET, algorithm="HS256"))


@asynccontextmanager
async def guarded(live: Live, *, roles: bool = True, **options: Any) -> AsyncIterator[Office]:
    """Start an AgentOS where ada is the administrator and who is not known becomes a member."""
    authorization = Authorization(db=live.db, verification_keys=[SECRET], algorithm="HS256", audit=True)
    if roles and live.blocking:
        authorization.define_role("admin", ADMIN).define_role("member", MEMBER, default=True)
        authorization.seed(admin="ada")
    elif roles:
        # agno's declarations are for blocking databases; on an async one roles are set as they are at run time.
        await authorization.aset_role_scopes("admin", ADMIN)
        await authorization.aset_role_scopes("member", MEMBER, is_default=True)
        await authorization.aassign("ada", "admin")
    async with serving(live, authorization=authorization, **options) as rest:
        yield Office(rest)


async def test_roles_decide_what_a_user_may_do(live: Live) -> None:
    async with guarded(live) as office:
        ada, bob = office.as_("ada"), office.as_("bob")
        await office.rest.call("GET", "/agents", status=401)
        await bob.hello(status=403)
        await bob.call("POST", "/authz/subjects/bob/roles", json={"role": "admin"}, status=403)
        await ada.call("POST", "/authz/subjects/bob/roles", json={"role": "member"})
        assert (await bob.hello())["content"] == "You said: hello"
        await bob.hello("ops-bot", status=403)
        assert [each["id"] for each in await bob.get("/agents")] == ["clerk"]
        assert [each["id"] for each in await ada.get("/agents")] == ["clerk", "ops-bot"]

        add = {"upsert": [{"scope": "agents:ops-bot:run"}, {"scope": "agents:clerk:run", "effect": "deny"}]}
        changed = await ada.call("PATCH", "/authz/roles/member/scopes", json=add | {"remove": ["sessions:read"]})
        await bob.hello(status=403)
        assert (await bob.hello("ops-bot"))["status"] == "PAUSED"
        await ada.call("DELETE", "/authz/subjects/bob/roles/member")
        await bob.hello("ops-bot", status=403)

    held = {each["raw"]: each["value"] for each in changed["scopes"]}
    assert held == {"agents:clerk:run": "deny", "agents:clerk:read": "allow", "agents:ops-bot:run": "allow"}


async def test_roles_are_made_changed_and_removed_and_one_administrator_stays(live: Live) -> None:
    async with guarded(live) as office:
        ada, bob = office.as_("ada"), office.as_("bob")
        await ada.call("POST", "/authz/roles", json={"slug": "auditor", "name": "Auditor"})
        await ada.call("POST", "/authz/roles", json={"slug": "auditor"}, status=409)
        await ada.call("PUT", "/authz/roles/auditor/scopes", json={"scopes": ["sessions:read"]})
        await ada.call("PUT", "/authz/roles/nobody/scopes", json={"scopes": []}, status=404)
        await ada.call("PATCH", "/authz/roles/auditor", json={"description": "Reads", "is_default": True})
        roles = {each["slug"]: each for each in (await ada.get("/authz/roles"))["data"]}
        assert sorted(roles) == ["admin", "auditor", "member"]
        assert (roles["auditor"]["description"], roles["auditor"]["name"]) == ("Reads", "Auditor")
        assert [each["raw"] for each in roles["auditor"]["scopes"]] == ["sessions:read"]
        assert [slug for slug, each in roles.items() if each["is_default"]] == ["auditor"]

        await ada.call("DELETE", "/authz/subjects/ada/roles/admin", status=409)
        await ada.call("POST", "/authz/subjects/ada/roles", json={"role": "auditor"}, status=409)
        await ada.call("DELETE", "/authz/roles/admin", status=409)
        await ada.call("POST", "/authz/subjects/bob/roles", json={"role": "admin"})
        await bob.call("POST", "/authz/subjects/ada/roles", json={"role": "auditor"})
        await ada.call("GET", "/authz/roles", status=403)
        assert (await bob.get("/authz/subjects/ada/roles"))["role"] == "auditor"
        await bob.call("DELETE", "/authz/roles/auditor")
        await bob.call("GET", "/authz/roles/auditor", status=404)
        assert (await bob.get("/authz/subjects/ada/roles"))["role"] is None


@pytest.mark.parametrize("live", [parameter(*each) for each in (KEPT_IN[0], KEPT_IN[-1], ORACLE)], indirect=True)
async def test_changes_and_decisions_are_recorded_and_listed_apart(live: Live) -> None:
    async with guarded(live) as office:
        ada, bob = office.as_("ada"), office.as_("bob")
        await ada.call("POST", "/authz/subjects/bob/roles", json={"role": "member"})
        await bob.hello()
        await bob.hello("ops-bot", status=403)
        changes = await ada.get("/authz/audit", search="bob")
        oldest = await ada.get("/authz/audit", sort_order="asc", limit=1)
        decisions = await ada.get("/authz/decisions", search="agents/", limit=50)
        newest = await ada.get("/authz/decisions", limit=1, page=2)

    (change,) = changes["data"]
    assert (change["actor"], change["target"], change["after"]) == ("ada", "bob", ["member"])
    assert (len(oldest["data"]), oldest["meta"]["total_count"] > 3) == (1, True)
    assert sorted((each["action"], each["actor"], each["target"]) for each in decisions["data"]) == [
        ("access.allowed", "bob", "POST /agents/clerk/runs"),
        ("access.denied", "bob", "POST /agents/ops-bot/runs"),
    ]
    assert decisions["meta"]["total_count"] == len(decisions["data"])
    assert len(newest["data"]) == 1


async def test_a_disabled_user_is_out_at_once_and_stays_out_over_a_start(live: Live) -> None:
    async with guarded(live, user_directory=True) as office:
        ada, bob = office.as_("ada"), office.as_("bob", email="bob@example.org", name="Bob")
        await bob.hello()
        await ada.get("/agents")
        listed = await ada.get("/users", sort_by="id", sort_order="asc")
        assert [(each["id"], each["role_slug"]) for each in listed["data"]] == [("ada", "admin"), ("bob", "member")]
        assert (listed["data"][1]["email"], listed["data"][1]["status"]) == ("bob@example.org", "active")
        assert [each["id"] for each in (await ada.get("/users", search="EXAMPLE.org"))["data"]] == ["bob"]
        await bob.call("PATCH", "/users/bob", json={"disabled": True}, status=403)

        await ada.call("PATCH", "/users/bob", json={"disabled": True})
        await bob.hello(status=403)
    async with guarded(live, user_directory=True) as office:
        ada, bob = office.as_("ada"), office.as_("bob")
        await bob.hello(status=403)
        metrics = await ada.get("/users/metrics")
        assert (metrics["total"], metrics["active"], metrics["disabled"]) == (2, 1, 1)
        await ada.call("PATCH", "/users/bob", json={"disabled": False})
        await bob.hello()
        await ada.call("DELETE", "/users/bob")
        await ada.call("GET", "/users/bob", status=404)
        assert (await ada.get("/authz/subjects/bob/roles"))["role"] is None
        actions = [each["action"] for each in (await ada.get("/authz/audit", search="bob"))["data"]]
    assert {"user.created", "user.disabled", "user.enabled", "user.removed"} <= set(actions)


async def test_a_machine_works_with_its_token_until_it_is_revoked(live: Live) -> None:
    async with guarded(live, roles=False) as office:
        root = office.as_("root", scopes=ADMIN)
        scopes = [{"scope": "agents:clerk:run"}, {"scope": "sessions:read"}]
        made = await root.call("POST", "/service-accounts", json={"name": "nightly", "scopes": scopes})
        await root.call("POST", "/service-accounts", json={"name": "nightly"}, status=409)
        greedy = {"name": "greedy", "scopes": [{"scope": "sessions:delete"}]}
        await root.call("POST", "/service-accounts", json=greedy, status=400)
        weak = office.as_("bob", scopes=["service_accounts:write", "agents:clerk:run"])
        await weak.call("POST", "/service-accounts", json={"name": "strong", "scopes": scopes}, status=403)

        machine = Caller(office.rest, made["token"])
        run = await machine.hello()
        await machine.hello("ops-bot", status=403)
        await machine.call("GET", "/service-accounts", status=403)
        session = await live.ask("get_session", session_id=run["session_id"])
        assert session.user_id == made["principal"] == "sa:nightly"
        (listed,) = (await root.get("/service-accounts"))["data"]
        assert (listed["name"], listed["created_by"]) == ("nightly", "root")
        assert listed["last_used_at"]
        assert "token" not in listed
        assert "token_hash" not in listed

        await root.call("DELETE", f"/service-accounts/{made['id']}")
        await root.call("DELETE", f"/service-accounts/{made['id']}")
        await machine.hello(status=401)
        rotated = await root.call("POST", "/service-accounts", json={"name": "nightly", "scopes": scopes})
        assert (await Caller(office.rest, rotated["token"]).hello())["content"] == "You said: hello"
        assert (await root.get("/service-accounts"))["meta"]["total_count"] == 2
        active = (await root.get("/service-accounts", include_revoked="false"))["data"]
        assert [each["id"] for each in active] == [rotated["id"]]
