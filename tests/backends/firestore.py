"""Firestore: a project of its own in the emulator, which keeps everything in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from unittest import mock
from urllib.request import Request, urlopen

from tests.backends.backend import Backend, Row, Settings
from tests.firestore.index_rules import watch

ROOT = "dbrouter"
TENANTS = "dbrouter_tenants"


def _project(name: str) -> str:
    return f"dbrouter-{name}"


def _address(url: str) -> str:
    return url.removeprefix("http://")


def _settings(url: str, name: str) -> Settings:
    return {"kind": "firestore", "project": _project(name), "emulator_host": _address(url)}


def client(url: str, name: str) -> Any:
    """Google's own client for the database of this name."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.firestore import Client

    with mock.patch.dict(os.environ, {"FIRESTORE_EMULATOR_HOST": _address(url)}):
        return Client(project=_project(name), credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]


def _prepare(_url: str, _name: str) -> None:
    """Nothing to make; but whatever is sent from now on, by whatever suite, must have its index in production."""
    watch()


def _drop(url: str, name: str) -> None:
    documents = f"{url}/emulator/v1/projects/{_project(name)}/databases/(default)/documents"
    with urlopen(Request(documents, method="DELETE"), timeout=60):  # a loopback address
        pass


def _rows(url: str, name: str) -> Iterator[Row]:
    with_documents = client(url, name)
    try:
        for root in (ROOT, TENANTS):
            # Places are no documents themselves, only names that something is below.
            for place in with_documents.collection(root).list_documents():
                for collection in place.collections():
                    for each in collection.stream():
                        fields = each.to_dict()
                        # The columns as the row, and what else the document has beside them.
                        row = {**fields.pop("d", {}), **fields}
                        yield None if root == ROOT else place.id, each.reference.path, row
    finally:
        with_documents.close()


BACKENDS = (
    Backend(
        name="firestore",
        kind="firestore",
        server="firestore",
        settings=_settings,
        prepare=_prepare,
        drop=_drop,
        rows=_rows,
        keeps=False,
        slow=True,
    ),
)
