"""The sum of connections: what a file can open on each server, and files that cannot fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbrouter.config.budget import budgets

if TYPE_CHECKING:
    from tests.config.conftest import Loaded, Refused

ONE = """\
databases:
  main: {kind: postgres, host: db.internal, database: main, pool_size: 5, max_overflow: 10, server_max_connections: 97}
  more: {kind: postgres, url: "postgres://u:secret@DB.internal:5432/more", pool_size: 2, max_overflow: 0}
  else: {kind: postgres, host: other.internal, database: else, pool_size: 50}
agentos: {db: main, trace_db: more, eval_db: else}
"""


def test_databases_of_one_server_share_its_connections(loaded: Loaded) -> None:
    one, other = budgets(loaded(ONE))
    assert (one.server, one.connections, one.allowed) == ("db.internal:5432", 19, 97)
    assert one.written_out == "main (5 + 10 + 1 not awaited) + more (2 + 0 + 1 not awaited) = 19"
    assert (other.server, other.connections, other.allowed) == ("other.internal:5432", 61, None)
    assert other.fits


def test_a_file_that_cannot_fit_is_refused_with_the_sum(refused: Refused) -> None:
    assert refused(ONE + "tenancy: {processes: 6}\ntenants: {acme: {isolation: rows}}\n") == [
        (
            "dbrouter.yaml:2: databases.main.server_max_connections: db.internal:5432 has 97 connections for this, "
            "and it can open more: (main (5 + 10 + 1 not awaited) + more (2 + 0 + 1 not awaited)) x 6 processes = 114; "
            "lower pool_size, max_overflow, tenancy.processes or tenancy.open_databases, or raise it on the server"
        )
    ]


def test_a_file_without_tenants_is_summed_too(refused: Refused) -> None:
    [told] = refused(ONE.replace("server_max_connections: 97", "server_max_connections: 16"))
    assert "= 19" in told


SILOS = """\
databases:
  main: {kind: postgres, host: h, database: main, pool_size: 1, max_overflow: 0, server_max_connections: 20}
  one: {kind: postgres, host: h, database: one, pool_size: 3, max_overflow: 1}
  two: {kind: postgres, host: h, database: two, pool_size: 5, max_overflow: 1}
  three: {kind: postgres, host: h, database: three, pool_size: 2, max_overflow: 0}
agentos: {db: main}
tenants: {a: {db: one}, b: {db: two}, c: {db: three}}
"""


def test_of_tenants_own_databases_as_many_count_as_are_open_at_once(loaded: Loaded, refused: Refused) -> None:
    [all_open] = budgets(loaded(SILOS))
    assert all_open.connections == 17
    [two_open] = budgets(loaded(SILOS + "tenancy: {open_databases: 2}\n"))
    assert two_open.connections == 14
    assert two_open.written_out == "main (1 + 0 + 1 not awaited) + 2 of 3 tenants' databases, at most 12 = 14"
    [told] = refused(SILOS + "tenancy: {open_databases: 2, processes: 2}\n")
    assert "x 2 processes = 28" in told


def test_the_catalog_and_the_owner_of_tables_take_one_each(loaded: Loaded) -> None:
    text = SILOS.replace("database: main,", "database: main, user: app, owner_url: 'postgres://owner@h/main',")
    [budget] = budgets(loaded(text + "tenancy: {catalog: {db: main}}\n"))
    assert budget.always[0].sum == "(1 + 0 + 1 for the owner + 1 for the catalog + 2 not awaited)"
    assert budget.always[0].connections == 5


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("url: 'postgres://u@127.0.0.1/d'", "localhost:5432"),
        ("url: 'postgres://u@/d?host=h&port=6'", "h:6"),
        ("host: '::1', database: d", "localhost:5432"),
        ("url: 'postgres://u@[fe80::1]:6432/d'", "fe80::1:6432"),
        ("host: /run/pg, database: d", "/run/pg:5432"),
        ("url: 'postgres://u@a,b/d'", "a,b:5432"),
    ],
)
def test_a_server_is_a_host_and_a_port(loaded: Loaded, address: str, server: str) -> None:
    [budget] = budgets(loaded(f"databases: {{main: {{kind: postgres, {address}}}}}\nagentos: {{db: main}}\n"))
    assert budget.server == server


def test_the_smallest_number_that_is_given_for_a_server_counts(loaded: Loaded) -> None:
    [budget] = budgets(loaded(SILOS.replace("database: two,", "database: two, server_max_connections: 18,")))
    assert (budget.allowed, budget.said_by) == (18, "two")
