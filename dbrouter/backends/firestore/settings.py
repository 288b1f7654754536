"""What a Firestore database is configured with."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dbrouter.backends.secrets import Password
from dbrouter.backends.settings import DEADLINE, Part, TableNames, refusal

EMULATOR = "FIRESTORE_EMULATOR_HOST"
"""The environment variable by which Google's clients find an emulator."""
HOST = "firestore.googleapis.com"
DATABASE = "(default)"
ROOT = "dbrouter"
CALLS_AT_ONCE = 50
"""Calls of all tenants together: one connection carries a hundred requests at once, and a call makes two or three."""

_COLLECTION = re.compile(r"[A-Za-z0-9_-]{1,200}")


def _a_project(project: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.:-]*", project):
        raise refusal(f"{project!r:.80} is no project id", "use the id of the Google Cloud project, such as my-project")
    return project


def _a_collection(name: str) -> str:
    if not _COLLECTION.fullmatch(name) or re.fullmatch("__.*__", name):
        raise refusal(f"{name!r:.80} is no collection of ours", "use letters, digits, - and _")
    return name


def _a_root(name: str) -> str:
    if name.endswith("_tenants"):
        raise refusal(f"{name!r:.80} ends as the collections of tenants do", "choose another name")
    return _a_collection(name)


def _a_key(key: Password) -> Password:
    try:
        parsed = json.loads(key.get_secret_value())
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict) or "type" not in parsed:
        raise refusal("credentials is not the JSON of a key", "give the text of the key file, or credentials_file")
    return key


class FirestoreSettings(Part):
    """A Firestore database in native mode, by `project` and `database`."""

    kind: Literal["firestore"] = "firestore"
    """The kind of database."""
    project: Annotated[str, AfterValidator(_a_project)]
    """The id of the Google Cloud project."""
    database: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^(\(default\)|[a-z][a-z0-9-]*)$")] = DATABASE
    """The database's id in the project."""
    root: Annotated[str, AfterValidator(_a_root)] = ROOT
    """The collection below which all of dbrouter's tables are: `<root>/tables/...`; those of tenants with a place of
    their own are in `<root>_tenants/<tenant>/...`."""
    credentials_file: Path | None = None
    """The file of a service account's key. Without it and `credentials`, what the environment has (Application Default
    Credentials)."""
    credentials: Annotated[
        Password | None,
        AfterValidator(lambda key: key and _a_key(key)),
        WithJsonSchema({"type": "string", "writeOnly": True}),
    ] = None
    """The key itself as JSON text, never shown. Write a reference: `${FIRESTORE_KEY}` or `${file:/run/secrets/key}`."""
    quota_project: str | None = None
    """The project that requests are billed to, where it is another."""
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:\d+)?$")] = HOST
    """Where Firestore is reached: a private or regional endpoint, `host` or `host:port`. Always by TLS."""
    emulator_host: Annotated[str | None, Field(pattern=r"^[^/\s]+:\d+$")] = None
    """`host:port` of an emulator, reached without TLS and credentials; `FIRESTORE_EMULATOR_HOST` if not given."""
    deadline: Annotated[float, Field(gt=0)] = DEADLINE
    """Seconds a call may take, retries included, before it raises `Unavailable`."""
    tables: TableNames = Field(default_factory=dict[str, str])
    """Table -> its collection in this database, where it is not agno's default name."""

    @model_validator(mode="after")
    def _one_key(self) -> FirestoreSettings:
        if self.credentials is not None and self.credentials_file is not None:
            raise refusal("credentials and credentials_file are both given", "keep one of them")
        for name in self.tables.values():
            _a_collection(name)
        return self

    @property
    def names(self) -> Mapping[str, str]:
        """Spec name -> collection, where it is not agno's default name."""
        return self.tables

    @property
    def calls_at_once(self) -> int:
        """Calls of all tenants together that one process has under way at most."""
        return CALLS_AT_ONCE

    @property
    def emulator(self) -> str | None:
        """`host:port` of the emulator, if one is used."""
        return self.emulator_host or os.environ.get(EMULATOR) or None

    def shown(self) -> dict[str, Any]:
        """These settings for people: the key as `***`."""
        return self.model_dump(mode="json", exclude_none=True)
