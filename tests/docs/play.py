"""Does what a document says, as a reader with an empty folder would: `python -m tests.docs.play README.md`.

A YAML block is written to the file its first line names (`dbrouter.yaml` if it names none) and loaded; one that lists
no databases is a part, and is loaded on top of the last whole one. A Python block that names a file is written to it;
the others run, one after the other, in one namespace, and what `print` prints must be what the comment behind it says.
Of shell blocks, `dbrouter`, `python` and `pytest` run and must print the lines that are shown, and a task of `make` must
exist.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from dbrouter.cli.app import app
from dbrouter.config import load
from tests.docs.blocks import Block, blocks_of

ROOT = Path(__file__).resolve().parents[2]
NOT_RUN = {"cd", "git", "pip", "source", "uvicorn"}
"""Commands of a reader's own environment."""
ADDRESSES = {"MYSQL_URL": "mysql://localhost/agents", "SINGLESTORE_URL": "singlestoredb://localhost/agents"}
"""What a reader has in these variables; in any other, the address of a Postgres."""
_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)\}")
_PRINTED = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)
_TASK = re.compile(r"^([a-z-]+):", re.MULTILINE)


class Reader:
    """Somebody who does, block by block, what is written."""

    def __init__(self, document: Path) -> None:
        self._document = document
        self._names: dict[str, Any] = {"__name__": "document"}
        self._whole: str | None = None

    def read(self) -> None:
        for block in blocks_of(self._document.read_text(encoding="utf-8")):
            match block.language:
                case "yaml":
                    self._configure(block)
                case "python":
                    self._run(block)
                case "console":
                    self._type(block)
                case "text" | "":
                    pass
                case other:
                    raise AssertionError(f"{self._place(block)}: nobody knows how to follow a block of {other}")

    def _configure(self, block: Block) -> None:
        for name in _VARIABLE.findall(block.text):
            os.environ.setdefault(name, ADDRESSES.get(name, "postgresql://localhost/agents"))
        text, file = block.text, block.file or "dbrouter.yaml"
        if "databases:" in text or "include:" in text:
            self._whole = file
        else:
            assert self._whole is not None, f"{self._place(block)}: a part, and no whole before it"
            text, file = f"include: {self._whole}\n{text}", "part.yaml"
        Path(file).write_text(text, encoding="utf-8")
        load(file)

    def _run(self, block: Block) -> None:
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
            return
        printed: list[str] = []
        self._names["print"] = lambda *values: printed.append(" ".join(map(str, values)))
        exec(compile("\n" * (block.line - 1) + block.text, str(self._document), "exec"), self._names)
        said = _PRINTED.findall(block.text)
        assert printed == said, f"{self._place(block)}: printed {printed}, not {said}"

    def _type(self, block: Block) -> None:
        for command, shown in _commands(block.text):
            program, *arguments = shlex.split(command, comments=True)
            match program:
                case "dbrouter":
                    result = CliRunner().invoke(app, arguments)
                    assert result.exit_code == 0, f"{self._place(block)}: {command}\n{result.output}"
                    _compare(f"{self._place(block)}: {command}", shown, result.output)
                case "python" | "pytest":
                    options = [] if program == "python" else ["-m", "pytest", "-p", "no:cacheprovider"]
                    done = subprocess.run(
                        [sys.executable, *options, *arguments], capture_output=True, text=True, check=False
                    )
                    assert done.returncode == 0, f"{self._place(block)}: {command}\n{done.stdout}\n{done.stderr}"
                    _compare(f"{self._place(block)}: {command}", shown, done.stdout)
                case "make":
                    known = _TASK.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
                    assert arguments[0] in known, f"{self._place(block)}: there is no task {arguments[0]}"
                case _:
                    assert Path(program).name in NOT_RUN, f"{self._place(block)}: nobody knows how to run {program}"

    def _place(self, block: Block) -> str:
        return f"{self._document.name}:{block.line}"


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command (after `$ `) with the lines shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, [line for line in shown if line.strip()]


def _compare(where: str, shown: list[str], output: str) -> None:
    """What is shown is printed, in that order; `...` stands for anything, also at the end of a line."""
    lines = iter([" ".join(line.split()) for line in output.splitlines()])
    for line in shown:
        wanted = " ".join(line.split())
        if wanted == "...":
            continue
        beginning = wanted.removesuffix("...")
        found = any(each == wanted or (beginning != wanted and each.startswith(beginning)) for each in lines)
        assert found, f"{where}: {line!r} is not printed, or not in this order:\n{output}"


if __name__ == "__main__":
    Reader(Path(sys.argv[1])).read()
