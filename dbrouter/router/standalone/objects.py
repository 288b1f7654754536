"""A bucket or a local folder as an agno db."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import AsyncObjectsStore, ObjectsStore
from dbrouter.router.agno_types import generate_id
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.tables import TableNames, physical_names, table_names_in
from dbrouter.router.sync_db import SyncDb
from dbrouter.router.threaded import awaited

DEFAULT_FOLDER = "agno_json_db"
"""The folder, in the current directory, when none is given: agno's."""
DEFAULT_PREFIX = "agno/"
"""What the names of objects begin with when nothing is given: agno's."""


class JsonDb(SyncDb):
    """A local folder with a file for each record. Files of agno's class in the same folder are not touched or seen."""

    def __init__(
        self,
        db_path: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Open `db_path`, else `agno_json_db` in the current directory. The same path gives the same id, agno's."""
        self.db_path = _folder(db_path)
        store = ObjectsStore(_of_a_folder(self.db_path, tables))
        super().__init__(store, id=id or generate_id(db_path or DEFAULT_FOLDER))

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component."""
        return {**super().to_dict(), "db_path": str(self.db_path), "type": "json"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> JsonDb:
        """Open what `to_dict` described."""
        return cls(data.get("db_path"), id=data.get("id"), **table_names_in(data))


class AsyncJsonDb(AsyncDb):
    """The same from event loops, on threads: files have no other way. agno has none."""

    def __init__(
        self,
        db_path: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Open `db_path`, else `agno_json_db` in the current directory. The same path gives the same id, agno's."""
        self.db_path = _folder(db_path)
        store = ObjectsStore(_of_a_folder(self.db_path, tables))
        super().__init__(
            awaited(store), id=id or generate_id(db_path or DEFAULT_FOLDER), blocking=lambda: Opened.alone(store)
        )

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component."""
        return {**super().to_dict(), "db_path": str(self.db_path), "type": "async_json"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncJsonDb:
        """Open what `to_dict` described."""
        return cls(data.get("db_path"), id=data.get("id"), **table_names_in(data))


class GCSJsonDb(SyncDb):
    """A bucket of Google Cloud Storage with an object for each record."""

    def __init__(
        self,
        bucket_name: str,
        prefix: str | None = None,
        project: str | None = None,
        credentials: Any = None,
        *,
        endpoint_url: str | None = None,
        anonymous: bool = False,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Use the bucket, which must be there. credentials: an object of Google's, else the environment's.

        Without an `id`, the same bucket, project and prefix give the same one, and the one that agno's class gives.
        """
        self.bucket_name, self.prefix, self.project = bucket_name, prefix or DEFAULT_PREFIX, project
        settings = _of_google(bucket_name, self.prefix, project, endpoint_url, anonymous, tables)
        store = ObjectsStore(settings, bucket=_google(settings, credentials))
        super().__init__(store, id=id or generate_id(f"{bucket_name}_{project}#{self.prefix}"))

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component; no credentials."""
        return {**super().to_dict(), **_named(self), "project": self.project, "type": "gcs_json"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GCSJsonDb:
        """Open what `to_dict` described, with the environment's credentials."""
        place = (data["bucket_name"], data.get("prefix"), data.get("project"))
        return cls(*place, id=data.get("id"), **table_names_in(data))


class AsyncGCSJsonDb(AsyncDb):
    """The same from event loops, on threads: Google's client has no other way. agno has none."""

    def __init__(
        self,
        bucket_name: str,
        prefix: str | None = None,
        project: str | None = None,
        credentials: Any = None,
        *,
        endpoint_url: str | None = None,
        anonymous: bool = False,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Arguments as above."""
        self.bucket_name, self.prefix, self.project = bucket_name, prefix or DEFAULT_PREFIX, project
        settings = _of_google(bucket_name, self.prefix, project, endpoint_url, anonymous, tables)
        store = ObjectsStore(settings, bucket=_google(settings, credentials))
        super().__init__(
            awaited(store),
            id=id or generate_id(f"{bucket_name}_{project}#{self.prefix}"),
            blocking=lambda: Opened.alone(store),
        )

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component; no credentials."""
        return {**super().to_dict(), **_named(self), "project": self.project, "type": "async_gcs_json"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncGCSJsonDb:
        """Open what `to_dict` described, with the environment's credentials."""
        place = (data["bucket_name"], data.get("prefix"), data.get("project"))
        return cls(*place, id=data.get("id"), **table_names_in(data))


GcsJsonDb = GCSJsonDb
"""agno writes it so."""


class S3JsonDb(SyncDb):
    """A bucket of S3, or of a server that speaks like it, with an object for each record. agno has none."""

    def __init__(
        self,
        bucket_name: str,
        prefix: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        *,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Use the bucket, which must be there. Without a key, the environment's or the machine's credentials.

        Without an `id`, the same bucket, endpoint and prefix give the same one.
        """
        self.bucket_name, self.prefix = bucket_name, prefix or DEFAULT_PREFIX
        self.region, self.endpoint_url = region, endpoint_url
        keys = {
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "session_token": session_token,
        }
        store = ObjectsStore(_of_s3(bucket_name, self.prefix, region, endpoint_url, keys, tables))
        super().__init__(store, id=id or generate_id(f"s3://{bucket_name}_{endpoint_url}#{self.prefix}"))

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component; no credentials."""
        where = {"region": self.region, "endpoint_url": self.endpoint_url}
        return {**super().to_dict(), **_named(self), **where, "type": "s3_json"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> S3JsonDb:
        """Open what `to_dict` described, with the environment's credentials."""
        place = (data["bucket_name"], data.get("prefix"), data.get("region"), data.get("endpoint_url"))
        return cls(*place, id=data.get("id"), **table_names_in(data))


class AsyncS3JsonDb(AsyncDb):
    """The same from event loops, through obstore's own coroutines."""

    def __init__(
        self,
        bucket_name: str,
        prefix: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        *,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Arguments as above."""
        self.bucket_name, self.prefix = bucket_name, prefix or DEFAULT_PREFIX
        self.region, self.endpoint_url = region, endpoint_url
        keys = {
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "session_token": session_token,
        }
        settings = _of_s3(bucket_name, self.prefix, region, endpoint_url, keys, tables)
        super().__init__(
            AsyncObjectsStore(settings),
            id=id or generate_id(f"s3://{bucket_name}_{endpoint_url}#{self.prefix}"),
            blocking=lambda: Opened.alone(ObjectsStore(settings)),
        )

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component; no credentials."""
        where = {"region": self.region, "endpoint_url": self.endpoint_url}
        return {**super().to_dict(), **_named(self), **where, "type": "async_s3_json"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncS3JsonDb:
        """Open what `to_dict` described, with the environment's credentials."""
        place = (data["bucket_name"], data.get("prefix"), data.get("region"), data.get("endpoint_url"))
        return cls(*place, id=data.get("id"), **table_names_in(data))


def _folder(db_path: str | None) -> Path:
    return Path(db_path) if db_path else Path.cwd() / DEFAULT_FOLDER


def _named(db: GCSJsonDb | AsyncGCSJsonDb | S3JsonDb | AsyncS3JsonDb) -> dict[str, Any]:
    return {"bucket_name": db.bucket_name, "prefix": db.prefix}


def _of_a_folder(folder: Path, tables: TableNames) -> ObjectsSettings:
    return ObjectsSettings(path=folder, tables=physical_names(tables))


def _of_google(
    bucket: str, prefix: str, project: str | None, endpoint: str | None, anonymous: bool, tables: TableNames
) -> ObjectsSettings:
    given = {"project": project, "endpoint": endpoint, "anonymous": anonymous or None}
    return bucket_settings(f"gs://{bucket}/{prefix}", given, tables)


def _of_s3(
    bucket: str, prefix: str, region: str | None, endpoint: str | None, keys: dict[str, Any], tables: TableNames
) -> ObjectsSettings:
    return bucket_settings(f"s3://{bucket}/{prefix}", {"region": region, "endpoint": endpoint, **keys}, tables)


def bucket_settings(url: str, given: dict[str, Any], tables: TableNames) -> ObjectsSettings:
    """The driver's settings for a bucket, without what was not given."""
    known = {name: value for name, value in given.items() if value is not None}
    return ObjectsSettings.model_validate({"url": url, **known, "tables": physical_names(tables)})


def _google(settings: ObjectsSettings, credentials: Any) -> Any:
    # Imported where it is used: a folder and S3 need no client of Google's.
    from dbrouter.backends.objects.google import GoogleBucket

    return GoogleBucket(settings, credentials=credentials)
