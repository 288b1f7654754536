"""Which Firestore database, and how to reach it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any

from dbrouter.backends.firestore.settings import DATABASE, EMULATOR, HOST, FirestoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A database and the way to it.

    credentials: a key as JSON text or one of Google's credentials objects; with neither it nor a file, those of the
    environment. emulator: `host:port`, reached without TLS and credentials.
    """

    project: str
    database: str = DATABASE
    host: str = HOST
    emulator: str | None = field(default_factory=lambda: os.environ.get(EMULATOR) or None)
    credentials: Any = field(default=None, repr=False)
    credentials_file: str | None = None
    quota_project: str | None = None
    name: str = ""

    @classmethod
    def from_settings(cls, settings: FirestoreSettings, name: str) -> Target:
        """The one that a configuration describes."""
        key = settings.credentials
        return cls(
            project=settings.project,
            database=settings.database,
            host=settings.host,
            emulator=settings.emulator,
            credentials=None if key is None else key.get_secret_value(),
            credentials_file=None if settings.credentials_file is None else str(settings.credentials_file.expanduser()),
            quota_project=settings.quota_project,
            name=name,
        )

    @classmethod
    def of_client(cls, client: Any) -> Target:
        """The one that a client of Google's, blocking or async, is made for. The client itself is not used."""
        # It tells its project only; the rest of what it was made with it keeps to itself.
        made_with = vars(client)
        options, emulator = made_with["_client_options"], made_with["_emulator_host"]
        return cls(
            project=client.project,
            database=made_with["_database"],
            host=getattr(options, "api_endpoint", None) or HOST,
            emulator=emulator,
            credentials=None if emulator else made_with["_credentials"],
        )

    def at_emulator(self, address: str) -> Target:
        """The same database of an emulator."""
        return replace(self, emulator=address)

    @property
    def database_name(self) -> str:
        """The database's full name."""
        return f"projects/{self.project}/databases/{self.database}"

    @property
    def place(self) -> str:
        """The database as errors name it."""
        where = f"{self.database_name} at {self.emulator}" if self.emulator else self.database_name
        return f"{self.name} ({where})" if self.name else where
