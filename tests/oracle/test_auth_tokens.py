"""Tokens for other services as agno's own classes keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def token(service: str, user_id: str | None = "ann", **columns: Any) -> dict[str, Any]:
    return {
        "provider": "google",
        "user_id": user_id,
        "service": service,
        "token_data": {"access": "a\u00e9"},
        "granted_scopes": ["read"],
        **columns,
    }


def same_but_ids(theirs: Any, mine: Any) -> None:
    assert theirs is not None
    assert mine == {**theirs, "id": mine["id"]}


def test_tokens_are_kept_one_for_each_provider_user_and_service(both: Both) -> None:
    assert both.get_auth_token("google", "ann", "mail") is None
    assert both.delete_auth_token("google", "ann", "mail") is False
    for given in (
        token("mail"),
        token("mail", None),
        token("mail", token_data={"access": "b"}, granted_scopes=None),
        token("drive", "", created_at=7),
    ):
        same_but_ids(*both.answers("upsert_auth_token", given))
        both.clock.tick()
    for user_id in ("ann", None, ""):
        for service in ("mail", "drive"):
            theirs, mine = both.answers("get_auth_token", "google", user_id, service)
            if theirs is None:
                assert mine is None
            else:
                same_but_ids(theirs, mine)
    both.delete_auth_token("google", None, "mail")
    both.delete_auth_token("google", "", "mail")
    both.delete_auth_token("other", "ann", "mail")
    assert both.delete_auth_token("google", "ann", "mail") is True


def test_a_stored_token_keeps_its_id(both: Both) -> None:
    both.ours.upsert_auth_token(token("mail"))
    before = both.ours.get_auth_token("google", "ann", "mail")
    both.ours.upsert_auth_token(token("mail", token_data={"access": "new"}))
    after = both.ours.get_auth_token("google", "ann", "mail")
    assert (after["id"], after["token_data"]) == (before["id"], {"access": "new"})
