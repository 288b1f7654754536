"""`dbrouter tenants`, `dbrouter explain --tenant`, and what `dbrouter check` says of tenants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbrouter import DbRouter
from dbrouter.backends.kernel.errors import TenantSuspended, UnknownTenant
from dbrouter.cli import tenants as commands
from dbrouter.router.routes import SERVED
from tests.waiting import until

if TYPE_CHECKING:
    from dbrouter.cli.known_tenants import Known
    from dbrouter.config.settings import Settings
    from scripts.servers import Server
    from tests.cli.conftest import Ran, Run

FILE = """\
databases:
  main: {kind: sqlite, path: main.db}
  mine: {kind: sqlite, path: mine.db}
  silo: {kind: sqlite, path: silo.db}
  table: {kind: sqlite, path: table.db}
agentos: {db: main}
agents: {bot: {db: mine}}
tenancy:
  shared: [knowledge]
  catalog: {db: table, poll: 0.05}
tenants:
  acme: {db: silo}
  globex: {isolation: schema, limits: {concurrent: 3, rows: {memories: 7}}}
  '*': {isolation: rows}
"""


@pytest.fixture
def tenants(folder: Path) -> Path:
    """The file `dbrouter.yaml` with two tenants and a table for more."""
    file = folder / "dbrouter.yaml"
    file.write_text(FILE)
    return file


@pytest.mark.usefixtures("tenants")
def test_tenants_of_the_file_and_of_the_table_are_listed(run: Run) -> None:
    assert run("tenants", "create", "initech", "--isolation", "schema", "--schema", "ini").exit_code == 0
    lines = [line.split() for line in run("tenants", "list").stdout.splitlines()]
    assert ["acme", "database", "silo", "dbrouter.yaml:12"] in lines
    assert ["globex", "schema", "as", "routed", "tenant_globex", "dbrouter.yaml:13"] in lines
    assert ["initech", "schema", "as", "routed", "ini", "the", "table", "dbrouter_tenants", "of", "'table'"] in lines
    told = json.loads(run("tenants", "list", "--json").stdout)
    assert [each["name"] for each in told] == ["acme", "globex", "initech"]


@pytest.mark.usefixtures("tenants")
def test_one_tenant_is_shown_with_the_line_that_decides(run: Run) -> None:
    told = json.loads(run("tenants", "show", "acme", "--json").stdout)
    assert (told["isolation"], told["db"]) == ("database", "silo")
    assert told["isolation_because"] == "tenants.acme.db (dbrouter.yaml:12)"
    out = run("tenants", "show", "globex").stdout
    assert "tenants.globex.isolation (dbrouter.yaml:13)" in out
    assert "memories: 7" in out


@pytest.mark.usefixtures("tenants")
def test_a_created_tenant_holds_to_what_is_said_of_all_others(run: Run) -> None:
    told = json.loads(run("tenants", "create", "fresh", "--json").stdout)
    assert (told["isolation"], told["isolation_because"]) == ("rows", 'tenants."*".isolation (dbrouter.yaml:14)')


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["create", "acme"], "tenant acme is in the file already: dbrouter.yaml:12"),
        (["create", "x", "--db", "main"], "'main' is also the deployment's (dbrouter.yaml:6)"),
        (["create", "x", "--db", "nowhere"], "there is no database 'nowhere'"),
        (["create", "x", "--isolation", "schema", "--schema", "tenant_globex"], "is also the namespace of tenant"),
        (["suspend", "acme"], "tenant acme is in the file: write suspended: true on dbrouter.yaml:12"),
        (["resume", "globex"], "tenant globex is in the file: write suspended: false on dbrouter.yaml:13"),
        (["suspend", "nobody"], "there is no tenant nobody"),
        (["show", "nobody"], "there is no tenant nobody"),
    ],
)
@pytest.mark.usefixtures("tenants")
def test_what_cannot_be_done_is_a_problem(run: Run, words: list[str], what: str) -> None:
    result = run("tenants", *words)
    assert result.exit_code == 1
    assert what in result.stderr
    assert json.loads(run("tenants", "list", "--json").stdout)[2:] == []


@pytest.mark.usefixtures("tenants")
def test_a_tenant_is_created_once(run: Run) -> None:
    assert run("tenants", "create", "fresh").exit_code == 0
    result = run("tenants", "create", "fresh", "--isolation", "schema")
    assert (result.exit_code, result.stderr) == (1, "there is a tenant fresh already\n")


def test_of_two_who_name_one_database_at_once_one_is_told(
    run: Run, tenants: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants.write_text(FILE.replace("{db: silo}", "{isolation: rows}"))
    known_in = commands.known_in

    def while_another_comes(settings: Settings) -> Known:
        known = known_in(settings)
        monkeypatch.setattr(commands, "known_in", known_in)
        assert run("tenants", "create", "first", "--db", "silo").exit_code == 0
        return known

    monkeypatch.setattr(commands, "known_in", while_another_comes)
    second = run("tenants", "create", "second", "--db", "silo")
    assert second.exit_code == 1
    assert "'silo' is also tenant 'first'" in second.stderr
    assert [each["name"] for each in json.loads(run("tenants", "list", "--json").stdout)][2:] == ["first"]


@pytest.mark.usefixtures("tenants")
def test_names_that_a_shell_cannot_pass_are_written_as_json(run: Run) -> None:
    for name in ("a\0b", "\ud800", "a b ", '"'):
        quoted = json.dumps(name)
        assert run("tenants", "create", "--quoted", quoted).exit_code == 0
        assert f"Tenant {quoted} is suspended." in run("tenants", "suspend", "--quoted", quoted).stdout
        assert json.loads(run("tenants", "show", "--quoted", quoted, "--json").stdout)["name"] == name
    assert '"a\\u0000b"' in run("tenants", "list").stdout
    assert run("tenants", "create", "--quoted", "a").exit_code == 2
    assert run("tenants", "create", "*").exit_code == 2
    assert run("tenants", "create", "").exit_code == 2


def test_a_running_router_serves_what_the_command_line_says(run: Run, tenants: Path) -> None:
    db = DbRouter.from_yaml(tenants)
    fresh = db.for_tenant("fresh")

    def served() -> bool:
        try:
            return fresh.get_sessions() == []
        except (TenantSuspended, UnknownTenant):
            return False

    assert not served()
    run("tenants", "create", "fresh")
    until(served)
    run("tenants", "suspend", "fresh")
    until(lambda: not served())
    run("tenants", "resume", "fresh")
    until(served)
    db.close()


@pytest.mark.usefixtures("tenants")
def test_a_table_that_is_away_is_a_problem_and_no_missing_tenant(run: Run, folder: Path) -> None:
    (folder / "table.db").mkdir()
    result = run("tenants", "list")
    assert result.exit_code == 1
    assert "acme" in result.stdout
    assert "the table of tenants cannot be read" in result.stderr
    assert "whether there is a tenant fresh is not known" in run("tenants", "show", "fresh").stderr
    assert run("tenants", "create", "fresh").exit_code == 1
    assert run("check").exit_code == 1


def test_a_file_without_tenants_or_without_a_table_says_what_to_add(run: Run, spread: Path) -> None:
    assert "this file has no tenants; describe them" in run("tenants", "list").stderr
    spread.write_text(spread.read_text() + "tenants: {acme: {isolation: rows}}\n")
    assert run("tenants", "list").exit_code == 0
    for words in (["create", "x"], ["suspend", "x"]):
        assert "this file names no table of tenants; add tenancy.catalog.db" in run("tenants", *words).stderr


@pytest.mark.usefixtures("tenants")
def test_explain_says_where_a_tenants_rows_go_and_why(run: Run) -> None:
    out = run("explain", "--tenant", "acme").stdout
    assert "isolation: database, because tenants.acme.db (dbrouter.yaml:12)" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["sessions", "silo", "tenants.acme", "(dbrouter.yaml:12)", "database", "of", "its", "own"] in lines
    assert ["knowledge", "main", "agentos.db", "(dbrouter.yaml:6)", "shared", "by", "all", "tenants", "mine"] in lines


@pytest.mark.usefixtures("tenants")
def test_explain_of_a_family_and_a_component_of_a_tenant_is_json_too(run: Run) -> None:
    words = ["--family", "sessions", "--agent", "bot", "--json"]
    told = json.loads(run("explain", "--tenant", "globex", *words).stdout)
    assert (told["database"], told["isolation"], told["namespace"]) == ("mine", "schema", "tenant_globex")
    assert told["rule"]["source"] == "agents.bot.db"
    # Rules of components do not hold where a tenant has databases of its own.
    assert json.loads(run("explain", "--tenant", "acme", *words).stdout)["database"] == "silo"
    assert len(json.loads(run("explain", "--tenant", "acme", "--json").stdout)) == len(SERVED)
    assert run("explain", "--tenant", "nobody").stderr.startswith("there is no tenant nobody")


@pytest.mark.usefixtures("tenants")
def test_check_tells_of_tenants_and_pings_their_databases(run: Run) -> None:
    run("tenants", "create", "fresh", "--suspended")
    result = run("check")
    assert result.exit_code == 0
    out = result.stdout
    assert "1 with isolation: database, 1 with isolation: schema, 1 with isolation: rows, 1 of them suspended" in out
    assert "shared by all: knowledge" in out
    assert "table dbrouter_tenants of table: 1 of the tenants" in out
    assert "no route names it" not in out
    assert [line.split()[0] for line in out.splitlines() if " ms " in line] == ["main", "mine", "silo", "table"]


def test_check_tells_how_many_connections_can_be_open(run: Run, tenants: Path) -> None:
    pg = "  pg: {kind: postgres, host: localhost, port: 1, database: x, deadline: 1, server_max_connections: 90}\n"
    tenants.write_text(FILE.replace("agentos: {db", pg + "agentos: {db").replace("shared:", "processes: 4\n  shared:"))
    lines = [" ".join(line.split()) for line in run("check").stdout.splitlines()]
    assert "localhost:1 64 90 (pg (5 + 10 + 1 not awaited)) x 4 processes = 64" in lines


@pytest.mark.backend("postgres", mode="check")
def test_check_tells_where_the_server_cannot_hold_rows_back(
    run: Run, folder: Path, postgres: Server, postgres_schema: str
) -> None:
    def checked(lock: str, isolation: str) -> Ran:
        (folder / "dbrouter.yaml").write_text(
            f"databases: {{main: {{kind: postgres, url: '{postgres.url}', schema: {postgres_schema}, {lock}}}}}\n"
            f"agentos: {{db: main}}\ntenants: {{acme: {{isolation: {isolation}}}}}\n"
        )
        return run("check")

    # The role of the tests is a superuser.
    refused = checked("row_level_security: true", "rows")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("databases.main: the role 'postgres' is a superuser")
    assert checked("row_level_security: false", "rows").exit_code == 0
    assert checked("row_level_security: true", "schema").exit_code == 0
