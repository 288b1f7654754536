"""A container of Azure Blob Storage as an agno db. agno has none."""

from __future__ import annotations

from typing import Any, Unpack

from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import AsyncObjectsStore, ObjectsStore
from dbrouter.router.agno_types import generate_id
from dbrouter.router.async_db import AsyncDb
from dbrouter.router.opening import Opened
from dbrouter.router.standalone.objects import DEFAULT_PREFIX, bucket_settings
from dbrouter.router.standalone.tables import TableNames, table_names_in
from dbrouter.router.sync_db import SyncDb


class AzureJsonDb(SyncDb):
    """A container with an object for each record."""

    def __init__(
        self,
        container_name: str,
        prefix: str | None = None,
        account: str | None = None,
        endpoint_url: str | None = None,
        *,
        account_key: str | None = None,
        sas_token: str | None = None,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Use the container, which must be there. Without a key or signature, the environment's or machine's own.

        Without an `id`, the same container, account, endpoint and prefix give the same one.
        """
        self._place = _Place(container_name, prefix, account, endpoint_url)
        super().__init__(ObjectsStore(self._place.settings(account_key, sas_token, tables)), id=id or self._place.id)

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component; no credentials."""
        return {**super().to_dict(), **self._place.as_dict(), "type": "azure_json"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AzureJsonDb:
        """Open what `to_dict` described, with the environment's credentials."""
        return cls(*_named_in(data), id=data.get("id"), **table_names_in(data))


class AsyncAzureJsonDb(AsyncDb):
    """The same from event loops, through obstore's own coroutines."""

    def __init__(
        self,
        container_name: str,
        prefix: str | None = None,
        account: str | None = None,
        endpoint_url: str | None = None,
        *,
        account_key: str | None = None,
        sas_token: str | None = None,
        id: str | None = None,  # noqa: A002 - agno's name
        **tables: Unpack[TableNames],
    ) -> None:
        """Arguments as above."""
        self._place = _Place(container_name, prefix, account, endpoint_url)
        settings = self._place.settings(account_key, sas_token, tables)
        super().__init__(
            AsyncObjectsStore(settings),
            id=id or self._place.id,
            blocking=lambda: Opened.alone(ObjectsStore(settings)),
        )

    def to_dict(self) -> dict[str, Any]:
        """What agno stores of this db beside a component; no credentials."""
        return {**super().to_dict(), **self._place.as_dict(), "type": "async_azure_json"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AsyncAzureJsonDb:
        """Open what `to_dict` described, with the environment's credentials."""
        return cls(*_named_in(data), id=data.get("id"), **table_names_in(data))


class _Place:
    """Where the objects are, and what may be said of it."""

    def __init__(self, container: str, prefix: str | None, account: str | None, endpoint: str | None) -> None:
        self.container, self.prefix = container, prefix or DEFAULT_PREFIX
        self.account, self.endpoint = account, endpoint

    @property
    def id(self) -> str:
        """The same for the same place, as agno makes ids."""
        return generate_id(f"az://{self.container}_{self.account}_{self.endpoint}#{self.prefix}")

    def as_dict(self) -> dict[str, Any]:
        """The place as arguments of the classes above."""
        return {
            "container_name": self.container,
            "prefix": self.prefix,
            "account": self.account,
            "endpoint_url": self.endpoint,
        }

    def settings(self, key: str | None, signature: str | None, tables: TableNames) -> ObjectsSettings:
        """The driver's settings for it."""
        given = {"account": self.account, "endpoint": self.endpoint, "account_key": key, "sas_token": signature}
        return bucket_settings(f"az://{self.container}/{self.prefix}", given, tables)


def _named_in(data: dict[str, Any]) -> tuple[str, str | None, str | None, str | None]:
    return data["container_name"], data.get("prefix"), data.get("account"), data.get("endpoint_url")
