"""TLS: who cannot show a certificate that is trusted is not spoken to."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Insert, Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.redis.settings import RedisSettings
from dbrouter.backends.redis.store import AsyncRedisStore, RedisStore
from dbrouter.testing.conformance.records import session
from scripts.servers import Server
from scripts.servers.places import free_port

LARGE = {"text": "x" * 300_000}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for `localhost` that trusts itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.fixture(scope="module")
def port(own_redis: Server, certificate: tuple[Path, Path]) -> Iterator[int]:
    """Where this module's server speaks TLS."""
    admin: Any = redis.Redis.from_url(own_redis.url)
    file, key = map(str, certificate)
    found = free_port()
    try:
        admin.execute_command("CONFIG", "SET", "tls-cert-file", file, "tls-key-file", key, "tls-ca-cert-file", file,
                              "tls-auth-clients", "no", "tls-port", found)  # fmt: skip
    except redis.ResponseError as error:
        pytest.skip(f"this Redis speaks no TLS: {error}")
    yield found
    admin.config_set("tls-port", 0)


def settings(port: int, prefix: str, **more: Any) -> RedisSettings:
    return RedisSettings.model_validate({"port": port, "prefix": prefix, "tls": True} | more)


def test_records_go_through_tls(port: int, prefix: str, certificate: tuple[Path, Path]) -> None:
    store = RedisStore.from_settings(settings(port, prefix, tls_ca=certificate[0]))
    for number in range(5):
        finish(store.execute(Insert(table="sessions", records=(session(f"s{number}", metadata=LARGE),))))
    found = finish(store.execute(Scan(table="sessions"))).records
    assert [each["metadata"] for each in found] == [LARGE] * 5
    finish(store.close())


def test_records_go_through_tls_from_one_event_loop_after_the_other(
    port: int, prefix: str, certificate: tuple[Path, Path]
) -> None:
    store = AsyncRedisStore.from_settings(settings(port, prefix, tls_ca=certificate[0]))

    async def add(number: int) -> int:
        await store.execute(Insert(table="sessions", records=(session(f"s{number}", metadata=LARGE),)))
        return len((await store.execute(Scan(table="sessions"))).records)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [asyncio.run(add(number)) for number in range(3)] == [1, 2, 3]
        asyncio.run(store.close())
        gc.collect()


@pytest.mark.parametrize("more", [{}, {"host": "127.0.0.1"}], ids=["nobody vouches for it", "it is another's"])
def test_a_certificate_that_is_not_to_be_trusted_is_refused(
    port: int, prefix: str, certificate: tuple[Path, Path], more: dict[str, Any]
) -> None:
    trusted = {"tls_ca": certificate[0]} if more else {}
    with pytest.raises(Unavailable, match="certificate verify failed"):
        finish(RedisStore.from_settings(settings(port, prefix, **more, **trusted)).ping())
    store = RedisStore.from_settings(settings(port, prefix, **more, tls_verify=False))
    finish(store.ping())
    finish(store.close())
