"""`dbrouter demo` as a stranger runs it, and that it would notice a row in the wrong file."""

from __future__ import annotations

import io
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import typer
from rich.console import Console

from dbrouter.cli.demo import settle
from dbrouter.cli.demo_app.playing import Conversation, load

COMMAND = [sys.executable, "-c", "from dbrouter.cli import main; main()", "demo"]
FILES = ["evals.db", "ops.db", "primary.db", "traces.db"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo has run once."""
    place = tmp_path_factory.mktemp("demo")
    done = subprocess.run(COMMAND, cwd=place, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "each in the file that demo-data/dbrouter.yaml names" in done.stdout
    return place / "demo-data"


def test_it_leaves_the_four_files_and_nothing_half_written(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["dbrouter.yaml", *FILES]


def test_it_plays_every_conversation_of_the_examples() -> None:
    assert len(load()) == 5
    assert all(conversation.turns for conversation in load())


def test_a_conversation_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(TypeError, match="loud"):
        Conversation.read("title: t\nto: agents/a\nsession: s\nloud: true\nturns: []")


def settled(folder: Path) -> tuple[bool, str]:
    """What the demo says of its files: whether all is well, and its words."""
    said = io.StringIO()
    try:
        settle(Console(file=said, width=200), folder, folder / "dbrouter.yaml")
    except typer.Exit:
        return False, said.getvalue()
    return True, said.getvalue()


@pytest.fixture
def primary(folder: Path) -> Iterator[sqlite3.Connection]:
    """One of the files, to be tampered with; the change is undone."""
    path = folder / "primary.db"
    before = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        yield connection
    path.write_bytes(before)


def test_a_session_in_the_wrong_file_is_named(folder: Path, primary: sqlite3.Connection) -> None:
    assert settled(folder)[0]
    primary.execute("UPDATE agno_sessions SET agent_id = 'ops-bot' WHERE session_id = 'ada-order'")
    primary.commit()
    well, said = settled(folder)
    assert not well
    assert "agno_sessions ('ada-order',) is in primary.db and belongs in ops.db" in said


def test_a_run_away_from_its_session_is_named(folder: Path, primary: sqlite3.Connection) -> None:
    primary.execute("PRAGMA foreign_keys = OFF")
    primary.execute("UPDATE agno_runs SET session_id = 'checkout-is-slow' WHERE session_id = 'grace-order'")
    primary.commit()
    well, said = settled(folder)
    assert not well
    assert re.search(r"agno_runs \('[-0-9a-f]+',\) is in primary.db and belongs in ops.db", said)


def test_a_second_run_starts_afresh_and_serves_until_it_is_stopped(folder: Path) -> None:
    place = folder.parent
    with subprocess.Popen(
        [*COMMAND, "--serve"], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        said: list[str] = []
        for line in demo.stdout:
            said.append(line)
            if "Press Ctrl-C" in line:
                break
        url = re.search(r"http://127\.0\.0\.1:\d+", "".join(said))
        assert url, "".join(said)
        sessions = httpx.get(f"{url[0]}/sessions", params={"type": "agent"}, timeout=20).json()
        assert {each["session_id"] for each in sessions["data"]} >= {"ada-order", "checkout-is-slow"}
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, rest
    assert "each in the file that demo-data/dbrouter.yaml names" in rest


def test_a_folder_that_cannot_be_written_is_a_problem_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [*COMMAND, "--folder", str(tmp_path / "file" / "demo")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path}/file/demo cannot be written: Not a directory; name another --folder\n"


@pytest.mark.parametrize("name", ["dbrouter.yaml", "primary.db"])
def test_files_that_are_not_of_a_demo_are_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("years of work")
    done = subprocess.run(
        [*COMMAND, "--folder", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "is not of a demo" in done.stderr
    assert (tmp_path / name).read_text() == "years of work"
