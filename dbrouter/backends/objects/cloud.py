"""Objects in a bucket of S3 or Azure, through obstore, blocking or awaited."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator, Sequence
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import AzureStore, S3Store

from dbrouter.backends.kernel.errors import StoreError, Throttled, TooLarge, Unavailable
from dbrouter.backends.kernel.ops import Absent
from dbrouter.backends.objects.body import new_token
from dbrouter.backends.objects.bucket import Changed, Found, Listed, Overloaded, Refused
from dbrouter.backends.objects.endpoints import endpoint_of, may_be_plain, server_of
from dbrouter.backends.objects.settings import ObjectsSettings

AT_ONCE = 1000
"""Names in one answer."""

_MISSING = re.compile(
    r"NoSuchBucket|ContainerNotFound|ContainerBeingDeleted|InvalidResourceName|no such host|failed to lookup address"
)
_DENIED = re.compile(r"AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|AuthenticationFailed|40[13] ")
_SLOWER = re.compile(r"SlowDown|ServerBusy|TooManyRequests|ConditionalRequestConflict|OperationAborted|429 ")
_OVERLOADED = re.compile(r"503 ")
_TOO_LARGE = re.compile(r"EntityTooLarge|RequestBodyTooLarge|413 ")
_CODE = re.compile(r"<Code>([^<]+)</Code>(?:\s*<Message>([^<]+)</Message>)?")
_STATUS = re.compile(r"status code: ([^:\n]+)")

_TRUSTED: set[str | None] = {None}
"""Servers that keep conditions on writes: the providers' own, and those that were seen to."""

_FIRST_USE: list[int] = []
"""The process in which obstore's threads run: a fork does not carry them, and a call in the child waits for ever."""


class Cloud:
    """A bucket of S3 or Azure. native: whether its coroutines are awaited, else they block."""

    removes = False  # no conditional delete that every server has

    def __init__(self, settings: ObjectsSettings, *, native: bool) -> None:
        self._settings = settings
        self._native = native
        self._store: Any = None

    async def get(self, name: str) -> Found | None:
        """The object, if there is one."""
        with self._translated():
            try:
                result = await self._run("get", name)
                body = bytes(await result.bytes_async() if self._native else result.bytes())
            except FileNotFoundError as missing:
                self._check_bucket(missing)
                return None
            return Found(body, result.meta["e_tag"])

    async def put(self, name: str, body: bytes, expect: str | Absent | None) -> str:
        """Write the object; answers its ETag."""
        # A server that is not the provider's own may take a condition and not keep it.
        if expect is not None and server_of(self._settings) not in _TRUSTED:
            await self._check_conditions()
        mode: Any = "overwrite" if expect is None else "create" if isinstance(expect, Absent) else {"e_tag": expect}
        return await self._put(name, body, mode)

    async def remove(self, name: str, expect: str) -> None:
        """Refuse: there is no condition on it."""
        # `removes` is False: nobody calls this, and a removal without its condition would lose a newer record.
        raise NotImplementedError(f"{name} cannot be removed at {expect}")

    async def discard(self, names: Sequence[str]) -> None:
        """Remove objects, a thousand in one request."""
        with self._translated():
            try:
                await self._run("delete", [*names])
            except FileNotFoundError as missing:
                self._check_bucket(missing)

    async def list(self, folder: str, *, begin: str, after: str, limit: int | None) -> list[Listed]:
        """Objects below the folder, in order of their names."""
        found: list[Listed] = []
        start = f"{folder}/{max(begin, after)}"
        chunk = AT_ONCE if limit is None else min(limit, AT_ONCE)
        with self._translated():
            stream: Any = obstore.list(self._opened(), folder, offset=start, chunk_size=chunk)
            while (some := await anext(stream, None) if self._native else next(stream, None)) is not None:
                for each in some:
                    name = each["path"][len(folder) + 1 :]
                    if not name.startswith(begin):
                        return found
                    found.append(Listed(name, each["size"], each["last_modified"]))
                    if len(found) == limit:
                        return found
        return found

    async def folders(self, folder: str) -> list[str]:
        """Names of the folders in the folder."""
        with self._translated():
            result = await self._run("list_with_delimiter", folder)
            return [each.rstrip("/").rpartition("/")[2] for each in result["common_prefixes"]]

    async def tidy(self, folder: str, before: datetime) -> None:
        """Nothing: an upload that was not finished is no object."""

    async def ping(self) -> None:
        """Return if the bucket is there and shows its names."""
        prefix = self._settings.prefix or None
        with self._translated():
            stream: Any = obstore.list(self._opened(), prefix, chunk_size=1)
            await anext(stream, None) if self._native else next(stream, None)

    async def close(self) -> None:
        """Forget the client and its connections."""
        self._store = None

    async def _put(self, name: str, body: bytes, mode: Any) -> str:
        with self._translated():
            try:
                # In one request, however large: parts have no condition.
                result = await self._run("put", name, body, mode=mode, use_multipart=False)
            except (AlreadyExistsError, PreconditionError) as changed:
                self._check_bucket(changed)
                raise Changed from changed
            except FileNotFoundError as missing:
                self._check_bucket(missing)
                raise Changed from missing  # a conditional write over an object that is gone
            return str(result["e_tag"])

    async def _check_conditions(self) -> None:
        """Raise `Refused` if the server overwrites whatever the condition says. Asked once."""
        # Beside the tables: no listing of theirs shows it, should it stay.
        probe = "/".join(part for part in (self._settings.prefix, f"probe-{new_token()}") if part)
        await self._put(probe, b"", "overwrite")
        try:
            for mode in ("create", {"e_tag": f'"{new_token()}{new_token()}"'}):
                try:
                    await self._put(probe, b"-", mode)
                except Changed:
                    continue
                raise Refused(
                    f"{self._settings.where} does not honour If-Match and If-None-Match, and writers would overwrite "
                    f"each other; use a server with conditional writes"
                )
        finally:
            with contextlib.suppress(StoreError):
                await self.discard([probe])
        _TRUSTED.add(server_of(self._settings))

    async def _run(self, call: str, *args: Any, **options: Any) -> Any:
        if self._native:
            return await getattr(obstore, f"{call}_async")(self._opened(), *args, **options)
        return getattr(obstore, call)(self._opened(), *args, **options)

    def _opened(self) -> Any:
        """The client. Nothing is sent when it is made."""
        if _FIRST_USE[:1] not in ([], [os.getpid()]):
            raise Refused(
                f"{self._settings.where}: this process was forked from one that had used obstore, which cannot go on "
                f"in a child; make the first call after the fork, or start workers by spawn"
            )
        if not _FIRST_USE:
            _FIRST_USE.append(os.getpid())
        if self._store is None:
            try:
                self._store = _opened(self._settings)
            except BaseError as error:
                raise Refused(f"{self._settings.where} cannot be opened: {_said(error)}; check its settings") from error
        return self._store

    def _check_bucket(self, missing: Exception) -> None:
        """Raise `Refused` if it is the bucket that is missing."""
        if _MISSING.search(str(missing)):
            raise Refused(f"{self._settings.where}: there is no such bucket; create it, or name another") from missing

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        where = self._settings.where
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise Refused(
                f"{where} does not let us in: {_said(error)}; check the credentials and their rights"
            ) from error
        except BaseError as error:
            text = str(error)
            if _MISSING.search(text):
                raise Refused(f"{where}: there is no such bucket, or no such server; {_said(error)}") from error
            if _DENIED.search(text):
                raise Refused(f"{where} does not let us in: {_said(error)}; check the credentials") from error
            if _TOO_LARGE.search(text):
                raise TooLarge(f"{where}: {_said(error)}; nothing was written") from error
            if _SLOWER.search(text):
                raise Throttled(f"{where}: {_said(error)}") from error
            if _OVERLOADED.search(text):
                raise Overloaded(f"{where}: {_said(error)}") from error
            raise Unavailable(f"{where}: {_said(error)}") from error


def _said(error: BaseException) -> str:
    """What the server said, in one line."""
    text = str(error)
    if code := _CODE.search(text):
        # Azure's messages go on with the request's number and its time, a line each.
        return ": ".join(each.partition("\n")[0] for each in code.groups() if each)
    if status := _STATUS.search(text):
        return status[1]
    return text.partition("\n")[0][:200]


def _opened(settings: ObjectsSettings) -> Any:
    """The client of obstore for these settings."""
    # A call repeats a request itself, within its deadline, and must have time for one more.
    client: Any = {
        "timeout": timedelta(seconds=settings.deadline / 2),
        "connect_timeout": timedelta(seconds=min(settings.connect_timeout, settings.deadline / 2)),
        "allow_http": may_be_plain(settings),
        "pool_max_idle_per_host": str(settings.requests_at_once * 2),
    }
    given: dict[str, Any] = {"endpoint": endpoint_of(settings)}
    if settings.place == "s3":
        given |= {
            # Else a variable of this name would go before the endpoint of the settings.
            "aws_endpoint_url_s3": given["endpoint"],
            "region": settings.region,
            "access_key_id": settings.access_key_id,
            "secret_access_key": settings.secret_access_key and settings.secret_access_key.get_secret_value(),
            "session_token": settings.session_token and settings.session_token.get_secret_value(),
        }
    else:
        given |= {
            "account_name": settings.account,
            "account_key": settings.account_key and settings.account_key.get_secret_value(),
            "sas_token": settings.sas_token and settings.sas_token.get_secret_value(),
        }
    if settings.anonymous:
        given["skip_signature"] = True
    store: Any = S3Store if settings.place == "s3" else AzureStore
    return store(
        settings.bucket,
        client_options=client,
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=settings.deadline)},
        **{name: value for name, value in given.items() if value is not None},
    )
