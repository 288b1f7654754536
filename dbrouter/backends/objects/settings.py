"""What a bucket or a folder of objects is configured with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dbrouter.backends.secrets import Password
from dbrouter.backends.settings import DEADLINE, Part, TableNames, refusal

Place = Literal["file", "s3", "gs", "az"]
"""Where objects are: a local folder, Amazon S3 or what speaks like it, Google Cloud Storage, Azure Blob Storage."""

_PLACES: tuple[Place, ...] = ("file", "s3", "gs", "az")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}")
_PREFIX = re.compile(r"[A-Za-z0-9._=-]+(/[A-Za-z0-9._=-]+)*")
LONGEST_PREFIX = 200
"""Bytes of a prefix, so that no object's name is over 1,024."""

_ONLY_FOR: dict[str, tuple[Place, ...]] = {
    "endpoint": ("s3", "gs", "az"),
    "anonymous": ("s3", "gs", "az"),
    "region": ("s3",),
    "access_key_id": ("s3",),
    "secret_access_key": ("s3",),
    "session_token": ("s3",),
    "project": ("gs",),
    "service_account_file": ("gs",),
    "service_account_json": ("gs",),
    "account": ("az",),
    "account_key": ("az",),
    "sas_token": ("az",),
    "durable": ("file",),
}
"""Settings that mean something in some places only."""

Secret = Annotated[Password | None, WithJsonSchema({"type": "string", "writeOnly": True})]


def _an_address(url: str) -> str:
    scheme, found, rest = url.partition("://")
    if not found or scheme not in _PLACES:
        raise refusal("this is not an address of objects", "start it with file:///, s3://, gs:// or az://")
    if scheme == "file":
        if not rest.startswith("/") or rest == "/":
            raise refusal("the URL names no folder", "write file:///path/of/a/folder, or path")
        return url
    bucket, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise refusal("the URL names no bucket", f"write {scheme}://bucket/prefix; credentials have their own settings")
    prefix = prefix.strip("/")
    if prefix and (not _PREFIX.fullmatch(prefix) or not {".", ".."}.isdisjoint(prefix.split("/"))):
        raise refusal("the prefix has characters that not every place takes", "use A-Z a-z 0-9 . _ = -")
    if len(prefix) > LONGEST_PREFIX:
        raise refusal("the prefix is too long", f"names of objects end at 1,024 bytes: use {LONGEST_PREFIX} at most")
    return url


def _an_endpoint(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", url):
        raise refusal("this is not a server's address", "write http://host:port or https://host, without credentials")
    return url.rstrip("/")


class ObjectsSettings(Part):
    """Objects in a bucket or in a local folder, by `url` or by `path`."""

    kind: Literal["objects"] = "objects"
    """The kind of database."""
    url: Annotated[str | None, AfterValidator(lambda url: url and _an_address(url))] = None
    """`s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` (which must be there) or `file:///folder`."""
    path: Annotated[Path | None, AfterValidator(lambda path: path and path.expanduser())] = None
    """A local folder, relative to the YAML file that names it; made when first written to. Not together with `url`."""
    endpoint: Annotated[str | None, AfterValidator(lambda url: url and _an_endpoint(url))] = None
    """The server, where it is not the provider's own: `http://localhost:9000`."""
    anonymous: bool = False
    """Whether to send no credentials: for emulators and servers that ask for none."""
    region: str | None = None
    """S3: the bucket's region."""
    access_key_id: str | None = None
    """S3: the access key. Without it, the environment's, or the role of the instance or container."""
    secret_access_key: Secret = None
    """S3: the secret key, never shown. Write a reference: `${S3_SECRET}` or `${file:/run/secrets/s3}`."""
    session_token: Secret = None
    """S3: the token of temporary credentials, never shown."""
    project: str | None = None
    """Google: the project. Rarely needed: the bucket says it."""
    service_account_file: Path | None = None
    """Google: the service account's key file. Without it, the application default credentials."""
    service_account_json: Secret = None
    """Google: the service account's key itself, never shown."""
    account: str | None = None
    """Azure: the storage account. Without credentials, the environment's or the managed identity."""
    account_key: Secret = None
    """Azure: the account's key, never shown."""
    sas_token: Secret = None
    """Azure: a shared access signature, never shown."""
    durable: bool = True
    """Folder: whether a write is on the disk before it is acknowledged. `false` is faster, and a power cut may take the
    records of the last half minute, or leave them unreadable; a killed process takes nothing."""
    requests_at_once: Annotated[int, Field(ge=1, le=256)] = 32
    """Requests that one call makes at a time; a blocking one 16 at most, and 16 together with others."""
    calls_at_once: Annotated[int, Field(ge=1)] = 16
    """Calls of all tenants together that one process has under way at most: who comes on top waits for a turn."""
    connect_timeout: Annotated[float, Field(gt=0)] = 5.0
    """Seconds to wait for a connection to open."""
    deadline: Annotated[float, Field(gt=0)] = DEADLINE
    """Seconds a call may take, with all that it repeats, before it raises `Unavailable`."""
    tables: TableNames = Field(default_factory=dict[str, str])
    """Table -> its name in this database, where it is not agno's default name."""

    @model_validator(mode="after")
    def _one_address(self) -> ObjectsSettings:
        if self.url is not None and self.path is not None:
            raise refusal("url and path are both given", "keep one of them")
        if self.url is None and self.path is None:
            raise refusal("url is missing", "give url, or path for a local folder")
        for name, places in _ONLY_FOR.items():
            if name in self.model_fields_set and getattr(self, name) is not None and self.place not in places:
                raise refusal(f"{name} means nothing for {self.place}://", f"it is for {', '.join(places)}")
        if (self.access_key_id is None) is not (self.secret_access_key is None):
            raise refusal("access_key_id and secret_access_key go together", "give both, or neither")
        if self.service_account_file is not None and self.service_account_json is not None:
            raise refusal("service_account_file and service_account_json are both given", "keep one of them")
        return self

    @property
    def place(self) -> Place:
        """Where the objects are."""
        scheme = "file" if self.url is None else self.url.partition("://")[0]
        return next(each for each in _PLACES if each == scheme)

    @property
    def folder(self) -> Path:
        """The local folder."""
        return self.path if self.path is not None else Path((self.url or "").partition("://")[2])

    @property
    def bucket(self) -> str:
        """The bucket, or Azure's container."""
        return (self.url or "").partition("://")[2].partition("/")[0]

    @property
    def prefix(self) -> str:
        """What the names of all objects begin with, without a slash at either end."""
        return (self.url or "").partition("://")[2].partition("/")[2].strip("/")

    @property
    def where(self) -> str:
        """The place for people, without credentials."""
        server = f" at {self.endpoint}" if self.endpoint else ""
        return str(self.folder) if self.place == "file" else f"{self.place}://{self.bucket}{server}"

    @property
    def names(self) -> dict[str, str]:
        """Spec name -> physical table name, where it is not agno's default."""
        return self.tables

    def shown(self) -> dict[str, Any]:
        """These settings for people: secrets as `***`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
