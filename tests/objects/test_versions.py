"""A local folder without locks: a kill between any two steps, writers that stood still, readers beside writers."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Corrupt, Unavailable
from dbrouter.backends.kernel.ops import ABSENT
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects import versions
from dbrouter.backends.objects.bucket import Changed, Found
from dbrouter.backends.objects.folder import Folder
from tests.objects.conftest import age
from tests.waiting import PATIENCE

NAME = "tables/t/r/name"
LONG_AGO = 7200


class Killed(BaseException):
    """The process ends here."""


def body(stamp: int, fill: str = "") -> bytes:
    return b'{"stamp":"%016d"}\n' % stamp + fill.encode()


def tag(stamp: int) -> str:
    return f"{stamp:016d}"


def get(folder: Path, name: str = NAME) -> Found | None:
    return finish(Folder(folder, durable=False).get(name))


def held(folder: Path) -> bytes | None:
    found = get(folder)
    return None if found is None else found.body


def put(folder: Path, content: bytes, expect: Any) -> str:
    return finish(Folder(folder, durable=False).put(NAME, content, expect))


def remove(folder: Path, expect: str) -> None:
    finish(Folder(folder, durable=False).remove(NAME, expect))


def tidy(folder: Path) -> None:
    """Remove what is left by writers, all of whom were killed long ago."""
    age(folder, LONG_AGO)
    finish(Folder(folder, durable=False).tidy("tables", datetime.now(UTC)))


def kept(folder: Path) -> list[str]:
    """What is in the folder of versions."""
    return sorted(each.name for each in (folder / NAME).parent.joinpath(versions.FOLDER).glob("*"))


class Steps:
    """Counts what is asked of the system, and ends the process before the one of this number: nothing happens then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, end: int | None = None) -> None:
        self.count = 0
        self._end = end
        for owner, name in (
            (os, "open"),
            (os, "fdopen"),
            (Path, "mkdir"),
            (Path, "rename"),
            (Path, "unlink"),
            (Path, "rmdir"),
        ):
            monkeypatch.setattr(owner, name, self._counted(getattr(owner, name)))
        monkeypatch.setattr("shutil.rmtree", self._counted(lambda *_args, **_options: None))

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            if self._end is not None and self.count >= self._end:
                raise Killed
            self.count += 1
            return call(*args, **options)

        return counted


CHANGES: dict[str, tuple[bytes | None, Callable[[Path], object], bytes | None]] = {
    "create": (None, lambda folder: put(folder, body(2), ABSENT), body(2)),
    "replace": (body(1), lambda folder: put(folder, body(2), tag(1)), body(2)),
    "remove": (body(1), lambda folder: remove(folder, tag(1)), None),
}


def laid(folder: Path, before: bytes | None) -> None:
    if before is not None:
        put(folder, before, ABSENT)


@pytest.mark.parametrize("what", CHANGES)
def test_a_kill_before_any_step_leaves_the_old_or_the_new_and_nothing_in_the_way(tmp_path: Path, what: str) -> None:
    before, change, after = CHANGES[what]
    with pytest.MonkeyPatch.context() as patched:
        laid(tmp_path / "whole", before)
        steps = Steps(patched)
        change(tmp_path / "whole")
    assert steps.count > 1
    seen: list[bytes | None] = []
    for step in range(steps.count):
        folder = tmp_path / str(step)
        laid(folder, before)
        with pytest.MonkeyPatch.context() as patched:
            Steps(patched, end=step)
            with pytest.raises(Killed):
                change(folder)
        left = held(folder)
        assert left in (before, after)
        seen.append(left)
        # Others go on from there, before it is tidied and after.
        put(folder, body(7), ABSENT if left is None else versions.stamp(versions.current(folder / NAME) or ""))
        assert held(folder) == body(7)
        tidy(folder)
        assert held(folder) == body(7)
        assert kept(folder) == [versions.current(folder / NAME)]
        remove(folder, tag(7))
        assert (held(folder), kept(folder)) == (None, [])
    # One step decides, and there is no way back from it.
    assert before in seen
    assert seen == sorted(seen, key=lambda each: each == after)


def test_only_one_writer_replaces_a_version(tmp_path: Path) -> None:
    put(tmp_path, body(1), ABSENT)
    with pytest.raises(Changed):
        put(tmp_path, body(2), ABSENT)
    put(tmp_path, body(3), tag(1))
    for late in (lambda: put(tmp_path, body(4), tag(1)), lambda: remove(tmp_path, tag(1))):
        with pytest.raises(Changed):
            late()
    assert held(tmp_path) == body(3)
    assert kept(tmp_path) == [versions.current(tmp_path / NAME)]


def standing_still(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None], *, unfinished: bool = False) -> None:
    """Have this happen once, before a writer names what it has written; unfinished: before that is all there."""
    rename = Path.rename

    def late(path: Path, target: Path) -> Path:
        if path.name.endswith("=") is unfinished:
            monkeypatch.undo()
            meanwhile()
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)


def test_a_writer_that_stood_still_replaces_what_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, body(1), ABSENT)
    standing_still(monkeypatch, lambda: tidy(tmp_path))
    put(tmp_path, body(2), tag(1))
    assert held(tmp_path) == body(2)


def test_a_writer_that_stood_still_is_told_that_another_came_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, body(1), ABSENT)

    def meanwhile() -> None:
        put(tmp_path, body(2), tag(1))
        # What was put back is the same content, and another version: the writer has read the one before.
        put(tmp_path, body(1), tag(2))
        tidy(tmp_path)

    standing_still(monkeypatch, meanwhile)
    with pytest.raises(Changed):
        put(tmp_path, body(3), tag(1))
    assert held(tmp_path) == body(1)


def test_a_writer_whose_work_was_tidied_away_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for unfinished in (False, True):
        standing_still(monkeypatch, lambda: tidy(tmp_path), unfinished=unfinished)
        with pytest.raises(Unavailable, match="stood still"):
            put(tmp_path, body(1), ABSENT)
        assert held(tmp_path) is None
    put(tmp_path, body(2), ABSENT)
    standing_still(monkeypatch, lambda: tidy(tmp_path), unfinished=True)
    with pytest.raises(Unavailable, match="stood still"):
        put(tmp_path, body(3), tag(2))
    assert held(tmp_path) == body(2)
    assert kept(tmp_path) == [versions.current(tmp_path / NAME)]


def test_a_name_that_is_renamed_and_told_as_missing_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, body(1), ABSENT)
    rename = Path.rename

    def twice(path: Path, target: Path) -> Path:
        rename(path, target)
        return rename(path, target) if path.name.startswith("=") else target

    monkeypatch.setattr(Path, "rename", twice)
    put(tmp_path, body(2), tag(1))
    monkeypatch.undo()
    assert held(tmp_path) == body(2)


def test_a_disk_that_is_full_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, body(1), ABSENT)
    there = kept(tmp_path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    durable = Folder(tmp_path, durable=True)
    for name, expect in ((NAME, tag(1)), ("tables/t/r/another", ABSENT)):
        with pytest.raises(Unavailable, match="No space left"):
            finish(durable.put(name, body(2), expect))
    monkeypatch.undo()
    assert held(tmp_path) == body(1)
    assert get(tmp_path, "tables/t/r/another") is None
    assert kept(tmp_path) == there


def test_what_is_not_ours_in_an_objects_directory_is_told(tmp_path: Path) -> None:
    put(tmp_path, body(1), ABSENT)
    (tmp_path / NAME / ".thumbnails").touch()
    assert held(tmp_path) == body(1)
    (tmp_path / NAME / "=copy").touch()
    with pytest.raises(Corrupt, match="remove what is not dbrouter's"):
        get(tmp_path)


def test_content_that_was_lost_is_no_missing_object(tmp_path: Path) -> None:
    put(tmp_path, body(1), ABSENT)
    (lost,) = kept(tmp_path)
    (tmp_path / NAME).parent.joinpath(versions.FOLDER, lost).unlink()
    with pytest.raises(Corrupt, match="is missing"):
        get(tmp_path)
    with pytest.raises(Corrupt, match="is missing"):
        finish(Folder(tmp_path, durable=False).list("tables/t/r", begin="", after="", limit=None))


def test_content_that_a_power_cut_has_emptied_is_told_and_hinders_no_tidying(tmp_path: Path) -> None:
    put(tmp_path, body(1), ABSENT)
    (emptied,) = kept(tmp_path)
    os.truncate((tmp_path / NAME).parent / versions.FOLDER / emptied, 0)
    tidy(tmp_path)
    assert kept(tmp_path) == [emptied]
    with pytest.raises(Corrupt, match="cut short"):
        get(tmp_path)


CONTEXT = multiprocessing.get_context("fork") if hasattr(os, "fork") else None


def _count(folder: Path, over: Event) -> None:
    """Count in the object, and now and then remove it and make it again, which goes on from where it was."""
    while not over.is_set():
        found = get(folder)
        try:
            if found is None:
                put(folder, body(1, "x" * 9000), ABSENT)
            elif int(found.tag) % 50 == 49:
                remove(folder, found.tag)
            else:
                put(folder, body(int(found.tag) + 1, "x" * 9000), found.tag)
        except Changed:
            continue


@pytest.mark.skipif(CONTEXT is None, reason="there is no fork here")
def test_readers_beside_writers_meet_whole_versions_and_listings_meet_them_too(tmp_path: Path) -> None:
    assert CONTEXT is not None
    # Never removed, and replaced all the time: a reader that finds none was told something false.
    steady = "tables/t/r/steady"
    finish(Folder(tmp_path, durable=False).put(steady, body(0), ABSENT))
    over = CONTEXT.Event()
    writers = [CONTEXT.Process(target=_count, args=(tmp_path, over)) for _ in range(2)]
    replacer = CONTEXT.Process(target=_replace_for_ever, args=(tmp_path, steady, over))
    for each in (*writers, replacer):
        each.start()
    bucket = Folder(tmp_path, durable=False)
    last = 0
    begun = time.monotonic()
    try:
        # On a busy machine the writers may begin late.
        while (lasted := time.monotonic() - begun) < 2 or (last == 0 and lasted < PATIENCE):
            found = get(tmp_path, steady)
            assert found is not None
            assert int(found.tag) >= last
            last = int(found.tag)
            assert "steady" in [each.name for each in finish(bucket.list("tables/t/r", begin="", after="", limit=None))]
            moving = get(tmp_path)
            assert moving is None or len(moving.body) == len(body(1)) + 9000
    finally:
        over.set()
    for each in (*writers, replacer):
        each.join(30)
    assert [each.exitcode for each in (*writers, replacer)] == [0, 0, 0]
    assert last > 0
    there = sum(get(tmp_path, name) is not None for name in (NAME, steady))
    assert len(kept(tmp_path)) == there


def _replace_for_ever(folder: Path, name: str, over: Event) -> None:
    bucket = Folder(folder, durable=False)
    number = 0
    while not over.is_set():
        finish(bucket.put(name, body(number + 1), tag(number)))
        number += 1
