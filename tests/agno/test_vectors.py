"""PgVector and page knowledge: agno asks for its own Postgres class, and on the one that the router hands out they work."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from agno.agent import Agent
from agno.db.postgres import PostgresDb
from agno.fs import FileSystem
from agno.knowledge import Knowledge
from agno.knowledge.embedder.base import Embedder
from agno.knowledge.page._source import PageSource
from agno.vectordb.pgvector import PgVector
from sqlalchemy import text

from dbrouter import DbRouter
from dbrouter.config import load_mapping
from dbrouter.testing.ran import could_not_run
from dbrouter.testing.scripted_model import ScriptedModel
from scripts.servers import Server

pytestmark = pytest.mark.backend("postgres")

DIMENSIONS = 32
SITE = "https://docs.example.com"
PAGES = {
    f"{SITE}/llms.txt": f"# Docs\n\n## Pages\n\n- [Refunds]({SITE}/refunds.md): money back\n- [Tea]({SITE}/tea.md): to drink\n",
    f"{SITE}/refunds.md": "# Refunds\n\nA refund takes five days.\n",
    f"{SITE}/tea.md": "# Tea\n\nGreen tea is brewed at eighty degrees.\n",
}


class Words(Embedder):
    """Texts that share words are near to each other."""

    def get_embedding(self, text: str, timeout: float | None = None) -> list[float]:
        vector = [0.001] * DIMENSIONS
        for word in text.lower().split():
            vector[hashlib.sha256(word.strip(".#").encode()).digest()[0] % DIMENSIONS] += 1.0
        return vector

    def get_embedding_and_usage(self, text: str) -> tuple[list[float], None]:
        return self.get_embedding(text), None

    async def async_get_embedding(self, text: str) -> list[float]:
        return self.get_embedding(text)

    async def async_get_embedding_and_usage(self, text: str) -> tuple[list[float], None]:
        return self.get_embedding(text), None


@pytest.fixture
def database(postgres: Server, postgres_schema: str) -> Iterator[str]:
    """The URL of a database of its own: agno's files are in the schema `fs`, which other tests would meet."""
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(f"create database {postgres_schema}".encode())
        yield f"{postgres.url.rpartition('/')[0]}/{postgres_schema}"
        gc.collect()
        admin.execute(f"drop database {postgres_schema} with (force)".encode())


@pytest.fixture
def router(database: str, postgres_schema: str) -> Iterator[DbRouter]:
    """A router over a Postgres."""
    primary = {"kind": "postgres", "url": database, "schema": postgres_schema}
    db = DbRouter.from_settings(load_mapping({"databases": {"primary": primary}, "agentos": {"db": "primary"}}))
    yield db
    db.close()


@pytest.fixture
def own(router: DbRouter, pytestconfig: pytest.Config) -> Iterator[PostgresDb]:
    """agno's class over the same database, whose server must have pgvector."""
    db = router.agno_db("primary")
    with db.db_engine.connect() as connection:
        known = text("select count(*) from pg_available_extensions where name = 'vector'")
        if not connection.execute(known).scalar_one():
            could_not_run(pytestconfig, "pgvector", "this Postgres comes without it; the embedded one has it")
    yield db
    db.close()


def vectors(db: Any, schema: str) -> PgVector:
    return PgVector(table_name="vectors", schema=schema, db=db, embedder=Words(dimensions=DIMENSIONS))


def test_pgvector_borrows_the_engine_of_the_class_that_the_router_hands_out(
    router: Any, own: Any, postgres_schema: str
) -> None:
    with pytest.raises(ValueError, match="requires a synchronous PostgresDb"):
        vectors(router, postgres_schema)
    # What is known of the contents is routed, and only the vectors are agno's own affair.
    knowledge = Knowledge(name="manual", vector_db=vectors(own, postgres_schema), contents_db=router)
    knowledge.insert(name="refunds", text_content="A refund takes five days.")
    knowledge.insert(name="tea", text_content="Green tea is brewed at eighty degrees.")
    assert [each.content for each in knowledge.search("tea degrees", max_results=1)] == [
        "Green tea is brewed at eighty degrees."
    ]
    contents, total = router.get_knowledge_contents()
    assert (sorted(each.name for each in contents), total) == (["refunds", "tea"], 2)
    agent = Agent(id="desk", model=ScriptedModel(), db=router, knowledge=knowledge, add_knowledge_to_context=True)
    agent.run("how is tea brewed", session_id="s")
    assert router.get_session("s", session_type="agent") is not None


def test_page_knowledge_works_on_the_class_that_the_router_hands_out(
    router: Any, own: Any, postgres_schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages come from a site behind TLS, which a test has not: what it would answer is given to agno instead."""
    monkeypatch.setattr(PageSource, "fetch", lambda _self, url, _most: PAGES[url])
    with pytest.raises(ValueError, match="synchronous PostgresDb contents_db"):
        Knowledge(
            page_store=FileSystem(own, namespace=postgres_schema), contents_db=router, vector_db=vectors(own, "v")
        )
    knowledge = Knowledge(
        contents_db=own, page_store=FileSystem(own, namespace=postgres_schema), vector_db=vectors(own, postgres_schema)
    )
    knowledge.setup()
    report = knowledge.sync_pages(url=f"{SITE}/llms.txt")
    assert (report.updated, report.failed) == (2, 0)
    assert "eighty degrees" in knowledge.read_page("/tea.md").text
    assert [hit.path for hit in knowledge.search_pages("tea degrees", limit=1).results] == ["/tea.md"]
    # agno makes this engine for its pages, and closes it nowhere.
    knowledge._page_engine.dispose()
