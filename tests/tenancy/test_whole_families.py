"""Families of the whole deployment, for tenants: each has its own, in every isolation, with turns of its own."""

from __future__ import annotations

from typing import Any

import pytest

from dbrouter.backends.kernel.ops import Scan
from dbrouter.router.agno_types import ComponentType
from tests.tenancy.deployments import TENANTS, Deployment, View

TURNS = ("components_turns", "company_turns", "authz_turns")


def work(view: View, text: str) -> None:
    """A little in every family, under the same ids for everybody."""
    view.create_component_with_config("bot", ComponentType.AGENT, name=text, config={"of": text}, stage="published")
    view.create_product({"id": "p", "name": text, "created_at": 1})
    task = {"id": "t", "product_id": "p", "title": text, "status": "backlog", "transitions": [], "created_at": 1}
    view.create_task(task)
    view.set_authz_role_policies("editor", [(text, "read", "allow")])
    view.replace_authz_subject_roles("ann", text)
    account = {"id": "a", "name": "ci", "token_hash": "h", "token_prefix": "t", "scopes": [text], "created_at": 1}
    view.create_service_account(account)
    view.upsert_auth_token({"provider": "p", "user_id": "u", "service": "s", "token_data": {"of": text}})
    view.create_mcp_oauth_client(client_id="c", client_metadata=text, now=1, unconsumed_ttl=9, max_clients=1)
    whose = {"component_type": "agent", "component_id": "bot", "session_id": "s", "payload": {"of": text}}
    times = {"attempt": 0, "max_attempts": 1, "available_at": 1, "created_at": 1}
    view.enqueue_job({"id": "j", "job_type": "run", "status": "queued", **whose, **times})


def seen(view: View) -> set[str]:
    """The texts that are in what it shows."""
    return {
        *(each["name"] for each in view.list_components()[0]),
        view.get_current_config("bot")["config"]["of"],
        view.get_product("p")["name"],
        *(each["title"] for each in view.get_tasks()[0]),
        *(resource for resource, _, _ in view.get_authz_role_policies("editor")),
        *view.get_authz_direct_roles("ann"),
        *(scope for each in view.get_service_accounts()[0] for scope in each["scopes"]),
        view.get_service_account_by_token_hash("h")["scopes"][0],
        view.get_auth_token("p", "u", "s")["token_data"]["of"],
        view.get_mcp_oauth_client("c"),
        *(each["payload"]["of"] for each in view.list_jobs()[0]),
    }


def test_each_tenant_has_its_own_under_the_same_ids(deployment: Deployment) -> None:
    views = {name: deployment.of(name) for name in TENANTS}
    for name, view in views.items():
        work(view, name)
    assert {name: seen(view) for name, view in views.items()} == {name: {name} for name in TENANTS}


def test_tenants_of_shared_tables_have_their_own_under_the_same_ids(deploy: Any, databases: Any) -> None:
    tenants = {name: {"isolation": "rows"} for name in TENANTS}
    deployment = deploy(databases, tenants=tenants)
    views = {name: deployment.of(name) for name in TENANTS}
    for name, view in views.items():
        work(view, name)
    assert {name: seen(view) for name, view in views.items()} == {name: {name} for name in TENANTS}


def test_what_a_tenant_removes_others_keep(deployment: Deployment) -> None:
    for name in TENANTS:
        work(deployment.of(name), name)
    acme = deployment.of("acme")
    assert acme.delete_component("bot", hard_delete=True)
    assert acme.delete_product("p")
    acme.delete_authz_role("editor")
    assert acme.delete_service_account("a")
    assert acme.delete_auth_token("p", "u", "s")
    assert acme.claim_job("w")["payload"] == {"of": "acme"}
    for name in ("globex", "initech"):
        view = deployment.of(name)
        assert seen(view) == {name}
        assert view.get_job("j")["status"] == "queued"
    with pytest.raises(ValueError, match="archived"):
        acme.create_task({"id": "t2", "product_id": "p", "title": "late", "status": "backlog", "created_at": 1})


def test_turns_are_taken_within_a_tenant(deployment: Deployment) -> None:
    for times, name in enumerate(TENANTS, 1):
        view = deployment.of(name)
        for _ in range(times):
            view.replace_authz_subject_roles("ann", name)
        work(view, name)
    for times, name in enumerate(TENANTS, 1):
        store = deployment.of(name).db._wiring.store
        turns = {
            table: {each["id"]: each["turns"] for each in deployment.ask(store, Scan(table=table)).records}
            for table in TURNS
        }
        assert turns == {
            "components_turns": {"catalog": 1},
            "company_turns": {"p": 1},
            "authz_turns": {"editor": 1, "ann": times + 1},
        }


def test_tables_of_turns_are_where_a_tenants_other_tables_are(deployment: Deployment) -> None:
    for name in TENANTS:
        work(deployment.of(name), name)
    shared, own = deployment.tables("primary"), deployment.tables("silo")
    for table in TURNS:
        assert f"tenants_dbrouter_{table}" in shared
        assert f"dbrouter_{table}" in own
        assert f"dbrouter_{table}" not in shared
        assert f"tenants_dbrouter_{table}" not in own
