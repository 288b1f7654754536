"""A migration that ends in the middle, or is begun twice, leaves nothing half done and loses nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from dbrouter import DbRouter
from dbrouter.backends.kernel.migrating import Work
from dbrouter.backends.kernel.running import finish
from dbrouter.config import load
from dbrouter.router.migrations.migrating import planned, taken
from dbrouter.router.migrations.places import Place
from dbrouter.router.opening import open_store
from tests.migrations.conftest import MakeOld, Migrate, configured, on
from tests.migrations.old import Old, everything
from tests.waiting import PATIENCE

DIES = """
import os, signal, sys
from pathlib import Path
from dbrouter.backends.kernel.migrating import Work
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.sql.migrating import moving
from dbrouter.config import load
from dbrouter.router.migrations.migrating import planned, taken
from dbrouter.router.migrations.places import Place
from dbrouter.router.opening import open_store

moving.SESSIONS_AT_ONCE = 2
place = Place(database="one", store=open_store("one", load(Path(sys.argv[1])).databases["one"], blocking=True))
for step in finish(planned(place)):
    finish(taken(place, step, lambda rows: os.kill(os.getpid(), signal.SIGKILL) if rows else None))
"""
"""Migrates the first database of a file, and is killed when it has copied the runs of two sessions."""


def place_of(file: Path) -> Place:
    return Place(database="one", store=open_store("one", load(file).databases["one"], blocking=True))


def read(file: Path) -> dict[str, Any]:
    db = DbRouter.from_yaml(file)
    try:
        return everything(db)
    finally:
        db.close()


def whole(old: Old, folder: Path, migrate: Migrate) -> dict[str, Any]:
    """What is read from a database that was migrated at one go."""
    file = configured(folder, old)
    assert migrate(file, "--apply").exit_code == 0
    return read(file)


@on("sqlite")
def test_a_process_that_is_killed_while_it_copies_runs_is_followed_by_one_that_copies_the_rest(
    old: MakeOld, tmp_path: Path, migrate: Migrate
) -> None:
    expected = whole(old("2.9.0"), tmp_path, migrate)
    file = configured(tmp_path, old("2.9.0"))
    died = subprocess.run([sys.executable, "-c", DIES, str(file)], check=False, capture_output=True, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr

    plan = migrate(file, "--plan")
    assert "copy runs out of the sessions" in plan.stdout
    assert "create table" not in plan.stdout
    assert migrate(file, "--apply").exit_code == 0
    assert read(file) == expected


@on("sqlite")
@pytest.mark.parametrize("part", [1, 4, 5])
def test_after_any_step_the_rest_can_be_taken_by_another(
    old: MakeOld, tmp_path: Path, migrate: Migrate, part: int
) -> None:
    expected = whole(old("2.5.0"), tmp_path, migrate)
    file = configured(tmp_path, old("2.5.0"))
    place = place_of(file)
    steps = finish(planned(place))
    for step in steps[: len(steps) * part // 6]:
        finish(taken(place, step, lambda _: None))
    finish(place.store.close())

    assert migrate(file, "--apply").exit_code == 0
    assert migrate(file, "--plan").exit_code == 0
    assert read(file) == expected


@on("sqlite", "postgres", "mysql")
def test_every_step_can_be_taken_twice(old: MakeOld, tmp_path: Path) -> None:
    place = place_of(configured(tmp_path, old("2.5.0")))
    steps = finish(planned(place))
    assert {step.work for step in steps} >= {Work.COLUMN, Work.OWNERS, Work.INDEX, Work.RUNS, Work.STAMP}
    for step in steps:
        finish(taken(place, step, lambda _: None))
        finish(taken(place, step, lambda _: None))
    assert finish(planned(place)) == ()
    finish(place.store.close())


@on("sqlite", "postgres")
def test_four_that_migrate_at_once_do_it_once(old: MakeOld, tmp_path: Path, migrate: Migrate) -> None:
    expected = whole(old("2.9.0"), tmp_path, migrate)
    file = configured(tmp_path, old("2.9.0"))
    failures: list[Exception] = []
    together = threading.Barrier(4)

    def go() -> None:
        place = place_of(file)
        try:
            steps = finish(planned(place))
            together.wait(PATIENCE)
            for step in steps:
                finish(taken(place, step, lambda _: None))
        except Exception as failure:  # noqa: BLE001  # told below, where the test can fail
            failures.append(failure)
        finally:
            finish(place.store.close())

    threads = [threading.Thread(target=go) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert failures == []
    assert migrate(file, "--plan").exit_code == 0
    found = read(file)
    # agno's own code moves learnings, and folds one that two have moved into itself.
    assert len(found.pop("learnings") or []) == len(expected.pop("learnings") or [])
    assert found == expected
