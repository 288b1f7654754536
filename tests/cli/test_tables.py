"""`dbrouter tables`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbrouter.backends.kernel.ops import Insert
from dbrouter.backends.kernel.running import finish
from dbrouter.config import load
from dbrouter.router.opening import open_store
from tests.cli.test_check import UNREACHABLE

if TYPE_CHECKING:
    from tests.cli.conftest import Run


def _knowledge(number: int) -> dict[str, Any]:
    return {"id": f"k{number}", "name": "n", "description": "d", "created_at": 1, "updated_at": 1}


def _store(file: Path, database: str, rows: int) -> None:
    store = open_store(database, load(file, {}).databases[database], blocking=True)
    finish(store.create_tables(("knowledge",)))
    if rows:
        finish(store.execute(Insert(table="knowledge", records=tuple(_knowledge(each) for each in range(rows)))))
    finish(store.close())


def test_rows_are_counted_by_family_and_database(run: Run, spread: Path) -> None:
    _store(spread, "main", 3)
    _store(spread, "mine", 0)
    told = json.loads(run("tables", "--json").stdout)
    assert [each for each in told if each["family"] == "knowledge"] == [
        {
            "database": database,
            "family": "knowledge",
            "table": "knowledge",
            "physical_name": "agno_knowledge",
            "rows": rows,
            "routed": True,
        }
        for database, rows in (("main", 3), ("mine", 0))
    ]
    assert {each["physical_name"] for each in told} <= {"agno_knowledge", "agno_schema_versions"}
    lines = [line.split() for line in run("tables").stdout.splitlines()]
    assert ["main", "knowledge", "agno_knowledge", "3"] in lines


def test_rows_that_no_route_leads_to_are_told(run: Run, spread: Path) -> None:
    _store(spread, "mine", 2)
    spread.write_text(spread.read_text().replace("{db: mine}", "{families: {evals: mine}}"))
    assert "no route leads here" in run("tables").stdout


def test_an_empty_database_is_no_problem(run: Run, spread: Path) -> None:
    result = run("tables", "--file", str(spread))
    assert (result.exit_code, result.stdout) == (0, "No tables yet: they are made when something is first written.\n")


def test_a_database_that_does_not_answer_does_not_hide_the_others(run: Run, folder: Path) -> None:
    file = folder / "dbrouter.yaml"
    file.write_text(UNREACHABLE)
    _store(file, "mine", 2)
    result = run("tables")
    assert result.exit_code == 1
    assert result.stderr.startswith("databases.main: ")
    assert "hunter2" not in result.output
    assert "agno_knowledge" in result.stdout


def test_the_rows_of_a_tenant_with_a_database_of_its_own_are_no_strays(run: Run, spread: Path) -> None:
    tenants = "tenancy: {shared: [memories]}\ntenants: {acme: {db: mine}, globex: {isolation: rows}}\n"
    _store(spread, "main", 1)
    _store(spread, "mine", 2)
    spread.write_text(
        "databases: {main: {kind: sqlite, path: main.db}, mine: {kind: sqlite, path: mine.db}}\n"
        f"agentos: {{db: main}}\n{tenants}"
    )
    routed = {(each["database"], each["family"]): each["routed"] for each in json.loads(run("tables", "--json").stdout)}
    assert routed["mine", "knowledge"]
    # What was stored before there were tenants is nobody's now.
    assert not routed["main", "knowledge"]
    assert "isolation: schema or rows are in tables apart" in run("tables").stdout
