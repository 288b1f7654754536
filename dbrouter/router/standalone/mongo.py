"""A MongoDB database as an agno db."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict, Unpack
from urllib.parse import unquote_plus

from dbrouter.backends.mongo.store import DATABASE, AsyncMongoStore, MongoStore
from dbrouter.router.agno_types import generate_id
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.live import find
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.tables import TableNames, physical_names
from dbrouter.router.sync_db import SyncDb

if TYPE_CHECKING:
    from pymongo import AsyncMongoClient, MongoClient

_CREDENTIALS = re.compile(r"(://[^/:@]*):[^/]*@")
_SECRET_OPTIONS = frozenset({"tlscertificatekeyfilepassword", "ssl_pem_passphrase", "authmechanismproperties"})
"""Options that a password or a token may stand in. MongoDB takes them in any case."""


class CollectionNames(TypedDict, total=False):
    """What collections are called, where it is not agno's default name. The names of the arguments are agno's."""

    session_collection: str | None
    runs_collection: str | None
    memory_collection: str | None
    metrics_collection: str | None
    eval_collection: str | None
    knowledge_collection: str | None
    traces_collection: str | None
    spans_collection: str | None
    schedules_collection: str | None
    schedule_runs_collection: str | None
    learnings_collection: str | None


class MongoDb(SyncDb):
    """A MongoDB database with agno's collections: agno's class of that name can use the same ones."""

    def __init__(
        self,
        db_client: MongoClient[Any] | None = None,
        db_name: str | None = None,
        db_url: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        transactions: bool | None = None,
        **collections: Unpack[CollectionNames],
    ) -> None:
        """Use `db_client`, else connect to `db_url`; nothing is sent before the first call.

        db_name: "agno" if not given. transactions: whether the deployment has them; as the URL says if not given, and
        a client's replica set. Without an `id`, the same address and name give the same one, and the one that agno's
        class gives it.
        """
        if db_client is None and db_url is None:
            raise ValueError("One of db_url or db_client must be provided")
        self.db_url = db_url
        self.db_name = db_name if db_name is not None else DATABASE
        store = MongoStore(
            db_url if db_client is None else None,
            client=db_client,
            database=self.db_name,
            tables=physical_names(_tables(collections)),
            transactions=transactions if transactions is not None else _in_a_set(db_client),
        )
        super().__init__(store, id=id or _id(db_url, db_client, self.db_name))

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component, as its own class has it, and where it is: no password."""
        return {**super().to_dict(), "db_url": without_password(self.db_url), "db_name": self.db_name, "type": "mongo"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MongoDb:
        """The open db that `to_dict` described, else a new one: without a password, which no dict of ours holds."""
        live = find(cls, data.get("id"))
        if live is not None and live.to_dict() == data:
            return live
        return cls(None, data.get("db_name"), data.get("db_url"), id=data.get("id"), **_collections_in(data))


class AsyncMongoDb(AsyncDb):
    """A MongoDB database with agno's collections, through pymongo's own async client."""

    def __init__(
        self,
        db_client: AsyncMongoClient[Any] | None = None,
        db_name: str | None = None,
        db_url: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 - agno's name
        transactions: bool | None = None,
        **collections: Unpack[CollectionNames],
    ) -> None:
        """Use `db_client`, else connect to `db_url`; nothing is sent before the first call. Arguments as above.

        A client of your own belongs to one event loop; without one, every loop gets a client.
        """
        if db_client is None and db_url is None:
            raise ValueError("One of db_url or db_client must be provided")
        self.db_url = db_url
        self.db_name = db_name if db_name is not None else DATABASE
        names = physical_names(_tables(collections))
        store = AsyncMongoStore(
            db_url if db_client is None else None,
            client=db_client,
            database=self.db_name,
            tables=names,
            transactions=transactions if transactions is not None else _in_a_set(db_client),
        )

        def blocking() -> Opened:
            return Opened.alone(MongoStore(db_url, database=self.db_name, tables=names, transactions=transactions))

        # A client of your own is awaited.
        once_more = blocking if db_client is None else None
        super().__init__(store, id=id or _id(db_url, db_client, self.db_name), blocking=once_more)

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component, as its own class has it, and where it is: no password."""
        where = {"db_url": without_password(self.db_url), "db_name": self.db_name, "type": "async_mongo"}
        return {**super().to_dict(), **where}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncMongoDb:
        """The open db that `to_dict` described, else a new one: without a password, which no dict of ours holds."""
        live = find(cls, data.get("id"))
        if live is not None and live.to_dict() == data:
            return live
        return cls(None, data.get("db_name"), data.get("db_url"), id=data.get("id"), **_collections_in(data))


def without_password(url: str | None) -> str | None:
    """The URL without the password in it, and without the options that hold secrets."""
    if url is None:
        return None
    address, asked, query = _CREDENTIALS.sub(r"\1@", url).partition("?")
    # MongoDB takes `;` between options, too.
    options = re.split(r"([&;])", query)
    kept = [(options[at - 1] if at else "", each) for at, each in enumerate(options) if at % 2 == 0 and _may_show(each)]
    shown = "".join(f"{separator}{option}" for separator, option in kept).lstrip("&;")
    return f"{address}{asked}{shown}" if shown else address


def _may_show(option: str) -> bool:
    return unquote_plus(option.partition("=")[0]).strip().lower() not in _SECRET_OPTIONS


def _tables(collections: CollectionNames) -> TableNames:
    unknown = sorted(set(collections) - CollectionNames.__optional_keys__)
    if unknown:
        known = ", ".join(CollectionNames.__annotations__)
        raise TypeError(f"unexpected argument {unknown[0]!r}; collections are named by {known}")
    return TableNames(**{f"{name.removesuffix('_collection')}_table": each for name, each in collections.items()})  # type: ignore[typeddict-item]


def _collections_in(data: dict[str, Any]) -> CollectionNames:
    """The collection names in a stored configuration, where agno calls them tables."""
    names = CollectionNames.__optional_keys__
    found = {name: data.get(f"{name.removesuffix('_collection')}_table") for name in names}
    return CollectionNames(**{name: each for name, each in found.items() if each is not None})  # type: ignore[typeddict-item]


def _in_a_set(client: Any) -> bool | None:
    """Whether a client was told of a replica set; nothing without a client."""
    return None if client is None else bool(client.options.replica_set_name)


def _id(db_url: str | None, client: Any, name: str) -> str:
    """The id that agno's class gives the same database."""
    return generate_id(f"{db_url or str(client)}#{name}")
