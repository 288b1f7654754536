"""What a Redis database may be configured with, and who is told what of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis
import redis.asyncio.sentinel
import redis.sentinel

from dbrouter.backends import AsyncRedisDb, RedisDb
from dbrouter.backends.redis.connecting import target_of_client
from dbrouter.backends.redis.settings import RedisSettings
from dbrouter.backends.redis.store import RedisStore
from dbrouter.router.agno_types import AgentSession
from scripts.servers import Server


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "url is missing"),
        ({"url": "http://h"}, "not a Redis URL"),
        ({"url": "redis://h", "host": "h"}, "both given"),
        ({"host": "h", "nodes": ["a:1"]}, "cluster is not true"),
        ({"cluster": True, "nodes": ["a"]}, "host:port"),
        ({"host": "h", "cluster": True, "database": 1}, "no database but 0"),
        ({"url": "redis://h", "prefix": "a}b"}, "prefix"),
        ({"url": "redis://h", "ttl": {"sessoins": 1}}, "did you mean 'sessions'"),
        ({"url": "redis://h", "wait_replicas": 1, "wait_timeout": 60}, "wait_timeout"),
        ({"url": "rediss://h", "tls_key": "k"}, "go together"),
        ({"url": "redis://:pw@h", "tls": True}, "tls beside a redis:// URL, which is without TLS; write rediss://"),
        ({"url": "redis://h", "tls_ca": "/ca.pem"}, "tls_ca beside a redis:// URL"),
        ({"url": "redis://h", "tls_verify": True}, "tls_verify beside a redis:// URL"),
        ({"url": "unix:///r.sock", "tls": True, "tls_ca": "/ca.pem"}, "tls, tls_ca beside a unix:// URL"),
        ({"host": "h", "tls_ca": "/ca.pem"}, "tls_ca without tls; write tls: true"),
        ({"host": "h", "tls": False, "tls_verify": False}, "tls_verify without tls"),
        ({"cluster": True, "nodes": ["a:1"], "tls_ca": "/ca.pem"}, "tls_ca without tls"),
        ({"url": "redis://h/0?max_connections=5"}, "max_connections in a URL .* write the setting pool_size"),
        ({"url": "redis://h?timeout=5"}, "timeout in a URL .* deadline"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        RedisSettings(**given)


def test_passwords_are_not_shown() -> None:
    for settings in (
        RedisSettings(url="redis://ann:s3cret@h:1/2"),  # type: ignore[arg-type]
        RedisSettings(host="h", username="ann", password="s3cret"),  # type: ignore[arg-type]
    ):
        assert "s3cret" not in repr(settings) + json.dumps(settings.shown()) + settings.target().shown
        assert settings.target().arguments["password"] == "s3cret"


def test_an_address_is_taken_from_fields_a_url_a_socket_and_nodes() -> None:
    assert RedisSettings(host="h").target().shown == "redis://h:6379/0"
    assert RedisSettings(url="redis://h:7/3").target().shown == "redis://h:7/3"  # type: ignore[arg-type]
    assert RedisSettings(url="unix:///run/r.sock").target().shown == "unix:///run/r.sock"  # type: ignore[arg-type]
    assert RedisSettings(cluster=True, nodes=("a:1", "[::1]:2")).target().start == (("a", 1), ("::1", 2))


def test_tls_is_spoken_and_certificates_are_looked_at_unless_told_otherwise() -> None:
    target = RedisSettings(url="rediss://h", tls_ca="/ca.pem").target()  # type: ignore[arg-type]
    assert target.kind == "tls"
    assert target.arguments["ssl_ca_certs"] == "/ca.pem"
    assert "ssl_cert_reqs" not in target.arguments
    assert RedisSettings(host="h", tls=True, tls_verify=False).target().arguments["ssl_cert_reqs"] == "none"


def test_tls_may_be_written_beside_an_address_that_speaks_it_or_be_denied_beside_one_that_does_not() -> None:
    assert RedisSettings(url="rediss://h", tls=True, tls_verify=True).target().kind == "tls"  # type: ignore[arg-type]
    assert RedisSettings(url="redis://h", tls=False).target().kind == "tcp"  # type: ignore[arg-type]
    assert RedisSettings(host="h", tls=False).target().kind == "tcp"
    nodes = RedisSettings(cluster=True, nodes=("a:1",), tls=True, tls_ca="/ca.pem")  # type: ignore[arg-type]
    assert nodes.target().kind == "tls"


def test_what_a_url_says_for_pools_is_refused_where_a_store_is_made_too() -> None:
    with pytest.raises(ValueError, match=r"max_connections .* give pool_size instead"):
        RedisStore("redis://h?max_connections=5")


@pytest.mark.parametrize("sentinel", [redis.sentinel.Sentinel, redis.asyncio.sentinel.Sentinel])
@pytest.mark.parametrize("tls", [False, True])
def test_a_client_that_asks_a_sentinel_is_refused(sentinel: Any, tls: bool) -> None:
    client = sentinel([("sentinel", 26379)]).master_for("main", password="s3cret", ssl=tls)
    with pytest.raises(ValueError, match=r"Sentinel .* give the url of the primary"):
        target_of_client(client)


def test_a_client_that_names_no_server_is_not_taken_for_one_of_localhost() -> None:
    with pytest.raises(ValueError, match="names no server"):
        target_of_client(redis.Redis(connection_pool=redis.ConnectionPool(db=2)))
    assert target_of_client(redis.Redis(unix_socket_path="/r.sock")).shown == "unix:///r.sock"


def test_the_servers_of_a_client_are_used_with_its_credentials() -> None:
    client = redis.Redis(host="h", port=7, db=3, username="ann", password="s3cret", socket_timeout=1)
    target = target_of_client(client)
    assert target.shown == "redis://h:7/3"
    assert (target.arguments["username"], target.arguments["password"]) == ("ann", "s3cret")
    assert "socket_timeout" not in target.arguments


def test_agnos_arguments_open_a_database_that_expires(redis_server: Server, client: Any, prefix: str) -> None:
    for number, given in enumerate(({"db_url": redis_server.url}, {"redis_client": client})):
        db = RedisDb(db_prefix=f"{prefix}-{number}", expire=100, **given)  # type: ignore[arg-type]
        db.upsert_session(AgentSession(session_id="s", agent_id="a"))
        (key,) = client.scan_iter(match=f"{{{prefix}-{number}/*:r:*", count=10_000)
        assert 0 < client.ttl(key) <= 100
        db.close()
    with pytest.raises(ValueError, match="redis_client or db_url"):
        RedisDb()


def test_an_id_is_the_one_that_agnos_class_gives() -> None:
    from agno.db.redis import RedisDb as Theirs

    url = "redis://ann:s3cret@h:1/0"
    assert RedisDb(db_url=url, db_prefix="p").id == Theirs(db_url=url, db_prefix="p").id
    assert AsyncRedisDb(db_url=url).id == Theirs(db_url=url).id
    assert "s3cret" not in json.dumps(RedisDb(db_url=url).to_dict())


def test_a_target_is_shown_without_its_password() -> None:
    target = RedisSettings.model_validate({"url": "redis://app:hidden@cache:6379/0"}).target()
    assert "hidden" not in f"{target!r}{target.shown}"


def test_what_is_not_given_of_an_address_has_its_default() -> None:
    assert RedisSettings.model_validate({"port": 6380}).target().shown == "redis://localhost:6380/0"
    assert RedisSettings.model_validate({"host": "cache", "database": 2}).target().shown == "redis://cache:6379/2"
