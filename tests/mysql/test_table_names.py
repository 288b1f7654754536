"""Servers that tell tables apart by their names in any letters, as those on Windows do, list them in small ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dbrouter.backends import MySQLDb
from dbrouter.router.agno_types import AgentSession
from scripts.servers import Server
from scripts.servers.mysql import start_mariadb


@pytest.fixture
def folding(mariadb: Server) -> Iterator[Server]:
    """One that does. mariadb: where that cannot be started, this one cannot either."""
    del mariadb
    server = start_mariadb(lower_case_table_names="1")
    yield server
    server.stop()


def test_what_another_process_wrote_under_a_name_with_capitals_is_found(folding: Server) -> None:
    def opened() -> MySQLDb:
        return MySQLDb(db_url=folding.url, db_schema="OurAi", session_table="OurSessions")

    writing, getting, listing = opened(), opened(), opened()
    writing.upsert_session(AgentSession(session_id="s1", agent_id="a", created_at=1))
    assert getting.get_session("s1") is not None
    assert len(listing.get_sessions()) == 1
    assert listing.table_exists("OurSessions")
    for each in (writing, getting, listing):
        each.close()
