"""Families whose records change together: where they can be kept, and what is said where they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbrouter import DbRouter
from dbrouter.config import load_mapping
from dbrouter.router.agno_types import BaseDb
from dbrouter.router.routes import SERVED, WHOLE, Routes

if TYPE_CHECKING:
    from tests.config.conftest import Loaded, Refused

HEAD = """\
databases:
  files: {kind: objects, path: files}
  alone: {kind: mongo, url: 'mongodb://h/', database: d}
  replicas: {kind: mongo, url: 'mongodb://h/?replicaSet=rs', database: d}
  sql: {kind: sqlite, path: a.db}
  other: {kind: sqlite, path: b.db}
"""
TOGETHER = {"components", "company", "authz"}
"""Families whose calls change several records."""


def families(settings: Any) -> set[str]:
    """The families that a configuration serves."""
    return set(Routes.of(settings).families)


def test_a_default_database_of_single_records_leaves_unserved_what_it_cannot_hold(loaded: Loaded) -> None:
    assert families(loaded(HEAD + "agentos: {db: alone}\n")) == set(SERVED) - TOGETHER


@pytest.mark.parametrize("name", ["replicas", "sql", "files"])
def test_a_default_database_that_commits_several_records_serves_everything(loaded: Loaded, name: str) -> None:
    assert families(loaded(HEAD + f"agentos: {{db: {name}}}\n")) == set(SERVED)


@pytest.mark.parametrize(("transactions", "missing"), [("true", set[str]()), ("false", TOGETHER)])
def test_what_is_said_about_transactions_counts(loaded: Loaded, transactions: str, missing: set[str]) -> None:
    text = HEAD.replace("'mongodb://h/', database: d", f"'mongodb://h/', database: d, transactions: {transactions}")
    assert families(loaded(text + "agentos: {db: alone}\n")) == set(SERVED) - missing


def test_agno_sees_what_is_unserved() -> None:
    settings = {"databases": {"x": {"kind": "mongo", "url": "mongodb://h/"}}, "agentos": {"db": "x"}}
    db = DbRouter.from_settings(load_mapping(settings))
    for name in ("list_components", "get_tasks", "authz_name_is_role"):
        assert getattr(type(db), name) is getattr(BaseDb, name)
    assert type(db).get_service_accounts is not BaseDb.get_service_accounts


def test_what_is_named_for_them_holds_them_beside_a_default_that_cannot(loaded: Loaded) -> None:
    said = "families: {company: sql, authz: sql, components: sql, schedules: sql}"
    settings = loaded(HEAD + f"agentos: {{db: alone, {said}}}\n")
    assert families(settings) == set(SERVED)
    assert {Routes.of(settings).database(each) for each in TOGETHER} == {"sql"}


@pytest.mark.parametrize("family", sorted(TOGETHER))
def test_a_database_of_single_records_that_is_named_for_them_is_refused(refused: Refused, family: str) -> None:
    schedules = ", schedules: alone" if family == "components" else ""
    assert refused(HEAD + f"agentos: {{db: sql, families: {{{family}: alone{schedules}}}}}\n") == [
        (
            f"dbrouter.yaml:7: agentos.families.{family}: 'alone' (mongo) cannot hold {family}: it commits one "
            f"record at a time, and their calls change several together; write files for agentos.families.{family}"
        )
    ]


def test_a_tenants_database_of_single_records_is_refused_what_the_deployment_serves(refused: Refused) -> None:
    keys = "tenants.acme.families.components, tenants.acme.families.company, tenants.acme.families.authz"
    assert refused(HEAD + "agentos: {db: sql}\ntenants:\n  acme: {db: alone}\n  globex: {isolation: rows}\n") == [
        (
            "dbrouter.yaml:9: tenants.acme.db: 'alone' (mongo) cannot hold components, company, authz: it commits one "
            f"record at a time, and their calls change several together; write files for {keys}"
        )
    ]


def test_a_tenants_database_of_single_records_is_fine_where_tenants_share_those_families(loaded: Loaded) -> None:
    shared = "tenancy: {shared: [components, company, authz, schedules]}\n"
    loaded(HEAD + "agentos: {db: sql}\n" + shared + "tenants:\n  acme: {db: alone}\n  globex: {isolation: rows}\n")


@pytest.mark.parametrize(("one", "other"), [("components", "schedules"), ("schedules", "components")])
def test_components_and_schedules_are_shared_by_tenants_together_or_not_at_all(
    refused: Refused, one: str, other: str
) -> None:
    shared = f"agentos: {{db: sql}}\ntenancy: {{shared: [{one}]}}\ntenants: {{acme: {{isolation: rows}}}}\n"
    assert refused(HEAD + shared) == [
        (
            f"dbrouter.yaml:8: tenancy.shared: {one} belong to nobody and {other} to tenants, and one commit changes "
            f"both; list both, or neither: [{one}, {other}]"
        )
    ]


def test_a_tenants_database_of_single_records_is_fine_where_the_deployment_does_without(loaded: Loaded) -> None:
    own = "  own: {kind: mongo, url: 'mongodb://own/', database: d}\n"
    settings = loaded(HEAD + own + "agentos: {db: alone}\ntenants:\n  acme: {db: own}\n  globex: {isolation: rows}\n")
    assert families(settings) == set(SERVED) - TOGETHER


def test_components_and_schedules_in_different_databases_are_refused(refused: Refused) -> None:
    what = "and a component that is archived takes its schedules along in one commit"
    assert refused(HEAD + "agentos: {db: sql, families: {schedules: other}}\n") == [
        (
            "dbrouter.yaml:7: agentos.families.schedules: components would be in 'sql' and schedules in 'other', "
            f"{what}; write agentos.families.components: other"
        )
    ]
    assert refused(HEAD + "agentos: {db: sql, families: {components: other}}\n") == [
        (
            "dbrouter.yaml:7: agentos.families.components: components would be in 'other' and schedules in 'sql', "
            f"{what}; write agentos.families.schedules: other"
        )
    ]


def test_components_and_schedules_in_different_databases_of_a_tenant_are_refused(refused: Refused) -> None:
    [problem] = refused(
        HEAD + "agentos: {db: sql}\ntenants:\n  acme: {isolation: rows, families: {schedules: other}}\n"
    )
    assert problem.startswith("dbrouter.yaml:9: tenants.acme.families.schedules: components would be in 'sql'")
    assert problem.endswith("write tenants.acme.families.components: other")


def test_schedules_apart_are_fine_where_components_are_not_served(loaded: Loaded) -> None:
    loaded(HEAD + "agentos: {db: alone, families: {schedules: sql}}\n")


def test_components_and_schedules_may_move_together(loaded: Loaded) -> None:
    loaded(HEAD + "agentos: {db: sql, families: {components: other, schedules: other}}\n")


@pytest.mark.parametrize("family", sorted(WHOLE))
@pytest.mark.parametrize("section", ["agents", "teams", "workflows"])
def test_a_family_of_the_whole_deployment_is_refused_for_a_component(
    refused: Refused, section: str, family: str
) -> None:
    problems = refused(HEAD + f"agentos: {{db: sql}}\n{section}: {{x: {{families: {{{family}: other}}}}}}\n")
    assert problems == [
        (
            f"dbrouter.yaml:8: {section}.x.families.{family}: {family} are of the whole deployment: no call of them "
            f"names {section}; write agentos.families.{family}: other"
        )
    ]


def test_a_components_database_need_not_hold_what_is_of_the_whole_deployment(loaded: Loaded) -> None:
    settings = loaded(HEAD + "agentos: {db: sql}\nagents: {x: {db: alone}}\n")
    assert families(settings) == set(SERVED)
