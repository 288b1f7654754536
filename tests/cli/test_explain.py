"""`dbrouter explain`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbrouter.router.routes import SERVED

if TYPE_CHECKING:
    from tests.cli.conftest import Run


def test_the_rule_that_decides_is_told_with_its_line(run: Run, spread: Path) -> None:
    out = run("explain", "--file", spread.name, "--family", "sessions", "--agent", "bot").stdout
    assert "sessions of agent bot -> mine" in out
    assert "because agents.bot.db (dbrouter.yaml:8)" in out
    assert "less specific than agents.bot.db" in out


@pytest.mark.usefixtures("spread")
def test_another_component_goes_where_all_go(run: Run) -> None:
    assert "sessions of team bot -> main" in run("explain", "--family", "sessions", "--team", "bot").stdout


@pytest.mark.usefixtures("spread")
def test_without_a_component_it_tells_who_is_asked(run: Run) -> None:
    out = run("explain", "--family", "evals").stdout
    assert "A call that names no component asks main, mine:" in out
    assert "get_eval_run" in out


@pytest.mark.usefixtures("spread")
def test_without_a_family_all_are_told(run: Run) -> None:
    lines = [line.split() for line in run("explain", "--agent", "bot").stdout.splitlines()]
    assert ["sessions", "mine", "agents.bot.db", "(dbrouter.yaml:8)", "main"] in lines


@pytest.mark.usefixtures("spread")
def test_json_says_the_same(run: Run) -> None:
    told = json.loads(run("explain", "--family", "sessions", "--agent", "bot", "--json").stdout)
    assert told["database"] == "mine"
    assert told["component"] == {"kind": "agent", "id": "bot"}
    assert told["rule"] == {
        "source": "agents.bot.db",
        "place": "dbrouter.yaml:8",
        "family": None,
        "component": {"kind": "agent", "id": "bot"},
        "database": "mine",
    }
    assert [each["verdict"] for each in told["considered"]] == ["decides", "less specific than agents.bot.db"]
    assert len(json.loads(run("explain", "--json").stdout)) == len(SERVED)


@pytest.mark.usefixtures("spread")
@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--agent", "a", "--team", "b"], "name one of --agent, --team and --workflow"),
        (["--family", "runs"], "--family sessions"),
        (["--team", ""], "--team is empty"),
        (["--famly", "runs"], "No such option"),
    ],
)
def test_a_call_that_makes_no_sense_is_a_usage_error(run: Run, words: list[str], what: str) -> None:
    result = run("explain", *words)
    assert result.exit_code == 2
    assert what in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.usefixtures("spread")
@pytest.mark.parametrize(
    ("family", "advice"), [("nonsense", "use one of sessions, "), ("Sesions", "did you mean 'sessions'?")]
)
def test_a_family_that_is_not_served_is_a_problem(run: Run, family: str, advice: str) -> None:
    result = run("explain", "--family", family)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"there is no family {family!r}; {advice}")


def test_letters_that_a_terminal_has_not_are_written_out(folder: Path) -> None:
    (folder / "größe.yaml").write_text("databases: {one: {kind: memory}}\nagentos: {db: one}\n")
    code = "import sys; from dbrouter.cli import main; sys.argv[1:] = ['explain', '-f', 'größe.yaml']; main()"
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=environ, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert r"agentos.db (gr\xf6\xdfe.yaml:2)" in done.stdout
