"""Roles, policies, users and the trail of authorization as agno's own classes keep them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def same_in_any_order(both: Both, name: str, *args: Any, **kwargs: Any) -> None:
    theirs, mine = both.answers(name, *args, **kwargs)
    assert sorted(mine, key=str) == sorted(theirs, key=str)


def policies(both: Both) -> None:
    same_in_any_order(both, "get_authz_policies", ["admin", "viewer", "nobody"])
    for role in ("admin", "viewer"):
        same_in_any_order(both, "get_authz_role_policies", role)
    both.list_authz_roles()
    for name in ("admin", "viewer", "ann", "nobody"):
        both.authz_name_is_role(name)


def test_policies_answer_and_store_alike(both: Both) -> None:
    policies(both)
    both.get_authz_policies([])
    both.upsert_authz_policy(role="admin", resource="agents", action="*", effect="allow")
    both.upsert_authz_policy(role="admin", resource="agents", action="*", effect="deny")
    both.upsert_authz_policy(role="viewer", resource="agents", action="read", effect="allow")
    policies(both)
    both.set_authz_role_policies(
        "admin", [("teams", "read", "allow"), ("agents", "*", "allow"), ("teams", "read", "deny")]
    )
    policies(both)
    both.delete_authz_policy(role="admin", resource="teams")
    both.delete_authz_policy(role="viewer", resource="agents", action="write")
    policies(both)
    both.set_authz_role_policies("admin", [])
    both.delete_authz_policy(role="viewer")
    policies(both)


def test_assignments_answer_and_store_alike(both: Both) -> None:
    assert both.get_authz_direct_roles("ann") == []
    both.assign_authz_role("ann", "admin")
    both.assign_authz_role("ann", "admin")
    both.assign_authz_role("ann", "viewer")
    both.assign_authz_role("bob", "viewer")
    both.assign_authz_role("admin", "viewer")
    for subject in ("ann", "bob", "nobody"):
        same_in_any_order(both, "get_authz_direct_roles", subject)
    both.get_authz_direct_roles_many(["ann", "bob", "nobody"])
    both.get_authz_direct_roles_many([])
    same_in_any_order(both, "list_authz_role_subjects", "viewer")
    policies(both)
    both.replace_authz_subject_roles("ann", "editor")
    both.replace_authz_subject_roles("bob", "viewer")
    both.unassign_authz_role("bob", "nothing")
    both.get_authz_direct_roles_many(["ann", "bob"])
    both.unassign_authz_role("bob", "viewer")
    both.get_authz_direct_roles_many(["ann", "bob"])


def test_a_deleted_role_leaves_nothing(both: Both) -> None:
    both.upsert_authz_policy(role="admin", resource="agents", action="*", effect="allow")
    both.assign_authz_role("ann", "admin")
    both.assign_authz_role("admin", "viewer")
    both.upsert_authz_role_meta(
        "admin", {"name": "Admin", "description": "x", "is_default": False, "created_at": 1, "updated_at": 1}
    )
    both.delete_authz_role("admin")
    both.delete_authz_role("admin")
    policies(both)
    both.get_authz_direct_roles_many(["ann", "admin"])
    both.list_authz_role_meta()


def test_descriptions_of_roles_answer_and_store_alike(both: Both) -> None:
    assert both.get_authz_role_meta("admin") is None
    given = {"name": "Admin", "description": None, "is_default": True, "created_at": 1, "updated_at": 1}
    both.upsert_authz_role_meta("admin", given)
    both.upsert_authz_role_meta("admin", {**given, "description": "all", "updated_at": 2})
    both.upsert_authz_role_meta("viewer", given)
    both.get_authz_role_meta("admin")
    same_in_any_order(both, "list_authz_role_meta")
    both.delete_authz_role_meta("viewer")
    both.delete_authz_role_meta("viewer")
    both.list_authz_role_meta()


def fill_users(both: Both) -> None:
    for number, (id, email, name) in enumerate(  # noqa: A001
        (("ann", "ann@x.org", "Ann"), ("bob", None, "50% Bob"), ("cy_d", "CY@x.org", None), ("dan", "d@y.org", "Dan"))
    ):
        both.upsert_authz_user(
            id,
            {
                "email": email,
                "name": name,
                "disabled": number == 3,
                "created_at": 86_400 * (number // 2) + number,
                "updated_at": 5,
                "metadata": {"n": number} if number else None,
            },
        )


def test_users_answer_and_store_alike(both: Both) -> None:
    assert both.get_authz_user("ann") is None
    assert both.count_authz_users_by_status() == {"total": 0, "disabled": 0}
    fill_users(both)
    for id in ("ann", "bob", "dan", "nobody"):  # noqa: A001
        both.get_authz_user(id)
        both.is_authz_user_disabled(id)
    for asked in (
        {},
        {"include_disabled": False},
        {"search": "X.ORG"},
        {"search": "50%"},
        {"search": "_"},
        {"sort_by": "email"},
        {"sort_by": "email", "order": "asc"},
        {"sort_by": "nonsense", "order": "asc"},
        {"limit": 2, "offset": 1},
        {"sort_by": "email", "limit": 2, "offset": 2},
        {"sort_by": "email", "limit": 2, "offset": 3},
    ):
        both.list_authz_users(**asked)
    for asked in ({}, {"include_disabled": False}, {"search": "x.org"}):
        both.count_authz_users(**asked)
    both.count_authz_users_by_status()
    both.list_authz_user_ids()
    both.list_authz_user_ids(include_disabled=False)
    both.count_authz_users_by_day()
    both.count_authz_users_by_day(starting_at=1, ending_before=86_402)


def test_a_profile_never_lifts_a_ban(both: Both) -> None:
    fill_users(both)
    both.set_authz_user_disabled("ann", True)
    both.set_authz_user_disabled("stranger", True)
    both.upsert_authz_user("ann", {"email": "new@x.org", "disabled": False, "created_at": 1, "updated_at": 2})
    for id in ("ann", "stranger"):  # noqa: A001
        assert both.is_authz_user_disabled(id) is True
    both.set_authz_user_disabled("ann", False)
    assert both.is_authz_user_disabled("ann") is False
    both.delete_authz_user("ann")
    both.delete_authz_user("ann")
    both.list_authz_user_ids()


@pytest.mark.parametrize("decisions", [False, True])
def test_the_trail_answers_and_stores_alike(both: Both, decisions: bool) -> None:
    record = both.record_authz_decision if decisions else both.record_authz_audit_event
    assert both.read_authz_audit_events(decisions=decisions) == []
    for number in range(5):
        record({"event_id": f"e{number}", "created_at": number, "actor": "Ann", "action": "a%", "target": f"t{number}"})
    record({"event_id": "e1", "created_at": 9, "actor": "again", "action": "x"})
    for asked in (
        {},
        {"search": "ann"},
        {"search": "T3"},
        {"search": "%"},
        {"sort_by": "target", "order": "ASC"},
        {"limit": 2, "offset": 1},
    ):
        both.read_authz_audit_events(decisions=decisions, **asked)
    for search in (None, "t3", "nobody"):
        both.count_authz_audit_events(search=search, decisions=decisions)


def test_of_many_replacements_one_remains(both: Both) -> None:
    roles = [f"role{number}" for number in range(6)]
    rows = {role: [(f"r{role}", "read", "allow"), (f"r{role}", "write", "allow")] for role in roles}
    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            list(pool.map(lambda role: both.ours.replace_authz_subject_roles("ann", role), roles))
            assert len(both.ours.get_authz_direct_roles("ann")) == 1
            list(pool.map(lambda role: both.ours.set_authz_role_policies("x", rows[role]), roles))
            assert sorted(both.ours.get_authz_role_policies("x")) in list(rows.values())
