"""Credentials that are not there, or are none, are an error like any other of a database that cannot be reached."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dbrouter.backends.firestore.settings import FirestoreSettings
from dbrouter.backends.firestore.store import AsyncFirestoreStore, FirestoreStore
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.running import finish
from dbrouter.cli.app import app

# Google's client deprecates loading a key whose kind is not known beforehand.
pytestmark = pytest.mark.filterwarnings("ignore:The load_credentials_from:DeprecationWarning")

SECRET = "hush-hush"
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({}, "application default credentials"),
    "no such file": ({"credentials_file": "/nowhere/key.json"}, "check credentials_file"),
    "a file of something else": ({"credentials_file": "FILE"}, "check credentials_file"),
    "half a key": ({"credentials": json.dumps({"type": "service_account", "private_key": SECRET})}, "whole JSON"),
    "of no kind": ({"credentials": json.dumps({"type": SECRET})}, "whole JSON"),
}


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A host on which nobody is logged in."""
    for each in ("GOOGLE_APPLICATION_CREDENTIALS", "FIRESTORE_EMULATOR_HOST"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "nobody"))
    (tmp_path / "key.json").write_text(json.dumps({"type": "of no kind", "private_key": SECRET}))


def settings(given: dict[str, Any], folder: Path) -> FirestoreSettings:
    said = {name: str(folder / "key.json") if value == "FILE" else value for name, value in given.items()}
    return FirestoreSettings.model_validate({"project": "p", "deadline": 5, **said})


@pytest.mark.parametrize(("given", "advice"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_database_is_unavailable_and_what_to_do_is_said(
    given: dict[str, Any], advice: str, tmp_path: Path, *, asynchronous: bool
) -> None:
    run = asyncio.run if asynchronous else finish
    store = AsyncFirestoreStore if asynchronous else FirestoreStore
    with pytest.raises(Unavailable, match=advice) as refused:
        run(store.from_settings(settings(given, tmp_path)).ping())
    assert "projects/p/" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_check_tells_it_of_that_database_and_asks_the_others(tmp_path: Path) -> None:
    file = tmp_path / "dbrouter.yaml"
    databases = {"cloud": {"kind": "firestore", "project": "p", "deadline": 5}, "local": {"kind": "memory"}}
    file.write_text(json.dumps({"id": "x", "databases": databases, "agentos": {"db": "local"}}))
    result = CliRunner().invoke(app, ["check", str(file)])
    assert isinstance(result.exception, SystemExit), result.exception
    assert "application default credentials" in " ".join((result.stdout + result.stderr).split())
    assert "local" in result.stdout
