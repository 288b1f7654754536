"""Service accounts as agno's own classes keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbrouter.backends.kernel.errors import Duplicate

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def account(id: str, **columns: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "id": id,
        "name": f"bot {id}",
        "token_hash": f"hash-{id}",
        "token_prefix": "agno_",
        "scopes": ["runs:write"],
        "created_at": ord(id[-1]),
        **columns,
    }


def fill(both: Both) -> None:
    for each in (
        account("a", user_id="ann"),
        account("b", user_id="", expires_at=9, created_by="root"),
        account("c", user_id="ann", revoked_at=5, name="bot a"),
        account("d", last_used_at=3, scopes=[]),
    ):
        both.create_service_account(each)


def test_reads_answer_alike(both: Both) -> None:
    assert both.get_service_accounts() == ([], 0)
    assert both.get_service_account_by_token_hash("hash-a") is None
    fill(both)
    for id in ("a", "b", "c", "d", "e"):  # noqa: A001
        for user_id in (None, "ann", "", "bob"):
            both.get_service_account(id, user_id=user_id)
        both.get_service_account_by_token_hash(f"hash-{id}")
    for name in ("bot a", "bot b", "nobody"):
        for include_revoked in (False, True):
            both.get_service_account_by_name(name, include_revoked=include_revoked)
    for asked in (
        {},
        {"include_revoked": False},
        {"user_id": "ann"},
        {"user_id": ""},
        {"sort_by": "name", "sort_order": "asc", "include_revoked": False},
        {"sort_by": "token_hash", "sort_order": "asc"},
        {"limit": 2, "page": 2},
        {"limit": 2, "page": 9},
    ):
        both.get_service_accounts(**asked)


def test_changes_answer_and_store_alike(both: Both) -> None:
    fill(both)
    both.update_service_account("a", last_used_at=77)
    both.update_service_account("a", return_record=False, last_used_at=78)
    both.update_service_account("b", revoked_at=99)
    both.update_service_account("nobody", revoked_at=99)
    both.delete_service_account("c")
    both.delete_service_account("c")
    both.get_service_accounts()


@pytest.mark.parametrize("changes", [{}, {"name": "x"}, {"scopes": ["*"]}, {"revoked_at": None}], ids=str)
def test_what_may_not_change_is_refused_by_both(both: Both, changes: dict[str, Any]) -> None:
    fill(both)
    with pytest.raises(ValueError) as theirs:
        both.agno.update_service_account("a", **changes)
    with pytest.raises(ValueError) as mine:
        both.ours.update_service_account("a", **changes)
    assert str(mine.value) == str(theirs.value)


@pytest.mark.parametrize(
    "taken",
    [account("a", name="x", token_hash="y"), account("x", name="x", token_hash="hash-a"), account("x", name="bot a")],
)
def test_ids_tokens_and_names_in_use_are_refused_by_both(both: Both, taken: dict[str, Any]) -> None:
    fill(both)
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        both.agno.create_service_account(taken)
    with pytest.raises(Duplicate):
        both.ours.create_service_account(taken)


def test_the_name_of_a_revoked_account_is_free(both: Both) -> None:
    fill(both)
    both.update_service_account("a", revoked_at=1)
    both.create_service_account(account("z", name="bot a"))
    both.get_service_account_by_name("bot a")
