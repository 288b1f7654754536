"""agno's class names and arguments for places of objects."""

from __future__ import annotations

import asyncio
import inspect
import threading
from pathlib import Path
from typing import Any

import agno.db.gcs_json
import agno.db.json
import pytest
from agno.session import AgentSession

from dbrouter.backends import (
    AsyncAzureJsonDb,
    AsyncGCSJsonDb,
    AsyncJsonDb,
    AsyncS3JsonDb,
    AzureJsonDb,
    GCSJsonDb,
    GcsJsonDb,
    JsonDb,
    S3JsonDb,
)
from dbrouter.backends.kernel.ops import Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from dbrouter.router.standalone.tables import TableNames
from tests.backends.places import Place


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (JsonDb, agno.db.json.JsonDb),
        (AsyncJsonDb, agno.db.json.JsonDb),
        (GCSJsonDb, agno.db.gcs_json.GcsJsonDb),
        (AsyncGCSJsonDb, agno.db.gcs_json.GcsJsonDb),
    ],
)
def test_every_argument_of_agnos_class_is_taken(ours: Any, theirs: Any) -> None:
    wanted = set(inspect.signature(theirs.__init__).parameters)
    taken = set(inspect.signature(ours.__init__).parameters) - {"tables"} | TableNames.__optional_keys__
    assert wanted <= taken


@pytest.mark.parametrize("path", [None, "talks"])
def test_a_folder_has_agnos_id_and_keeps_what_is_given(
    path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine, agnos = JsonDb(path), agno.db.json.JsonDb(path)
    assert (mine.id, mine.db_path) == (agnos.id, agnos.db_path)
    mine.upsert_session(AgentSession(session_id="s1", agent_id="a", created_at=1))
    mine.close()
    again = JsonDb.from_dict(mine.to_dict())
    assert again.id == mine.id
    assert again.get_session("s1").agent_id == "a"
    again.close()


async def _kept(db: Any) -> str:
    await db.upsert_session(AgentSession(session_id="s1", agent_id="a", created_at=1))
    found = await db.get_session("s1")
    await db.close()
    return str(found.agent_id)


def test_buckets_keep_what_is_given(cloud: Place) -> None:
    given = cloud.settings()
    bucket = given["url"].split("/")[2]
    keys = {"access_key_id": "test", "secret_access_key": "test", "region": "us-east-1"}
    if cloud.backend.name == "s3":
        db: Any = S3JsonDb(bucket, endpoint_url=cloud.url, **keys)
        awaited: Any = AsyncS3JsonDb(bucket, endpoint_url=cloud.url, **keys)
    elif cloud.backend.name == "azure":
        account = {"account": given["account"], "account_key": given["account_key"]}
        db = AzureJsonDb(bucket, endpoint_url=cloud.url, **account)
        awaited = AsyncAzureJsonDb(bucket, endpoint_url=cloud.url, **account)
    else:
        db = GCSJsonDb(bucket, endpoint_url=cloud.url, anonymous=True)
        awaited = AsyncGCSJsonDb(bucket, endpoint_url=cloud.url, anonymous=True)
    assert asyncio.run(_kept(awaited)) == "a"
    assert db.id == awaited.id
    assert db.get_session("s1").agent_id == "a"
    for each in (db, awaited):
        described = each.to_dict()
        assert not {"secret_access_key", "account_key"} & set(described)
        assert type(each).from_dict(described).to_dict() == described
    db.close()


def test_agnos_spelling_is_ours_too() -> None:
    assert GcsJsonDb is GCSJsonDb


def test_tenants_share_the_threads_of_their_database(folder: Path) -> None:
    store = ObjectsStore(ObjectsSettings(path=folder))
    before = threading.active_count()
    for number in range(100):
        inside = store.in_namespace(f"tenant_{number}")
        assert finish(inside.execute(Scan(table="sessions"))).records == []
        assert inside.runtime is store.runtime
    assert threading.active_count() - before <= 32
    finish(store.close())
