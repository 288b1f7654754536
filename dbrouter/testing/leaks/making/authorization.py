"""Auth tokens, service accounts, and authorization's policies, roles, users and audit."""

from __future__ import annotations

from typing import Any

from dbrouter.testing.leaks.making.hand import Calls, Hand, Makers


def _token(hand: Hand) -> dict[str, Any]:
    return {
        "provider": hand.few(),
        "user_id": hand.user(),
        "service": hand.few(),
        "token_data": hand.data(),
        "granted_scopes": [hand.text()],
    }


def _named_token(hand: Hand) -> dict[str, Any]:
    return {"provider": hand.few(), "user_id": hand.user(), "service": hand.few()}


def _account(hand: Hand) -> dict[str, Any]:
    return {
        "id": hand.id(),
        "name": hand.id(),
        "user_id": hand.maybe_user(),
        "token_hash": hand.id(),
        "token_prefix": hand.mark[:16],
        "scopes": [hand.text()],
        "created_by": hand.text(),
        "created_at": hand.second(),
    }


def _role_meta(hand: Hand) -> dict[str, Any]:
    texts = {"name": hand.text(), "description": hand.text()}
    return {**texts, "is_default": False, "created_at": hand.second(), "updated_at": hand.second()}


def _profile(hand: Hand) -> dict[str, Any]:
    texts = {"email": hand.text(), "name": hand.text(), "metadata": hand.data()}
    return {**texts, "disabled": False, "created_at": hand.second(), "updated_at": hand.second()}


def _change(hand: Hand) -> dict[str, Any]:
    return {
        "event_id": hand.id(),
        "created_at": hand.second(),
        "actor": hand.user(),
        "action": "role.assign",
        "target": hand.text(),
        "before": hand.text(),
        "after": hand.text(),
    }


def _decision(hand: Hand) -> dict[str, Any]:
    return {
        "event_id": hand.id(),
        "created_at": hand.second(),
        "actor": hand.user(),
        "action": "denied",
        "target": hand.text(),
        "token_ref": hand.id(),
        "required": hand.text(),
        "scopes": hand.text(),
    }


def _rows(hand: Hand) -> list[tuple[str, str, str]]:
    """Policies of a role; one of the same resource and action may stand there twice."""
    return [(hand.text(), "read", hand.random.choice(["allow", "deny"])) for _ in range(hand.random.randint(0, 3))]


MAKERS: Makers = {
    **dict.fromkeys(("role", "subject", "slug"), lambda hand: hand.few()),
    **dict.fromkeys(("roles", "subjects"), lambda hand: hand.some()),
    **dict.fromkeys(("service_account_id", "token_hash"), lambda hand: hand.id()),
    **dict.fromkeys(
        ("include_disabled", "disabled", "decisions", "include_revoked", "return_record"),
        lambda hand: hand.random.random() < 0.5,
    ),
    "token": _token,
    "account_data": _account,
    "resource": lambda hand: hand.text(),
    "action": lambda hand: hand.random.choice(["read", "write"]),
    "effect": lambda hand: hand.random.choice(["allow", "deny"]),
    "rows": _rows,
    "search": lambda hand: hand.id(),
    "order": lambda hand: hand.random.choice(["asc", "desc"]),
}

CALLS: Calls = {
    "get_auth_token": _named_token,
    "delete_auth_token": _named_token,
    "update_service_account": lambda hand: {"last_used_at": hand.second()},
    "upsert_authz_role_meta": lambda hand: {"values": _role_meta(hand)},
    "upsert_authz_user": lambda hand: {"values": _profile(hand)},
    "record_authz_audit_event": lambda hand: {"values": _change(hand)},
    "record_authz_decision": lambda hand: {"values": _decision(hand)},
    "authz_name_is_role": lambda hand: {"name": hand.few()},
}
