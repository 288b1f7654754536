"""The command line, run in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from typer.testing import CliRunner

from dbrouter.cli.app import app


class Ran(Protocol):
    """What a command left behind."""

    exit_code: int

    @property
    def stdout(self) -> str:
        """Its results."""
        ...

    @property
    def stderr(self) -> str:
        """Its problems."""
        ...

    @property
    def output(self) -> str:
        """Both."""
        ...


Run = Callable[..., Ran]

SPREAD = """\
id: desk
databases:
  main: {kind: sqlite, path: main.db}
  mine: {kind: sqlite, path: mine.db}
  idle: {kind: memory}
agentos: {db: main}
agents:
  bot: {db: mine}
"""
"""Two databases for every family, and one that nothing goes to."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DBROUTER_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    """Runs `dbrouter` with these words."""
    assert folder.is_dir()

    def invoke(*words: str, **environ: str) -> Ran:
        result = CliRunner().invoke(app, list(words), env=environ)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def spread(folder: Path) -> Path:
    """The file `dbrouter.yaml` with two databases for every family."""
    file = folder / "dbrouter.yaml"
    file.write_text(SPREAD)
    return file
