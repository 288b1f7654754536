"""AgentOS's Company on a router: products, their sources, projects and tasks, and the runs that tasks are accepted for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from agno.company import CompanyConfig
from agno.company.declarations import Product, Routine, Source
from agno.job_queue import QueueConfig
from agno.job_queue.store import InMemoryQueueStore

from scripts.servers import Server
from tests.agno.cast import clerk, script
from tests.agno.conftest import ORACLE, parameter
from tests.agno.live import Live
from tests.agno.rest import Rest, serving
from tests.waiting import first_true

KEPT_IN = [(backend, mode) for backend in ("sqlite", "postgres") for mode in ("blocking", "async")]
ONE_OF_EACH = pytest.mark.parametrize(
    "live", [parameter(*each) for each in (KEPT_IN[0], KEPT_IN[-1], ORACLE)], indirect=True
)
"""An app with a company takes half a second to build."""
ACCEPTED = {"target": "ready", "reason": "Worth doing", "executor_type": "agent", "executor_id": "clerk"}


@pytest.fixture(params=[parameter(*each) for each in (*KEPT_IN, ORACLE)])
def live(request: pytest.FixtureRequest, open_live: Callable[[str, str], Live]) -> Live:
    """A db for a company."""
    return open_live(*request.param)


def company(**options: Any) -> dict[str, Any]:
    return {"company": CompanyConfig(model=script(), **options)}


async def made(rest: Rest, what: str, **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await rest.call("POST", f"/company/{what}", json=body)
    return answer


async def moved(rest: Rest, what: str, target: str, status: int | None = None, **body: Any) -> Any:
    body = {"target": target, "reason": "Because", **body}
    return await rest.call("POST", f"/company/{what}/transitions", json=body, status=status)


def titles(listed: Any) -> list[str]:
    return sorted(each["title"] for each in listed["data"])


async def test_products_are_made_listed_changed_archived_and_restored(live: Live) -> None:
    async with serving(live, **company()) as rest:
        first, second = [await made(rest, "products", name=name, metadata={"n": name}) for name in ("Desk", "Chair")]
        path = f"/company/products/{first['id']}"
        await rest.call("POST", "/company/products", json={"name": " "}, status=422)
        changed = await rest.call("PATCH", path, json={"purpose": "To write at"})
        assert (changed["name"], changed["purpose"], changed["metadata"]["n"]) == ("Desk", "To write at", "Desk")
        page = await rest.get("/company/products", limit=1, page=2)
        assert (page["meta"]["total_count"], len(page["data"])) == (2, 1)

        task = await made(rest, "tasks", product_id=first["id"], title="Sand", project_id=await project(rest, first))
        await rest.call("POST", f"/company/tasks/{task['id']}/transitions", json=ACCEPTED)
        refusal = await rest.call("DELETE", path, status=409)
        assert [each["id"] for each in refusal["detail"]["tasks"]] == [task["id"]]
        await moved(rest, f"tasks/{task['id']}", "backlog")
        await rest.call("DELETE", path)
        await rest.call("GET", path, status=404)
        assert [each["id"] for each in (await rest.get("/company/products"))["data"]] == [second["id"]]
        assert (await rest.get(path, include_deleted="true"))["deleted_at"]
        assert titles(await rest.get("/company/tasks")) == []
        await rest.call("POST", "/company/sources", json=site(first), status=404)
        assert (await rest.call("POST", f"{path}/restore"))["deleted_at"] is None
        await rest.call("POST", f"{path}/restore", status=409)
        assert titles(await rest.get("/company/tasks")) == ["Sand"]


async def project(rest: Rest, product: dict[str, Any], name: str = "Finish") -> str:
    return str((await made(rest, "projects", product_id=product["id"], name=name))["id"])


def site(product: dict[str, Any], path: str = "docs") -> dict[str, Any]:
    return {"product_id": product["id"], "type": "website", "reference": f"https://example.org/{path}"}


@ONE_OF_EACH
async def test_sources_belong_to_their_product(live: Live) -> None:
    async with serving(live, **company()) as rest:
        desk, chair = [await made(rest, "products", name=name) for name in ("Desk", "Chair")]
        docs = await made(rest, "sources", **site(desk), credential_ref="DOCS_TOKEN", config={"paths": ["a.md"]})
        await made(rest, "sources", **site(chair, "chairs"))
        await rest.call("POST", "/company/sources", json=site(desk, "?token=secret"), status=422)
        listed = await rest.get("/company/sources", product_id=desk["id"])
        await rest.call("DELETE", f"/company/sources/{docs['id']}")
        await rest.call("DELETE", f"/company/sources/{docs['id']}", status=404)
        left = await rest.get("/company/sources")
        restored = await rest.call("POST", f"/company/sources/{docs['id']}/restore")

    assert [(each["id"], each["config"], each["credential_ref"]) for each in listed["data"]] == [
        (docs["id"], {"paths": ["a.md"]}, "DOCS_TOKEN")
    ]
    assert [each["product_id"] for each in left["data"]] == [chair["id"]]
    assert restored["deleted_at"] is None


async def test_a_project_is_done_when_its_tasks_are_and_counts_them_until_then(live: Live) -> None:
    async with serving(live, **company()) as rest:
        desk = await made(rest, "products", name="Desk")
        id_ = await project(rest, desk)
        tasks = [
            await made(rest, "tasks", product_id=desk["id"], project_id=id_, title=each) for each in ("Cut", "Sand")
        ]
        await moved(rest, f"projects/{id_}", "done", status=409)
        assert (await moved(rest, f"projects/{id_}", "active"))["status"] == "active"
        refusal = await moved(rest, f"projects/{id_}", "done", status=409)
        assert "Cut" in str(refusal)
        counts = (await rest.get(f"/company/projects/{id_}"))["counts"]["tasks"]
        assert (counts["backlog"], counts["done"]) == (2, 0)
        assert (await rest.get(f"/company/products/{desk['id']}"))["counts"]["projects"] == 1

        for task in tasks:
            await moved(rest, f"tasks/{task['id']}", "cancelled")
        finished = await moved(rest, f"projects/{id_}", "done")
        assert [each["target"] for each in finished["transitions"]] == ["active", "done"]
        assert (await rest.get("/company/projects", status="done"))["meta"]["total_count"] == 1
        await rest.call("DELETE", f"/company/projects/{id_}")
        assert (await rest.get("/company/projects"))["meta"]["total_count"] == 0
        await rest.call("POST", f"/company/projects/{id_}/restore")


async def test_a_task_goes_the_way_that_its_states_allow(live: Live) -> None:
    async with serving(live, **company()) as rest:
        desk = await made(rest, "products", name="Desk")
        body = {"product_id": desk["id"], "project_id": await project(rest, desk)}
        task = await made(rest, "tasks", title="Cut", brief="Along the line", evidence=[{"link": "a"}], **body)
        await made(rest, "tasks", title="Sand", **body)
        name = f"tasks/{task['id']}"
        for target in ("in_progress", "in_review", "done"):
            await moved(rest, name, target, status=409)
        await rest.call("POST", f"/company/{name}/transitions", json=ACCEPTED | {"executor_id": "nobody"}, status=409)
        ready = await rest.call("POST", f"/company/{name}/transitions", json=ACCEPTED)
        assert (ready["status"], ready["executor_id"], ready["evidence"]) == ("ready", "clerk", [{"link": "a"}])
        assert ready["accepted_at"]
        await rest.call("PATCH", f"/company/{name}", json={"brief": "Another"}, status=409)
        back = await moved(rest, name, "backlog")
        assert (back["executor_id"], back["accepted_at"]) == (None, None)
        assert (await rest.call("PATCH", f"/company/{name}", json={"brief": "Another"}))["brief"] == "Another"
        assert [each["target"] for each in back["transitions"]] == ["ready", "backlog"]
        assert titles(await rest.get("/company/tasks", status="backlog")) == ["Cut", "Sand"]
        assert (await rest.get("/company/attention"))["proposals"] == 2
        await rest.call("DELETE", f"/company/{name}")
        assert titles(await rest.get("/company/tasks", product_id=desk["id"])) == ["Sand"]
        assert (await rest.call("POST", f"/company/{name}/restore"))["status"] == "backlog"


@ONE_OF_EACH
async def test_declared_products_are_made_once_and_keep_what_people_changed(live: Live) -> None:
    routine = Routine(
        name="morning", executor_type="agent", executor_id="clerk", instructions="Look", cron_expr="0 3 * * *"
    )
    declared = Product(
        id="desk",
        name="Desk",
        sources=[Source(type="website", reference="https://example.org/docs")],
        routines=[routine],
    )
    async with serving(live, **company(products=[declared])) as rest:
        await rest.call("PATCH", "/company/products/desk", json={"name": "Table"})
    async with serving(live, **company(products=[declared])) as rest:
        (product,) = (await rest.get("/company/products"))["data"]
        (source,) = (await rest.get("/company/sources"))["data"]
        routines = (await rest.get("/company/routines", product_id="desk"))["data"]

    assert (product["id"], product["name"], source["product_id"]) == ("desk", "Table", "desk")
    assert [(each["name"], each["cron_expr"]) for each in routines] == [("desk.morning", "0 3 * * *")]
    assert product["metadata"]["routine_ids"] == [routines[0]["id"]]


@pytest.fixture
def files(live: Live, request: pytest.FixtureRequest) -> None:
    """A schema in which the role that uses the tables may make one for files: agno keeps them in one of its own."""
    if live.backend == "postgres":
        server: Server = request.getfixturevalue("postgres")
        with psycopg.connect(server.url, autocommit=True) as owner:
            owner.execute("create schema if not exists fs")
            owner.execute("grant all on schema fs to public")
            owner.execute("grant all on all tables in schema fs to public")
            owner.execute("alter default privileges in schema fs grant all on tables to public")


@pytest.mark.usefixtures("files")
async def test_an_accepted_task_is_run_reviewed_run_again_and_done(live: Live) -> None:
    # agno has a queue on Postgres and Redis only, and one in memory for tests.
    store = InMemoryQueueStore() if live.backend == "agno" else None
    queue = QueueConfig(durable=True, db=store, poll_interval=0.05)
    asked_twice = asyncio.Event()

    async def wait() -> None:
        """Begin no run before it has been asked for a second time."""
        await asked_twice.wait()

    carpenter = clerk(live.db, id="carpenter", pre_hooks=[wait])
    async with serving(live, also=[carpenter], queue=queue, **company()) as rest:
        desk = await made(rest, "products", name="Desk")
        id_ = await project(rest, desk)
        task = await made(rest, "tasks", product_id=desk["id"], project_id=id_, title="Cut", brief="Cut it")
        name = f"tasks/{task['id']}"
        await rest.call("POST", f"/company/{name}/runs", status=409)
        await rest.call("POST", f"/company/{name}/transitions", json={**ACCEPTED, "executor_id": "carpenter"})
        started = await rest.call("POST", f"/company/{name}/runs")
        again = await rest.call("POST", f"/company/{name}/runs")
        asked_twice.set()
        assert again["run_id"] == started["run_id"]

        reviewed = await settled(rest, name)
        assert (reviewed["status"], reviewed["job_id"]) == ("in_review", started["run_id"])
        assert reviewed["result"]["status"] == "COMPLETED"
        assert "Cut it" in reviewed["result"]["content"]
        second = await rest.call("POST", f"/company/{name}/runs", json={"attempt": 2})
        assert second["run_id"] != started["run_id"]
        assert (await settled(rest, name))["job_id"] == second["run_id"]
        runs = await rest.get(f"/company/{name}/runs")
        assert [each["run_id"] for each in runs["data"]] == [started["run_id"], second["run_id"]]
        assert (await rest.get(f"/company/runs/{second['run_id']}"))["status"] == "COMPLETED"
        assert (await rest.get("/company/attention"))["in_review"] == 1
        finished = await moved(rest, name, "done")
        await rest.call("POST", f"/company/{name}/runs", json={"attempt": 3}, status=409)

    targets = [each["target"] for each in finished["transitions"]]
    assert targets == ["ready", "in_progress", "in_review", "in_progress", "in_review", "done"]


async def settled(rest: Rest, name: str) -> dict[str, Any]:
    """The task, once its run is over."""

    async def over() -> dict[str, Any] | None:
        task: dict[str, Any] = await rest.get(f"/company/{name}")
        return None if task["status"] == "in_progress" else task

    return await first_true(over, "the end of the run")  # type: ignore[no-any-return]


@ONE_OF_EACH
@pytest.mark.usefixtures("files")
async def test_a_page_of_the_wiki_is_written_by_who_saw_its_version(live: Live) -> None:
    async with serving(live, **company()) as rest:
        desk = await made(rest, "products", name="Desk")
        pages = f"/company/products/{desk['id']}/wiki"
        await rest.call("PUT", f"{pages}/legs.md", json={"content": "Four", "expected_version": 0})
        await rest.call("PUT", f"{pages}/legs.md", json={"content": "Three", "expected_version": 0}, status=409)
        read = await rest.get(f"{pages}/legs.md")
        listed = [each["path"] for each in (await rest.get(pages))["data"]]

    assert (read["content"], listed) == ("Four", ["brief.md", "legs.md", "status.md"])


@pytest.mark.parametrize("live", [parameter("memory", mode) for mode in ("blocking", "async")], indirect=True)
async def test_without_an_engine_for_its_files_the_wiki_is_refused(live: Live) -> None:
    async with serving(live, **company()) as rest:
        await rest.call("GET", "/company/wiki", status=503)
