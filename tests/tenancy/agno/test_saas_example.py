"""examples/saas as its README shows it: three companies, three isolations, tokens, over HTTP."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx

from examples.saas.app import make_app
from examples.saas.tokens import token

SECRET = "a secret that is long enough for the algorithm"
HERE = Path("examples/saas/dbrouter.yaml")


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The desk, served from a copy of its configuration in this folder."""
    app = make_app(shutil.copy(HERE, folder / "dbrouter.yaml"), SECRET)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            yield client


def of(company: str, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(company, 'ada', secret)}"}


async def say(desk: httpx.AsyncClient, company: str, message: str) -> str:
    form = {"message": message, "session_id": "front-desk", "stream": "false"}
    answer = await desk.post("/agents/desk/runs", data=form, headers=of(company))
    assert answer.status_code == 200, answer.text
    return answer.json()["content"]


async def test_companies_with_the_same_session_id_do_not_meet(tmp_path: Path) -> None:
    companies = {"acme": "Ada", "globex": "Grace", "initech": "Ida"}
    async with serving(tmp_path) as desk:
        for company, name in companies.items():
            assert await say(desk, company, f"My name is {name}") == f"Hello {name}."
        for company, name in companies.items():
            assert await say(desk, company, "Who am I?") == f"You are {name}."
            runs = (await desk.get("/sessions/front-desk/runs?type=agent", headers=of(company))).json()
            assert len(runs) == 2
            assert {other for other in companies.values() if other in str(runs)} == {name}
    homes = homes_of(companies.values(), tmp_path)
    assert homes["Ada"] == ["saas-data/acme.db"]
    assert homes["Ida"] == ["saas-data/primary.db"]
    (own,) = homes["Grace"]
    assert own not in {"saas-data/acme.db", "saas-data/primary.db"}


async def test_who_is_no_customer_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as desk:
        assert (await desk.get("/sessions")).status_code == 401
        forged = of("acme", "somebody else's secret, and just as long")
        assert (await desk.get("/sessions", headers=forged)).status_code == 401
        unknown = await desk.get("/sessions", headers=of("umbrella"))
        assert unknown.status_code in {403, 404}
        assert "acme" not in unknown.text


def homes_of(names: Iterable[str], folder: Path) -> dict[str, list[str]]:
    """Name -> the files that hold it."""
    held = {path.relative_to(folder).as_posix(): text(path) for path in sorted(folder.rglob("*.db"))}
    return {name: [path for path, content in held.items() if name in content] for name in names}


def text(path: Path) -> str:
    """Everything that a database file holds, as its own driver reads it."""
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())
