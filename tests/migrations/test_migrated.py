"""What an older agno wrote is migrated as agno itself migrates it, and read by both."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import Any

import pytest
from agno.db.migrations.manager import MigrationManager

from dbrouter import DbRouter
from dbrouter.backends.kernel.errors import OutdatedSchema
from tests.migrations.conftest import MakeOld, Migrate, configured, on
from tests.migrations.old import OLDER, RELEASES, SESSIONS, WITHOUT, Old, everything, read_by_agno


def read_by_us(old: Old, folder: Path) -> dict[str, Any]:
    """What a router answers about it."""
    db = DbRouter.from_yaml(configured(folder, old))
    try:
        return everything(db)
    finally:
        db.close()


EVERYWHERE = on("sqlite", "postgres", "mysql", "mongo")


def migrated_by_agno(old: Old) -> Old:
    """The same, once agno has migrated it."""
    db = old.agno()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asyncio.run(MigrationManager(db).up())
    db.close()
    return old


@EVERYWHERE
@pytest.mark.parametrize("release", RELEASES)
def test_everything_is_there_and_both_read_it_alike(
    old: MakeOld, release: str, tmp_path: Path, migrate: Migrate
) -> None:
    ours, theirs = old(release), migrated_by_agno(old(release))
    file = configured(tmp_path, ours)
    done = migrate(file, "--apply")
    assert done.exit_code == 0, done.output
    assert migrate(file, "--plan").exit_code == 0

    found = read_by_us(ours, tmp_path)
    written = SESSIONS.keys() - WITHOUT.get((release, ours.kind), set())
    assert {name: len(found[name]["runs"] or []) for name in written} == {name: SESSIONS[name] for name in written}
    if ours.kind == "mysql":
        # agno's class reads no session on MariaDB, whose JSON is text to it.
        assert found == read_by_us(theirs, tmp_path)
        return
    expected, by_both = read_by_agno(theirs), read_by_agno(ours)
    if ours.kind == "mongo":
        # agno's class reads these off its documents otherwise than off its rows.
        for each in ("memories", "metrics", "learnings"):
            assert len(expected.pop(each) or []) <= len(by_both.pop(each) or []), each
    assert by_both == expected
    for name, each in expected.items():
        assert found[name] == each or each is None, name


@EVERYWHERE
@pytest.mark.parametrize("release", OLDER)
def test_before_it_is_migrated_a_session_is_refused_rather_than_shown_without_its_runs(
    old: MakeOld, release: str, tmp_path: Path
) -> None:
    db = DbRouter.from_yaml(configured(tmp_path, old(release)))
    for _ in range(2):
        with pytest.raises(OutdatedSchema, match="dbrouter migrate --apply"):
            db.get_session("s3", session_type="agent")
    with pytest.raises(OutdatedSchema):
        db.get_runs(session_id="s3")
    db.close()


@EVERYWHERE
def test_a_run_that_was_deleted_since_does_not_come_back_with_the_next_migration(
    old: MakeOld, tmp_path: Path, migrate: Migrate
) -> None:
    file = configured(tmp_path, old("2.9.0"))
    assert migrate(file, "--apply").exit_code == 0
    db = DbRouter.from_yaml(file)
    db.delete_run("s3-1")
    assert migrate(file, "--apply").exit_code == 0
    assert [run.run_id for run in db.get_session("s3", session_type="agent").runs] == ["s3-0", "s3-2"]
    db.close()


@EVERYWHERE
def test_the_backup_of_the_runs_goes_only_when_it_is_asked_for(old: MakeOld, tmp_path: Path, migrate: Migrate) -> None:
    ours = old("2.9.0")
    file = configured(tmp_path, ours)
    early = migrate(file, "--drop-legacy-runs")
    assert early.exit_code == 1
    assert "not copied yet" in early.stderr

    assert migrate(file, "--apply").exit_code == 0
    expected = read_by_us(ours, tmp_path)
    assert "dropped" in migrate(file, "--drop-legacy-runs").stdout
    assert "no old runs" in migrate(file, "--drop-legacy-runs").stdout
    assert read_by_us(ours, tmp_path) == expected
    assert migrate(file, "--plan").exit_code == 0


@EVERYWHERE
def test_what_is_of_today_has_nothing_left_to_do(old: MakeOld, tmp_path: Path, migrate: Migrate) -> None:
    ours = old("3.0.0")
    file = configured(tmp_path, ours)
    plan = migrate(file, "--plan").stdout
    assert not any(word in plan for word in ("add column", "copy runs", "create table", "owner")), plan
