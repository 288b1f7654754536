"""What a client of AgentOS is told of each error: by the error, where the route itself says nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dbrouter import answer_errors
from dbrouter.backends.kernel import errors
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import DbRouterError, Duplicate, PolicyError, StoreError
from tests.agno.conftest import parameter
from tests.agno.live import Live
from tests.agno.rest import URL, serving

STATUSES = {
    "Conflict": 409,
    "Corrupt": 500,
    "Duplicate": 409,
    "ForeignOwner": 403,
    "MissingParent": 409,
    "OutdatedSchema": 500,
    "RowsNotHeldBack": 500,
    "StoreError": 500,
    "Throttled": 503,
    "TooLarge": 413,
    "Unavailable": 503,
    "Unstorable": 422,
    "Unsupported": 500,
}
BOTH = pytest.mark.parametrize("live", [parameter("sqlite", "blocking"), parameter("sqlite", "async")], indirect=True)


def test_every_error_of_a_store_has_its_status_here() -> None:
    kinds = {name for name, each in vars(errors).items() if inspect.isclass(each) and issubclass(each, StoreError)}
    assert kinds == STATUSES.keys()


def test_what_tenancy_and_limits_refuse_tells_a_client_nothing_but_by_protect() -> None:
    # Their messages are for operators: `protect` has words of its own for clients.
    kinds = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, PolicyError)]
    assert {each.status_code for each in kinds} == {500}


@BOTH
async def test_the_client_is_told_by_the_status(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, int] = {}
    async with serving(live) as rest:
        for name in STATUSES:
            error = duplicate("memories", ["memory_id"]) if name == "Duplicate" else getattr(errors, name)("the reason")
            monkeypatch.setattr(live.db, "upsert_user_memory", _raising(error, blocking=live.blocking), raising=False)
            answer = await rest.client.patch("/memories/m", json={"memory": "x", "user_id": "ada"})
            told[name] = answer.status_code
            assert (str(error) in answer.text) is (answer.status_code < 500)
    assert told == STATUSES


@BOTH
async def test_an_app_that_answers_errors_says_the_same_and_raises_nothing(
    live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: dict[str, int] = {}
    async with serving(live) as rest:
        transport = httpx.ASGITransport(answer_errors(rest.app), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            for name in STATUSES:
                error = getattr(errors, name)("the reason")
                raising = _raising(error, blocking=live.blocking)
                monkeypatch.setattr(live.db, "upsert_user_memory", raising, raising=False)
                caplog.clear()
                answer = await client.patch("/memories/m", json={"memory": "x", "user_id": "ada"})
                told[name] = answer.status_code
                is_internal = answer.status_code >= 500
                detail = f"Internal server error ({name})" if is_internal else "the reason"
                assert answer.json() == {"detail": detail}
                [logged] = [each for each in caplog.records if each.name == "dbrouter.http"]
                assert logged.getMessage() == f"{answer.status_code} {name}: the reason"
                assert (logged.exc_info is not None) is (answer.status_code == 500)
    assert told == STATUSES


@BOTH
async def test_another_users_memory_is_forbidden_and_stays(live: Live) -> None:
    async with serving(live) as rest:
        made = await rest.call("POST", "/memories", json={"memory": "likes tea", "user_id": "ada"})
        path = f"/memories/{made['memory_id']}"
        refused = await rest.call("PATCH", path, status=403, json={"memory": "likes nothing", "user_id": "bob"})
        assert "another owner" in refused["detail"]
        assert (await rest.get(path, user_id="ada"))["memory"] == "likes tea"
        changed = await rest.call("PATCH", path, json={"memory": "likes coffee", "user_id": "ada"})
        assert changed["memory"] == "likes coffee"


@pytest.mark.parametrize("kind", [Duplicate, type(duplicate("memories", ["memory_id"]))])
def test_a_duplicate_has_one_status_whatever_else_it_is(kind: type[DbRouterError]) -> None:
    assert kind.status_code == STATUSES["Duplicate"]


def _raising(error: Exception, *, blocking: bool) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    async def refuse_awaited(*_: Any, **__: Any) -> Any:
        raise error

    return refuse if blocking else refuse_awaited
