"""Stores over objects for these tests, and what is in their buckets."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends.kernel.emulation import Emulated
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects.folder import Folder
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from tests.backends.backend import Backend
from tests.backends.known import named
from tests.backends.places import Place


class Watched(Folder):
    """A folder that counts its requests and, while told to, removes on no condition, as a cloud's bucket.

    before: called with the name of each request and the object's; what it raises is the request's answer.
    after: the same, when the request was carried out.
    """

    def __init__(self, folder: Path, *, like_a_cloud: bool = False) -> None:
        super().__init__(folder, durable=False)
        self.removes = not like_a_cloud
        self.requests: Counter[str] = Counter()
        self.before: Callable[[str, str], None] = lambda _request, _name: None
        self.after: Callable[[str, str], None] = lambda _request, _name: None

    async def get(self, name: str) -> Any:
        self._ask("get", name)
        found = await super().get(name)
        self.after("get", name)
        return found

    async def put(self, name: str, body: bytes, expect: Any) -> str:
        self._ask("put", name)
        tag = await super().put(name, body, expect)
        self.after("put", name)
        return tag

    async def remove(self, name: str, expect: str) -> None:
        assert self.removes
        self._ask("remove", name)
        await super().remove(name, expect)
        self.after("remove", name)

    async def discard(self, names: Any) -> None:
        self._ask("discard", names[0])
        await super().discard(names)
        self.after("discard", names[0])

    async def list(self, folder: str, *, begin: str, after: str, limit: int | None) -> Any:
        found = await super().list(folder, begin=begin, after=after, limit=limit)
        self.requests["list"] += max(1, -(-len(found) // 1000))
        return found

    def _ask(self, request: str, name: str) -> None:
        self.requests[request] += 1
        self.before(request, name)


def objects(folder: Path, below: str = "tables") -> dict[str, bytes]:
    """All that is stored below a part of the folder, by name; an entry is empty."""
    bucket = Folder(folder, durable=False)
    found: dict[str, bytes] = {}
    for each in finish(bucket.list(below, begin="", after="", limit=None)):
        held = finish(bucket.get(f"{below}/{each.name}")) if each.size else None
        found[each.name] = b"" if held is None else held.body
    return found


def put_over(folder: Path, name: str, body: bytes) -> None:
    """Put this in the place of an object, whatever it is."""
    bucket = Folder(folder, durable=False)
    there = finish(bucket.get(name))
    assert there is not None
    finish(bucket.put(name, body, there.tag))


def age(folder: Path, seconds: float = 7200) -> None:
    """Make everything in the folder older."""
    moment = time.time() - seconds
    for each in folder.rglob("*"):
        os.utime(each, (moment, moment))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rows"


@pytest.fixture(params=[False, True], ids=["folder", "like a cloud"])
def bucket(request: pytest.FixtureRequest, folder: Path) -> Watched:
    return Watched(folder, like_a_cloud=request.param)


@pytest.fixture
def driver(bucket: Watched, folder: Path) -> ObjectsStore:
    """The driver itself, without the kernel's emulation."""
    return ObjectsStore(ObjectsSettings(path=folder, deadline=5), bucket=bucket)


@pytest.fixture
def store(driver: ObjectsStore) -> Emulated:
    return Emulated(driver)


@pytest.fixture(
    params=[pytest.param(each, marks=pytest.mark.backend(each, mode="special")) for each in ("s3", "gcs", "azure")],
)
def cloud(request: pytest.FixtureRequest, fresh_place: Callable[[Backend], Place]) -> Place:
    """A bucket of its own."""
    return fresh_place(named(request.param))
