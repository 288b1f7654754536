"""`dbrouter migrate` as its user sees it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dbrouter.backends.kernel.isolation import namespace_of
from tests.migrations.conftest import MakeOld, Migrate, configured, on
from tests.migrations.old import load_sqlite

pytestmark = on("sqlite")


def test_a_plan_names_every_step_and_takes_none(old: MakeOld, tmp_path: Path, migrate: Migrate) -> None:
    file = configured(tmp_path, old("2.9.0"), old("3.0.0"))
    for _ in range(2):
        plan = migrate(file, "--plan")
        assert plan.exit_code == 3
        lines = plan.stdout.splitlines()
        assert "  agno_metrics: add column user_id" in lines
        assert "  agno_sessions: copy runs out of the sessions (6 rows)" in lines
        assert "`dbrouter migrate --apply` takes them. Back the databases up before." in lines


def test_a_plan_in_json_is_of_databases_and_their_steps(old: MakeOld, tmp_path: Path, migrate: Migrate) -> None:
    file = configured(tmp_path, old("2.9.0"))
    (told,) = json.loads(migrate(file, "--plan", "--json").stdout)
    assert (told["database"], told["tenant"], told["note"]) == ("one", None, None)
    assert {"table": "agno_runs", "work": "create table", "name": "", "rows": 0} in told["steps"]


def test_one_database_can_be_migrated_alone(old: MakeOld, tmp_path: Path, migrate: Migrate) -> None:
    file = configured(tmp_path, old("2.9.0"), old("2.5.0"))
    done = migrate(file, "--apply", "--database", "two")
    assert done.exit_code == 0
    assert done.stdout.startswith("two: ")
    assert migrate(file, "--plan", "--database", "two").exit_code == 0
    assert migrate(file, "--plan").exit_code == 3


def test_what_is_not_agnos_layout_needs_nothing_and_says_so(old: MakeOld, tmp_path: Path, migrate: Migrate) -> None:
    here = old("3.0.0")
    memory = type(here)(release="", kind="", entry={"kind": "memory"}, agno=here.agno, drop=here.drop)
    plan = migrate(configured(tmp_path, memory), "--plan")
    assert plan.exit_code == 0
    assert plan.stdout == "one: a layout of dbrouter's own, which needs no migration\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say one of --plan, --apply"),
        (("--plan", "--apply"), "say one of --plan, --apply"),
        (("--plan", "--database", "three"), "there is no database 'three'; there are one"),
        (("--plan", "--tenant", "acme"), "this file has no tenants"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(
    old: MakeOld, tmp_path: Path, migrate: Migrate, words: tuple[str, ...], said: str
) -> None:
    ran = migrate(configured(tmp_path, old("3.0.0")), *words)
    assert ran.exit_code in {1, 2}
    assert said in " ".join(ran.stderr.split())


def test_what_cannot_be_reached_is_told_and_the_others_are_migrated(
    old: MakeOld, tmp_path: Path, migrate: Migrate
) -> None:
    here = old("2.9.0")
    away = {"kind": "postgres", "url": "postgresql://nobody@127.0.0.1:1/nothing", "connect_timeout": 1}
    gone = type(here)(release="", kind="", entry=away, agno=here.agno, drop=here.drop)
    ran = migrate(configured(tmp_path, here, gone), "--apply")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("databases.two: ")
    assert ran.stdout.startswith("one: ")


def test_a_tenants_own_place_is_migrated_with_the_rest_or_alone(old: MakeOld, tmp_path: Path, migrate: Migrate) -> None:
    here = old("2.9.0")
    main = Path(here.entry["path"])
    tenants = {"acme": {"isolation": "schema"}, "globex": {"isolation": "schema"}, "initech": {"isolation": "rows"}}
    for name in ("acme", "globex"):
        folder = main.with_name(main.name + ".tenants")
        folder.mkdir(exist_ok=True)
        load_sqlite("2.5.0", folder / f"{namespace_of(name)}.db")
    file = configured(tmp_path, here, tenancy={"resolve": ["binding"]}, tenants=tenants)

    alone = migrate(file, "--apply", "--tenant", "acme")
    assert alone.exit_code == 0, alone.output
    assert alone.stdout.startswith("one of tenant 'acme': ")
    plan = migrate(file, "--plan")
    assert plan.exit_code == 3
    assert "one of tenant 'acme': of today" in plan.stdout
    assert "one of tenant 'globex': " in plan.stdout
    assert migrate(file, "--apply").exit_code == 0
    assert migrate(file, "--plan").exit_code == 0

    from dbrouter import DbRouter

    db = DbRouter.from_yaml(file)
    for name in ("acme", "globex"):
        assert len(db.for_tenant(name).get_session("s3", session_type="agent").runs) == 3
    db.close()
    shutil.rmtree(main.with_name(main.name + ".tenants"))
