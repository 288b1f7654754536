"""Redis, Valkey and a Redis Cluster: a prefix for each database, and tenants' namespaces within it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

from dbrouter.testing.candidates import never
from tests.backends.backend import Backend, Row, Settings


def _settings(url: str, name: str) -> Settings:
    return {"kind": "redis", "url": url, "prefix": name}


def _cluster_settings(url: str, name: str) -> Settings:
    return {**_settings(url, name), "cluster": True}


@cache
def servers(url: str) -> tuple[Any, ...]:
    """A client of each server that has slots, or of the only one."""
    import redis

    first = redis.Redis.from_url(url)
    if not first.info("cluster")["cluster_enabled"]:
        return (first,)
    slots: Any = first.execute_command("CLUSTER SLOTS")
    owners = {(host, port) for _, _, (host, port, *_) in slots}
    return tuple(redis.Redis(host=host.decode(), port=port) for host, port in sorted(owners))


def _drop(url: str, name: str) -> None:
    for server in servers(url):
        keys = list(server.scan_iter(match=f"{{{name}/*", count=10_000))
        with server.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.unlink(key)
            pipeline.execute()


def _rows(url: str, name: str) -> Iterator[Row]:
    for server in servers(url):
        for key in server.scan_iter(match=f"{{{name}/*:r:*", count=1000):
            tag, _, _ = key[1:].partition(b"}")
            namespace = unquote_to_bytes(tag.split(b"/")[1]).decode()
            yield namespace or None, key.decode(errors="backslashreplace"), _readable(server.hgetall(key))


def _readable(fields: dict[bytes, bytes]) -> dict[str, str]:
    """The fields as text; of a plain one what is between its type and its end."""
    row: dict[str, str] = {}
    for name, data in fields.items():
        text = data[1:-1].replace(b"\x00\xff", b"\x00") if data.endswith(b"\x00") else data
        row[name.decode()] = text.decode("utf-8", "surrogatepass")
    return row


BACKENDS = (
    Backend(name="redis", kind="redis", server="redis", settings=_settings, drop=_drop, rows=_rows),
    Backend(name="valkey", kind="redis", server="valkey", settings=_settings, drop=_drop, rows=_rows),
    Backend(
        name="redis cluster",
        kind="redis",
        server="redis cluster",
        settings=_cluster_settings,
        drop=_drop,
        rows=_rows,
        gaps={
            "test_a_commit_of_several_records_does_all_or_is_refused_outright": never(
                "families are in slots of their own: a commit over two of them is refused, though within one it is not"
            ),
            "test_a_commit_of_several_records_does_nothing_if_one_is_refused": never(
                "families are in slots of their own: a commit over two of them is refused, though within one it is not"
            ),
        },
    ),
)
