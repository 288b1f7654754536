"""gRPC channels to Firestore: one for all threads of a process, or one for each event loop.

Made when first used, and made anew in a forked child: gRPC's threads are the parent's. Imports the vendor's client.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import grpc  # pyright: ignore[reportMissingTypeStubs]
import grpc.aio  # pyright: ignore[reportMissingTypeStubs]

from dbrouter.backends.firestore.errors import translated
from dbrouter.backends.firestore.forks import HERE
from dbrouter.backends.firestore.messages import REQUESTS
from dbrouter.backends.kernel.errors import StoreError, Unavailable
from dbrouter.backends.kernel.forking import begins_anew_in_a_child

if TYPE_CHECKING:
    from dbrouter.backends.firestore.target import Target

SCOPES = ("https://www.googleapis.com/auth/datastore",)
OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A server that comes back is found within two seconds, not two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # A connection of its own: closing one store must not disturb another.
    ("grpc.use_local_subchannel_pool", 1),
)
STREAMING = frozenset({"BatchGetDocuments", "RunAggregationQuery", "RunQuery"})
_ABANDONED: list[Any] = []
"""Channels of a parent process. Ending them would wait for threads that only the parent has."""


class Sending(Protocol):
    """Sends one request."""

    async def send(self, method: str, request: Any, seconds: float) -> list[Any]:
        """The answers, all of them. Raises a `StoreError`."""
        ...

    async def close(self) -> None:
        """Close the channel; another is made when needed."""
        ...


class BlockingSending:
    """From threads."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._metadata = _metadata(target)
        self._lock = threading.Lock()
        self._channel: Any = None
        self._methods: Mapping[str, Any] = {}
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Leave the parent its channel."""
        _ABANDONED.append(self._channel)
        self._lock = threading.Lock()
        self._channel = None

    async def send(self, method: str, request: Any, seconds: float) -> list[Any]:
        """The answers."""
        call = self._ready()[method]
        try:
            with HERE.calling():
                answer = call(request, timeout=seconds, metadata=self._metadata)
                return list(answer) if method in STREAMING else [answer]
        except grpc.RpcError as error:
            raise _translated(error, self._target.place) from error
        except ValueError as error:
            # What gRPC says of a channel that another thread has closed.
            raise _closed(self._target.place) from error

    async def close(self) -> None:
        """Close the channel."""
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _ready(self) -> Mapping[str, Any]:
        with self._lock:
            if self._channel is None:
                HERE.uses(self._target.place, asynchronous=False)
                self._channel = _channel(self._target, grpc)
                self._methods = _methods(self._channel)
            return self._methods


class AsyncSending:
    """From event loops."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._metadata = _metadata(target)
        self._lock = threading.Lock()
        self._channels: dict[asyncio.AbstractEventLoop, tuple[Any, Mapping[str, Any]]] = {}
        begins_anew_in_a_child(self)

    def begin_anew(self) -> None:
        """Leave the parent its channels."""
        _ABANDONED.append(self._channels)
        self._lock = threading.Lock()
        self._channels = {}

    async def send(self, method: str, request: Any, seconds: float) -> list[Any]:
        """The answers."""
        call = self._ready()[method](request, timeout=seconds, metadata=self._metadata)
        try:
            return [each async for each in call] if method in STREAMING else [await call]
        except grpc.RpcError as error:
            raise _translated(error, self._target.place) from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody has cancelled this task: another one has closed the channel.
            raise _closed(self._target.place) from error

    async def close(self) -> None:
        """Close this loop's channel, and those of loops that are closed."""
        with self._lock:
            self._drop_closed_loops()
            channel, _ = self._channels.pop(asyncio.get_running_loop(), (None, None))
        if channel is not None:
            await channel.close()

    def _ready(self) -> Mapping[str, Any]:
        loop = asyncio.get_running_loop()
        ready = self._channels.get(loop)
        if ready is None:
            HERE.uses(self._target.place, asynchronous=True)
            channel = _channel(self._target, grpc.aio)
            with self._lock:
                self._drop_closed_loops()
                ready = self._channels[loop] = channel, _methods(channel)
        return ready[1]

    def _drop_closed_loops(self) -> None:
        """Forget the channels of loops that are closed: each keeps its loop, and closes when nobody has it any more."""
        for loop in [each for each in self._channels if each.is_closed()]:
            del self._channels[loop]


def _translated(error: Any, place: str) -> StoreError:
    return translated(error.code().name, error.details() or "", place)


def _closed(place: str) -> Unavailable:
    return Unavailable(f"{place}: closed while it was asked")


def _methods(channel: Any) -> dict[str, Any]:
    methods: dict[str, Any] = {}
    for name, (request, answer) in REQUESTS.items():
        kind = channel.unary_stream if name in STREAMING else channel.unary_unary
        methods[name] = kind(
            f"/google.firestore.v1.Firestore/{name}",
            request_serializer=request.SerializeToString,
            response_deserializer=answer.FromString,
        )
    return methods


def _metadata(target: Target) -> tuple[tuple[str, str], ...]:
    parts = f"project_id={quote(target.project, safe='')}&database_id={quote(target.database, safe='')}"
    metadata = (("google-cloud-resource-prefix", target.database_name), ("x-goog-request-params", parts))
    # What lets a client past the rules of an emulator.
    return (*metadata, ("authorization", "Bearer owner")) if target.emulator else metadata


def _channel(target: Target, kind: Any) -> Any:
    """An open channel of `grpc` or `grpc.aio`. Nothing is sent yet; a call may have to fetch a token first."""
    if target.emulator:
        return kind.insecure_channel(target.emulator, options=[*OPTIONS, ("grpc.enable_http_proxy", 0)])
    from google.api_core import grpc_helpers, grpc_helpers_async  # pyright: ignore[reportMissingTypeStubs]
    from google.auth.exceptions import GoogleAuthError  # pyright: ignore[reportMissingTypeStubs]

    helpers: Any = grpc_helpers if kind is grpc else grpc_helpers_async
    try:
        return helpers.create_channel(
            target.host if ":" in target.host else f"{target.host}:443",
            credentials=_credentials(target),
            scopes=SCOPES,
            quota_project_id=target.quota_project,
            options=OPTIONS,
        )
    except (GoogleAuthError, ValueError, OSError) as error:
        raise _without_credentials(target, error) from error


def _without_credentials(target: Target, error: Exception) -> Unavailable:
    """The error of whoever has no credentials that can be used. What a key says stays out of it."""
    if target.credentials is not None:
        return Unavailable(
            f"{target.place}: the credentials that were given cannot be used ({type(error).__name__}); give the whole "
            "JSON of a service account's key"
        )
    said = (str(error).splitlines() or [""])[0] or type(error).__name__
    if target.credentials_file is not None:
        what = f"{said}; check credentials_file, which is the JSON of a service account's key"
    else:
        what = (
            f"{said}; give credentials_file or credentials, or set up application default credentials: "
            "GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`"
        )
    return Unavailable(f"{target.place}: {what}")


def _credentials(target: Target) -> Any:
    """The credentials given, or `None` for those of the environment."""
    import google.auth  # pyright: ignore[reportMissingTypeStubs]

    auth: Any = google.auth
    if target.credentials is None or not isinstance(target.credentials, str):
        if target.credentials_file is None:
            return target.credentials
        return auth.load_credentials_from_file(target.credentials_file, scopes=SCOPES)[0]
    return auth.load_credentials_from_dict(json.loads(target.credentials), scopes=SCOPES)[0]
