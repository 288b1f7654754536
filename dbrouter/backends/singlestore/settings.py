"""What a SingleStore database is configured with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema, model_validator

from dbrouter.backends.mysql.settings import ServerSettings, a_url_of
from dbrouter.backends.secrets import SecretUrl


class SingleStoreSettings(ServerSettings):
    """A SingleStore database, by `url` or by `host`, `port`, `user` and `password`."""

    kind: Literal["singlestore"] = "singlestore"
    """The kind of database."""
    url: Annotated[
        SecretUrl | None,
        AfterValidator(a_url_of("singlestoredb", "singlestore", "mysql")),
        WithJsonSchema({"type": "string", "writeOnly": True}),
    ] = None
    """`singlestoredb://user:password@host:3306`, or `mysql://...`; the password is never shown. A database in it is not
    used: see `schema`. Not together with `host` ..."""

    @model_validator(mode="after")
    def _one_address(self) -> SingleStoreSettings:
        self._checked_address(self.url)
        return self

    def address(self) -> str:
        """The URL for a client, password included: do not show it."""
        return self._address("singlestoredb") if self.url is None else self.url.get_secret_value()
