"""Objects: a folder, and a bucket of its own in moto's S3, a fake Google Cloud Storage and Microsoft's Azurite."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from dbrouter.backends.kernel.running import finish
from dbrouter.backends.kernel.tenant_tables import TENANT
from dbrouter.backends.objects.folder import Folder
from dbrouter.testing.leaks.names import HOSTILE_TENANTS
from scripts.servers import azure
from tests.backends.backend import Backend, Row, Settings

KEY = "test"
PREFIX = "agents"


def _bucket(name: str) -> str:
    return f"dbrouter-{name}"


def _local(folder: str, name: str) -> Settings:
    # Tests kill processes and not the machine: what the kernel has is as good as on the disk.
    return {"kind": "objects", "path": str(Path(folder) / name), "durable": False}


def _local_rows(folder: str, name: str) -> Iterator[Row]:
    bucket = Folder(Path(folder) / name, durable=False)
    for place in ("tables", "namespaces"):
        listed = finish(bucket.list(place, begin="", after="", limit=None))
        yield from _rows((f"{place}/{each.name}", _held(bucket, f"{place}/{each.name}", each.size)) for each in listed)


def _held(bucket: Folder, name: str, size: int) -> bytes:
    """What the object holds; an entry holds nothing."""
    found = finish(bucket.get(name)) if size else None
    return b"" if found is None else found.body


@lru_cache
def s3_client(url: str) -> Any:
    """boto3's client for the server."""
    import boto3

    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=KEY
    )


def _s3(url: str, name: str) -> Settings:
    return {
        "kind": "objects",
        "url": f"s3://{_bucket(name)}/{PREFIX}",
        "endpoint": url,
        "region": "us-east-1",
        "access_key_id": KEY,
        "secret_access_key": KEY,
    }


def _make_s3(url: str, name: str) -> None:
    s3_client(url).create_bucket(Bucket=_bucket(name))


def _s3_names(url: str, name: str) -> list[str]:
    pages = s3_client(url).get_paginator("list_objects_v2").paginate(Bucket=_bucket(name))
    return [each["Key"] for page in pages for each in page.get("Contents", ())]


def _s3_rows(url: str, name: str) -> Iterator[Row]:
    client = s3_client(url)
    contents = (
        (each.removeprefix(f"{PREFIX}/"), client.get_object(Bucket=_bucket(name), Key=each)["Body"].read())
        for each in _s3_names(url, name)
    )
    yield from _rows(contents)


@lru_cache
def gcs_client(url: str) -> Any:
    """Google's client for the server."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    return storage.Client(project="tests", credentials=AnonymousCredentials(), client_options={"api_endpoint": url})  # type: ignore[no-untyped-call]


def _gcs(url: str, name: str) -> Settings:
    return {"kind": "objects", "url": f"gs://{_bucket(name)}/{PREFIX}", "endpoint": url, "anonymous": True}


def _make_gcs(url: str, name: str) -> None:
    gcs_client(url).create_bucket(_bucket(name))


def _gcs_rows(url: str, name: str) -> Iterator[Row]:
    blobs = gcs_client(url).list_blobs(_bucket(name))
    yield from _rows((each.name.removeprefix(f"{PREFIX}/"), each.download_as_bytes()) for each in blobs)


@lru_cache
def azure_client(url: str) -> Any:
    """Microsoft's client for the server."""
    from azure.storage.blob import BlobServiceClient

    return BlobServiceClient(url, credential=azure.KEY)


def _azure(url: str, name: str) -> Settings:
    return {
        "kind": "objects",
        "url": f"az://{_bucket(name)}/{PREFIX}",
        "endpoint": url,
        "account": azure.ACCOUNT,
        "account_key": azure.KEY,
    }


def _make_azure(url: str, name: str) -> None:
    azure_client(url).create_container(_bucket(name))


def _azure_rows(url: str, name: str) -> Iterator[Row]:
    container = azure_client(url).get_container_client(_bucket(name))
    names = list(container.list_blob_names())
    yield from _rows((each.removeprefix(f"{PREFIX}/"), container.download_blob(each).readall()) for each in names)


def _rows(objects: Iterator[tuple[str, bytes]]) -> Iterator[Row]:
    """Records, and the names of entries, which hold values too; marks of tables and locks hold none."""
    for name, content in objects:
        place, _, rest = name.partition("/")
        namespace = rest.partition("/")[0] if place == "namespaces" else None
        if place not in ("tables", "namespaces") or name.endswith("/table") or "/~decisions/" in f"/{name}":
            continue
        head, found, payload = content.partition(b"\n")
        if not found:
            yield namespace, name, {"name": name, "content": content.decode(), **_whose(name)}
            continue
        packed = json.loads(head)["zlib"]
        yield namespace, name, json.loads(zlib.decompress(payload) if packed else payload)


def _whose(entry: str) -> dict[str, str]:
    """The tenant that an entry of tenants' tables names first, as its row would have it."""
    named = re.search(rf"/{TENANT}-[^/]*/t([^/!]*)!", entry)
    if named is None:
        return {}
    written, cut, _ = named[1].partition("~~")
    data = re.sub(rb"[(._~]([0-9a-f]{2})", lambda each: bytes.fromhex(each[1].decode()), written.encode())
    whose = data.replace(b"\0\xff", b"\0").decode("utf-8", "surrogatepass")
    if cut:
        # A name that is too long for an object's ends with a digest: one tenant's begins like it.
        (whose,) = [name for name in HOSTILE_TENANTS if name.startswith(whose)]
    return {TENANT: whose}


OF_A_CLOUD = frozenset(
    {"batching", "committing", "creating", "fidelity", "getting", "guarding", "inserting", "positions", "scanning"}
)
"""What a bucket can break: names, conditions, listings. The rest is the code that the folder runs, and its test servers
take some milliseconds of a processor for each request."""

BACKENDS = (
    Backend(name="local objects", kind="objects", settings=_local, rows=_local_rows, threaded=True),
    Backend(
        name="s3",
        kind="objects",
        server="s3",
        settings=_s3,
        prepare=_make_s3,
        rows=_s3_rows,
        keeps=False,
        parts=OF_A_CLOUD,
    ),
    Backend(
        name="gcs",
        kind="objects",
        server="gcs",
        settings=_gcs,
        prepare=_make_gcs,
        rows=_gcs_rows,
        threaded=True,
        parts=OF_A_CLOUD,
    ),
    Backend(
        name="azure",
        kind="objects",
        server="azure",
        settings=_azure,
        prepare=_make_azure,
        rows=_azure_rows,
        keeps=False,
        parts=OF_A_CLOUD,
    ),
)
