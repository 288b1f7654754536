"""Objects in a bucket of Google Cloud Storage, through Google's own client, which blocks."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import requests
from google.api_core import exceptions as google
from google.auth import exceptions as auth
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from google.oauth2 import service_account
from requests.adapters import HTTPAdapter

from dbrouter.backends.kernel.errors import StoreError, Throttled, TooLarge, Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child
from dbrouter.backends.kernel.ops import Absent
from dbrouter.backends.objects.bucket import Changed, Found, Listed, Overloaded, Refused
from dbrouter.backends.objects.settings import ObjectsSettings

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_FIELDS = "items(name,size,updated),nextPageToken"
_NO_BUCKET = "bucket does not exist"


class GoogleBucket:
    """A bucket of Google Cloud Storage. credentials: an object of Google's, in place of what the settings say."""

    removes = False  # the emulator takes a condition on a removal and does not keep it

    def __init__(self, settings: ObjectsSettings, *, credentials: Any = None) -> None:
        self._settings = settings
        self._credentials = credentials
        # A call repeats a request itself, within its deadline, and must have time for one more.
        wait = settings.deadline / 2
        self._ways: dict[str, Any] = {"retry": None, "timeout": (min(settings.connect_timeout, wait), wait)}
        self.begin_anew()
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Have no connections yet."""
        self._client: Any = None
        self._seen = False

    async def get(self, name: str) -> Found | None:
        """The object, if there is one."""
        with self._translated():
            blob = self._bucket().blob(name)
            try:
                body = blob.download_as_bytes(**self._ways)
            except google.NotFound as missing:
                self._check_bucket(missing)
                return None
            return Found(body, str(blob.generation))

    async def put(self, name: str, body: bytes, expect: str | Absent | None) -> str:
        """Write the object; answers its generation."""
        # Generation 0 is that of an object that is not there.
        condition = {} if expect is None else {"if_generation_match": 0 if isinstance(expect, Absent) else int(expect)}
        with self._translated():
            blob = self._bucket().blob(name)
            try:
                blob.upload_from_string(body, content_type="application/octet-stream", **condition, **self._ways)
            except google.PreconditionFailed as changed:
                raise Changed from changed
            except google.NotFound as missing:
                self._check_bucket(missing)
                raise Changed from missing
            return str(blob.generation)

    async def remove(self, name: str, expect: str) -> None:
        """Refuse: there is no condition on it that is kept everywhere."""
        # `removes` is False: nobody calls this, and a removal without its condition would lose a newer record.
        raise NotImplementedError(f"{name} cannot be removed at {expect}")

    async def discard(self, names: Sequence[str]) -> None:
        """Remove objects, one by one."""
        with self._translated():
            bucket = self._bucket()
            for name in names:
                with contextlib.suppress(google.NotFound):
                    bucket.blob(name).delete(**self._ways)

    async def list(self, folder: str, *, begin: str, after: str, limit: int | None) -> list[Listed]:
        """Objects below the folder, in order of their names."""
        top = f"{folder}/"
        with self._translated():
            found = self._opened().list_blobs(
                self._settings.bucket,
                prefix=top + begin,
                # Google starts at this name, and we after it.
                start_offset=f"{top}{after}\0" if after else None,
                page_size=None if limit is None else min(limit, 1000),
                fields=_FIELDS,
                **self._ways,
            )
            return [Listed(each.name[len(top) :], each.size, each.updated) for each in islice(found, limit)]

    async def folders(self, folder: str) -> list[str]:
        """Names of the folders in the folder."""
        with self._translated():
            top = f"{folder}/"
            found = self._opened().list_blobs(self._settings.bucket, prefix=top, delimiter="/", **self._ways)
            for _ in found:  # the folders are known when the names have been read
                continue
            return sorted(each[len(top) :].rstrip("/") for each in found.prefixes)

    async def tidy(self, folder: str, before: datetime) -> None:
        """Nothing: an upload that was not finished is no object."""

    async def ping(self) -> None:
        """Return if the bucket is there and shows its names."""
        with self._translated():
            found = self._opened().list_blobs(
                self._settings.bucket, prefix=self._settings.prefix or None, max_results=1, **self._ways
            )
            list(found)

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _bucket(self) -> Any:
        return self._opened().bucket(self._settings.bucket)

    def _opened(self) -> Any:
        """The client. Nothing is sent when it is made, unless it has to ask the machine for credentials."""
        client = self._client
        if client is None:
            client = self._client = _opened(self._settings, self._credentials)
        return client

    def _check_bucket(self, missing: google.NotFound) -> None:
        """Raise `Refused` if it is the bucket that is missing; servers that do not say so are asked for it once."""
        if _NO_BUCKET in str(missing):
            raise missing
        if not self._seen:
            list(self._opened().list_blobs(self._settings.bucket, max_results=1, **self._ways))
            self._seen = True

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        where = self._settings.where
        try:
            yield
        except StoreError:
            raise
        except google.NotFound as error:
            raise Refused(f"{where}: there is no such bucket; create it, or name another") from error
        except (google.Forbidden, google.Unauthorized, auth.DefaultCredentialsError, auth.RefreshError) as error:
            raise Refused(
                f"{where} does not let us in: {_said(error)}; check the credentials and their rights"
            ) from error
        except google.TooManyRequests as error:
            raise Throttled(f"{where}: {_said(error)}") from error
        except google.ServiceUnavailable as error:
            raise Overloaded(f"{where}: {_said(error)}") from error
        except google.RequestRangeNotSatisfiable as error:
            raise Unavailable(f"{where}: {_said(error)}") from error
        except google.GoogleAPICallError as error:
            if error.code == requests.codes.request_entity_too_large:
                raise TooLarge(f"{where}: {_said(error)}; nothing was written") from error
            raise Unavailable(f"{where}: {_said(error)}") from error
        except (DataCorruption, requests.RequestException, auth.GoogleAuthError, OSError) as error:
            raise Unavailable(f"{where}: {_said(error)}") from error


def _said(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


def _opened(settings: ObjectsSettings, credentials: Any) -> Any:
    """Google's client for these settings."""
    credentials = credentials if credentials is not None else _credentials(settings)
    options = {"api_endpoint": settings.endpoint} if settings.endpoint else None
    project = settings.project or ("none" if credentials is not None else None)
    client: Any = storage.Client(project=project, credentials=credentials, client_options=options)
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=settings.requests_at_once * 2)
    for scheme in ("http://", "https://"):
        client._http.mount(scheme, adapter)  # noqa: SLF001  # its pool is of ten, and it has no setting for that
    return client


def _credentials(settings: ObjectsSettings) -> Any:
    """What the settings say; `None` for the application default credentials."""
    if settings.anonymous:
        return AnonymousCredentials()
    if settings.service_account_json is not None:
        account = json.loads(settings.service_account_json.get_secret_value())
        return service_account.Credentials.from_service_account_info(account, scopes=[_SCOPE])
    if settings.service_account_file is not None:
        file = str(settings.service_account_file)
        return service_account.Credentials.from_service_account_file(file, scopes=[_SCOPE])
    return None
