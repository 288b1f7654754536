"""What the built-in OAuth server remembers, as agno's own classes keep it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oracle.conftest import Both


def register(both: Both, id: str, now: int, **limits: int) -> Any:  # noqa: A002
    caps = {"unconsumed_ttl": 10, "max_clients": 2, **limits}
    return both.create_mcp_oauth_client(client_id=id, client_metadata=f"{{}} {id}", now=now, **caps)


def test_clients_that_are_not_used_are_few_and_go(both: Both) -> None:
    assert both.get_mcp_oauth_client("a") is None
    assert register(both, "a", 100) is True
    assert register(both, "b", 101) is True
    assert register(both, "c", 102) is False
    both.mark_mcp_oauth_client_consumed("a", 103)
    both.mark_mcp_oauth_client_consumed("a", 104)
    both.mark_mcp_oauth_client_consumed("nobody", 104)
    assert register(both, "d", 105) is True
    assert register(both, "e", 112) is True
    for id in "abcde":  # noqa: A001
        both.get_mcp_oauth_client(id)


def test_pending_authorizations_are_used_once(both: Both) -> None:
    for number, expires_at in enumerate((50, 70, 60, 80)):
        both.store_mcp_oauth_transaction(
            txn_id=f"t{number}", client_id="a", params=f"p{number}", expires_at=expires_at, now=40, max_pending=3
        )
    for number in range(4):
        both.get_mcp_oauth_transaction(f"t{number}")
    both.consume_mcp_oauth_transaction("t1", 71)
    assert both.consume_mcp_oauth_transaction("t1", 69) == ("p1", 70)
    assert both.consume_mcp_oauth_transaction("t1", 69) is None
    both.store_mcp_oauth_transaction(txn_id="late", client_id="a", params="p", expires_at=200, now=90, max_pending=3)
    for id in ("t2", "t3", "late"):  # noqa: A001
        both.get_mcp_oauth_transaction(id)


def test_codes_and_tokens_are_used_once(both: Both) -> None:
    both.store_mcp_oauth_code(code_hash="c1", payload="x", expires_at=50, now=40)
    both.store_mcp_oauth_code(code_hash="c2", payload="y", expires_at=90, now=60)
    for code in ("c1", "c2"):
        both.get_mcp_oauth_code(code)
    assert both.delete_mcp_oauth_code("c2") is True
    assert both.delete_mcp_oauth_code("c2") is False
    for number in range(4):
        both.store_mcp_oauth_refresh(
            token_hash=f"h{number}",
            client_id="a",
            scopes="[]",
            expires_at=50 + number,
            now=51,
            family_id=f"f{number % 2}",
        )
    for number in range(4):
        both.get_mcp_oauth_refresh(f"h{number}")
    assert both.delete_mcp_oauth_refresh("h2") is True
    assert both.delete_mcp_oauth_refresh("h2") is False
    assert both.delete_mcp_oauth_refresh_family("f1") == 2
    assert both.delete_mcp_oauth_refresh_family("f1") == 0


def test_keys_are_stored_once_newest_first(both: Both) -> None:
    assert both.get_mcp_oauth_keys() == []
    assert both.insert_mcp_oauth_key(kid="a", secret="s", created_at=1) is True
    assert both.insert_mcp_oauth_key(kid="b", secret="t", created_at=2) is True
    assert both.insert_mcp_oauth_key(kid="a", secret="u", created_at=3) is False
    both.get_mcp_oauth_keys()


def test_of_many_who_use_a_code_one_does(both: Both) -> None:
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            both.ours.store_mcp_oauth_code(code_hash=f"c{number}", payload="x", expires_at=50, now=40)
            used = list(pool.map(lambda _, n=number: both.ours.delete_mcp_oauth_code(f"c{n}"), range(8)))
            assert sorted(used) == [False] * 7 + [True]
