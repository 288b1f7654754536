"""Every route of AgentOS, asked as each of three tenants that have rows under the same ids: each sees its own only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from agno.knowledge import Knowledge

from dbrouter.testing.leaks import HOSTILE_IDS, aplay, marks_in, play
from tests.tenancy.agno.house import Client, House, serving

WHOSE = ("acme", "globex", "initech")
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate Operation ID")  # of two routes of agno's

# agno answers in JSON, which has no lone surrogates.
IDS = tuple(id_ for id_ in HOSTILE_IDS if id_.isprintable())[:7]
KINDS = ("agent", "team", "workflow")
LISTS = (
    "/sessions",
    "/memories",
    "/traces",
    "/eval-runs",
    "/knowledge/content",
    "/approvals",
    "/schedules",
    "/learnings",
)
"""Routes that show rows of each family; a test that saw none of them would prove nothing."""

_PARAMETER = re.compile(r"\{[^}]+\}")
_BY_HEADER = {"resolve": ["binding", "request"], "header": "X-Tenant"}


async def filled(house: House) -> None:
    """Give every tenant rows of every family, under ids that all of them use."""
    views = [house.router.for_tenant(name) for name in WHOSE]
    if house.router.__class__.__name__ == "DbRouter":
        play(views, 6_000, seed=7, ids=IDS)
    else:
        await aplay(views, 6_000, seed=7, ids=IDS)


def asked(client: Client, method: str) -> Iterator[str]:
    """Paths of all routes of a method, with each of the ids in the place of parameters."""
    for route, methods in client.app.openapi()["paths"].items():
        if method.lower() not in methods:
            continue
        if "{" not in route:
            yield route
            yield from (f"{route}?type={kind}" for kind in KINDS if route == "/sessions")
            continue
        for id_ in IDS:
            path = _PARAMETER.sub(quote(id_, safe=""), route)
            kinds = KINDS if "/sessions" in path else KINDS[:1]
            yield from (f"{path}?type={kind}&session_id={quote(id_, safe='')}" for kind in kinds)


async def shown(client: Client, whose: str, number: int) -> Counter[str]:
    """Route -> how many answers showed a row of this tenant's. Fails for a row of another's."""
    seen: Counter[str] = Counter()
    for path in asked(client, "GET"):
        answer = await client.get(path, headers={"X-Tenant": whose})
        foreign = marks_in(answer.text) - {number}
        assert not foreign, f"GET {path} as {whose} shows tenants {foreign}: {answer.text[:500]}"
        assert answer.status_code != 500, (path, answer.text)
        if marks_in(answer.text):
            seen[path.partition("?")[0]] += 1
    return seen


async def test_no_route_shows_a_tenant_what_is_anothers(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **_BY_HEADER)
    await filled(house)
    async with serving(house, knowledge=[Knowledge(name="a", contents_db=house.router)]) as client:
        seen = [await shown(client, whose, number) for number, whose in enumerate(WHOSE)]
    # Chance may leave a tenant without rows of a family, but not all of them.
    lists = LISTS if mode == "async" else (*LISTS, "/components")  # of which agno asks blocking dbs only
    silent = [path for path in lists if not any(own[path] for own in seen)]
    assert not silent, f"nobody saw rows of their own at {silent}"
    assert all(any(path.startswith("/sessions/") for path in own) for own in seen), "sessions by their ids"


async def test_no_route_changes_what_is_anothers(build: Callable[..., House], mode: str) -> None:
    house = build(mode, **_BY_HEADER)
    await filled(house)
    before = [await everything(house, whose) for whose in WHOSE]
    done = 0
    async with serving(house, knowledge=[Knowledge(name="a", contents_db=house.router)]) as client:
        for method in ("DELETE", "PATCH", "PUT"):
            for path in asked(client, method):
                body: Any = {"session_ids": list(IDS), "session_types": ["agent"] * len(IDS), "memory_ids": list(IDS)}
                body |= {"eval_run_ids": list(IDS), "name": "changed", "session_name": "changed", "memory": "changed"}
                answer = await client.http.request(method, path, json=body, headers={"X-Tenant": "globex"})
                done += answer.is_success
    after = [await everything(house, whose) for whose in WHOSE]
    assert done > 10
    assert after[1] != before[1]
    assert (after[0], after[2]) == (before[0], before[2])


async def everything(house: House, whose: str) -> dict[str, Any]:
    """What a tenant has, by family."""
    return {
        method: await house.ask(whose, method, **options)
        for method, options in {
            "get_sessions": {"deserialize": False},
            "get_runs": {"deserialize": False},
            "get_user_memories": {"deserialize": False},
            "get_knowledge_contents": {},
            "get_eval_runs": {"deserialize": False},
            "get_approvals": {"limit": 1000},
            "get_schedules": {"limit": 1000},
            "list_learnings": {"limit": 1000},
        }.items()
    }
