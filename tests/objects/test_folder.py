"""A local folder and what happens to folders: a disk that is not mounted, a file manager's files, names too long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbrouter import DbRouter
from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.filters import EVERYTHING, Field, eq
from dbrouter.backends.kernel.ops import ABSENT, Commit, Get, Order, Put, Remove, Scan, Walk
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects import versions
from dbrouter.backends.objects.folder import Folder
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from dbrouter.router.agno_types import AgentSession
from dbrouter.testing.conformance.records import session
from tests.objects.conftest import age
from tests.outage.asking import ask_all

RECORDS = "tables/agno_sessions/r"


def opened(folder: Path) -> ObjectsStore:
    return ObjectsStore(ObjectsSettings(path=folder, durable=False))


def put(store: ObjectsStore, key: str, user: str = "ann") -> object:
    record = session(key, user_id=user)
    return finish(store.execute(Commit(writes=(Put(table="sessions", record=record, expect=ABSENT),))))


def remove(store: ObjectsStore, key: str) -> object:
    return finish(store.execute(Commit(writes=(Remove(table="sessions", key=(key,)),))))


def read(store: ObjectsStore) -> list[str]:
    return [each["session_id"] for each in finish(store.execute(Scan(table="sessions"))).records]


def get(store: ObjectsStore, key: str) -> object:
    return finish(store.execute(Get(table="sessions", key=(key,))))


ASKED: dict[str, Callable[[ObjectsStore], object]] = {
    "get": lambda store: get(store, "s"),
    "get what was never there": lambda store: get(store, "other"),
    "scan": read,
    "by a value": lambda store: finish(store.execute(Scan(table="sessions", where=eq("user_id", "ann")))),
    "walk": lambda store: finish(
        store.execute(Walk(table="sessions", where=EVERYTHING, order=Order(Field("created_at")), limit=2, total=True))
    ),
    "tables": lambda store: finish(store.existing_tables()),
    "create tables": lambda store: finish(store.create_tables(("sessions",))),
    "ping": lambda store: finish(store.ping()),
    "put": lambda store: put(store, "s"),
    "remove": lambda store: remove(store, "s"),
}


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("is_mounted_on", [False, True], ids=["moved away", "not mounted"])
def test_a_folder_that_is_gone_is_no_empty_one(folder: Path, what: str, *, is_mounted_on: bool) -> None:
    store = opened(folder)
    assert (read(store), finish(store.existing_tables())) == ([], frozenset())
    put(store, "s")
    folder.rename(away := folder.with_name("away"))
    if is_mounted_on:
        folder.mkdir()
    with pytest.raises(Unavailable, match="was there and is gone"):
        ASKED[what](store)
    # Nothing is written where the folder will be again.
    assert folder.exists() is is_mounted_on
    if is_mounted_on:
        folder.rmdir()
    away.rename(folder)
    assert read(store) == ["s"]


def test_a_folder_that_goes_while_it_is_listed_is_no_short_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("s1", "s2", "s3"):
        put(opened(folder), key)
    bucket = Folder(folder, durable=False)
    finish(bucket.folders("tables"))
    is_object = versions.is_object

    def move_away(directory: Path) -> bool:
        if directory.name == "ts2!":
            folder.rename(folder.with_name("away"))
        return is_object(directory)

    monkeypatch.setattr(versions, "is_object", move_away)
    with pytest.raises(Unavailable, match="was there and is gone"):
        finish(bucket.list(RECORDS, begin="", after="", limit=None))


@pytest.mark.parametrize("instead", ["nothing", "an empty folder", "a file"])
def test_no_method_answers_while_the_folder_is_gone(folder: Path, instead: str) -> None:
    db = DbRouter(ObjectsStore(ObjectsSettings(path=folder, durable=False, deadline=2)))
    db.upsert_session(AgentSession(session_id="s1", agent_id="a", created_at=1))
    folder.rename(folder.with_name("away"))
    if instead == "an empty folder":
        folder.mkdir()
    elif instead == "a file":
        folder.touch()
    outcomes = ask_all(db, blocking=True)
    assert {name: each for name, each in outcomes.items() if not isinstance(each.error, Unavailable)} == {}
    db.close()


def test_who_starts_without_the_folder_makes_it(folder: Path) -> None:
    put(opened(folder), "s")
    folder.rename(folder.with_name("away"))
    store = opened(folder)
    put(store, "t")
    assert read(store) == ["t"]


def test_files_of_file_managers_are_passed_over(folder: Path) -> None:
    store = opened(folder)
    for key in ("s1", "s2"):
        put(store, key)
    for each in (folder, *folder.rglob("*")):
        if each.is_dir():
            (each / ".DS_Store").write_bytes(b"\x00\xff")
    age(folder)
    assert read(store) == ["s1", "s2"]
    walk = Walk(table="sessions", where=EVERYTHING, order=Order(Field("created_at")), limit=9, total=True)
    assert finish(store.execute(walk)).total == 2
    finish(store.compact())
    remove(store, "s1")
    assert (read(store), get(store, "s2") is None) == (["s2"], False)


def test_what_lies_elsewhere_in_the_folder_is_not_tidied(folder: Path) -> None:
    store = opened(folder)
    put(store, "s")
    theirs = folder / "theirs" / versions.FOLDER
    theirs.mkdir(parents=True)
    (theirs / "file").touch()
    killed = folder / RECORDS / versions.FOLDER / "killed="
    killed.touch()
    age(folder)
    finish(store.compact())
    assert (killed.exists(), (theirs / "file").exists()) == (False, True)


def test_a_folder_of_a_namespace_is_tidied_by_itself(folder: Path) -> None:
    left: list[Path] = []
    for name in ("one", "two"):
        put(opened(folder).in_namespace(name), "s")  # type: ignore[arg-type]  # it answers one of its own kind
        left.append(folder / f"namespaces/{name}/agno_sessions/r" / versions.FOLDER / "killed=")
        left[-1].touch()
    age(folder)
    finish(Folder(folder, durable=False).tidy("namespaces/one", datetime.now(UTC)))
    assert [each.exists() for each in left] == [False, True]


def test_a_name_that_the_system_refuses_is_told_as_an_outage(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="too long"):
        finish(opened(tmp_path / ("x" * 300)).ping())
