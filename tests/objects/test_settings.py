"""What a bucket or folder is configured with: addresses, credentials that stay unseen, refusals that say what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from dbrouter.config import load_mapping


@pytest.mark.parametrize(
    ("given", "place", "bucket", "prefix"),
    [
        ({"url": "s3://logs"}, "s3", "logs", ""),
        ({"url": "s3://logs/"}, "s3", "logs", ""),
        ({"url": "gs://logs/a/b/"}, "gs", "logs", "a/b"),
        ({"url": "az://logs/a", "account": "x"}, "az", "logs", "a"),
    ],
)
def test_an_address_names_a_place_a_bucket_and_a_prefix(
    given: dict[str, Any], place: str, bucket: str, prefix: str
) -> None:
    settings = ObjectsSettings.model_validate(given)
    assert (settings.place, settings.bucket, settings.prefix) == (place, bucket, prefix)


def test_a_folder_is_named_by_a_path_or_a_url(tmp_path: Path) -> None:
    for settings in (ObjectsSettings(path=tmp_path), ObjectsSettings(url=f"file://{tmp_path}")):
        assert (settings.place, settings.folder) == ("file", tmp_path)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "url is missing"),
        ({"url": "s3://logs", "path": "x"}, "both given"),
        ({"url": "ftp://logs"}, "not an address of objects"),
        ({"url": "s3://key:hush@logs"}, "names no bucket"),
        ({"url": "s3://"}, "names no bucket"),
        ({"url": "s3://logs/a b"}, "not every place takes"),
        ({"url": "s3://logs/../b"}, "not every place takes"),
        ({"url": f"s3://logs/{'a' * 201}"}, "too long"),
        ({"url": "file://folder"}, "names no folder"),
        ({"url": "gs://logs", "region": "eu"}, "region means nothing for gs"),
        ({"url": "s3://logs", "durable": False}, "durable means nothing for s3"),
        ({"url": "s3://logs", "access_key_id": "x"}, "go together"),
        ({"url": "s3://logs", "endpoint": "localhost:9000"}, "not a server's address"),
        ({"url": "s3://logs", "endpoint": "http://key:hush@localhost"}, "not a server's address"),
        ({"url": "gs://logs", "service_account_file": "a", "service_account_json": "{}"}, "both given"),
    ],
)
def test_what_makes_no_sense_is_refused_without_showing_it(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as raised:
        ObjectsSettings.model_validate(given)
    assert "hush" not in str(raised.value)


def test_credentials_are_never_shown() -> None:
    secrets = {"secret_access_key": "hush-1", "session_token": "hush-2", "access_key_id": "key"}
    settings = ObjectsSettings.model_validate({"url": "s3://logs", **secrets})
    for text in (repr(settings), str(settings), str(settings.shown()), settings.model_dump_json(), settings.where):
        assert "hush" not in text
    assert settings.shown()["secret_access_key"] == "***"


def test_a_file_names_a_database_of_objects(tmp_path: Path) -> None:
    settings = load_mapping({"databases": {"x": {"kind": "objects", "path": str(tmp_path)}}, "agentos": {"db": "x"}})
    assert settings.databases["x"].kind == "objects"


def test_nothing_is_touched_before_the_first_call(tmp_path: Path) -> None:
    store = ObjectsStore(ObjectsSettings(path=tmp_path / "rows"))
    finish(store.ping())
    assert finish(store.existing_tables()) == frozenset()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unavailable, match="not a folder") as raised:
        finish(ObjectsStore(ObjectsSettings(path=tmp_path / "file" / "rows")).ping())
    assert "\n" not in str(raised.value)
    if os.geteuid() == 0:
        return  # root may write everywhere
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(Unavailable, match="cannot be written to"):
        finish(ObjectsStore(ObjectsSettings(path=closed / "rows")).ping())
