"""`dbrouter check`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dbrouter import __version__

if TYPE_CHECKING:
    from tests.cli.conftest import Run

UNREACHABLE = """\
databases:
  main: {kind: postgres, url: "postgresql://agent:hunter2@127.0.0.1:1/agents", connect_timeout: 2, deadline: 5}
  mine: {kind: sqlite, path: mine.db}
agentos: {db: main}
"""


def test_a_good_file_is_connected_to(run: Run, spread: Path) -> None:
    result = run("check", str(spread))
    assert result.exit_code == 0
    assert "is valid: 3 databases, id desk" in result.stdout
    assert [word in result.stdout for word in ("main", "sqlite", " ms", "everything")] == [True] * 4


def test_what_will_be_asked_of_several_databases_is_told(run: Run, spread: Path) -> None:
    out = run("check", str(spread)).stdout
    assert "sessions in main, mine." in out
    assert "asked all, if the id was not seen before: get_session" in out
    assert "read all, and merged: get_sessions" in out


def test_a_database_that_nothing_goes_to_is_told(run: Run, spread: Path) -> None:
    assert "Nothing goes to idle: no route names it." in run("check", str(spread)).stdout


def test_families_with_one_database_each_ask_no_others(run: Run, folder: Path) -> None:
    (folder / "dbrouter.yaml").write_text("databases: {one: {kind: memory}}\nagentos: {db: one}\n")
    out = run("check").stdout
    assert "is valid: 1 database, id" in out
    assert "no call asks several" in out


def test_problems_are_printed_one_a_line(run: Run, folder: Path) -> None:
    (folder / "dbrouter.yaml").write_text("databases: {one: {kind: memory}}\nagentos: {db: two}\nzzz: 1\n")
    result = run("check")
    assert result.exit_code == 1
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == ["dbrouter.yaml:2", "dbrouter.yaml:3"]


def test_a_missing_file_is_a_problem(run: Run, folder: Path) -> None:
    (folder / "a.yaml").mkdir()
    for name, advice in (("none.yaml", "run `dbrouter init` to write one"), ("a.yaml", "name another file")):
        result = run("check", name)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"{name}:1: the file {name!r} cannot be read")
        assert result.stderr.endswith(f"; {advice}\n")


def test_the_file_may_be_named_as_for_other_commands(run: Run, spread: Path) -> None:
    other = str(spread.rename(spread.with_name("other.yaml")))
    assert run("check", "-f", other).stdout.splitlines()[0] == run("check", other).stdout.splitlines()[0]
    assert run("check", other, "--file", other).exit_code == 2


def test_a_problem_with_a_password_is_told_whole(run: Run, folder: Path) -> None:
    text = "databases: {one: {kind: postgres, host: h, database: d, password: '${file:no}'}}\nagentos: {db: one}\n"
    (folder / "dbrouter.yaml").write_text(text)
    told = run("check").stderr
    assert told.startswith("dbrouter.yaml:1: databases.one.password: the file 'no' cannot be read: ")


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").stdout == f"{__version__}\n"


def test_the_environment_may_name_the_file(run: Run, spread: Path) -> None:
    other = spread.rename(spread.with_name("other.yaml"))
    assert run("check").exit_code == 1
    assert run("check", DBROUTER_CONFIG=str(other)).exit_code == 0
    assert "dbrouter.yaml" in run("check", DBROUTER_CONFIG="").stderr


def test_a_database_that_does_not_answer_is_a_problem_without_its_password(run: Run, folder: Path) -> None:
    (folder / "dbrouter.yaml").write_text(UNREACHABLE)
    result = run("check")
    assert result.exit_code == 1
    assert result.stderr.startswith("databases.main: ")
    assert "127.0.0.1" in result.stderr
    assert "hunter2" not in result.output
    assert "mine" in result.stdout


def test_a_missing_client_says_what_to_install(folder: Path) -> None:
    (folder / "dbrouter.yaml").write_text(UNREACHABLE)
    code = "import sys; sys.modules['psycopg'] = None; from dbrouter.cli import main; sys.argv[1:] = ['check']; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 1
    assert (
        "databases.main: postgres needs psycopg, which is not installed; pip install 'dbrouter[postgres]'"
        in done.stderr
    )
    assert "hunter2" not in done.stdout + done.stderr
