"""What the documents tell a reader to do works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import blocks_of

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PLAYED = [each for each in DOCUMENTS if blocks_of(each.read_text(encoding="utf-8"))]
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def _named(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", PLAYED, ids=_named)
def test_what_the_document_says_works(document: Path, tmp_path: Path) -> None:
    _run(["-m", "tests.docs.play", str(document)], tmp_path, PYTHONPATH=str(ROOT), COLUMNS="200")


@pytest.mark.parametrize("document", [each for each in PLAYED if "# serve.py" in each.read_text()], ids=_named)
def test_an_app_that_a_document_shows_can_be_served(document: Path, tmp_path: Path) -> None:
    said: list[str] = []
    for block in blocks_of(document.read_text(encoding="utf-8")):
        if block.language == "yaml":
            # One that lists no databases is added to the one before.
            said = [block.text] if "databases:" in block.text else [*said, block.text]
        elif block.file == "serve.py":
            (tmp_path / "dbrouter.yaml").write_text("\n".join(said), encoding="utf-8")
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    _run(["-c", "import serve"], tmp_path, PYTHONPATH=str(tmp_path), JWT_VERIFICATION_KEY="a key")


def _run(arguments: list[str], folder: Path, **variables: str) -> None:
    # A process of its own: a reader starts with nothing, and agno's tracing is set up once in a process.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_link_leads_somewhere(document: Path) -> None:
    for path, anchor in _LINK.findall(document.read_text(encoding="utf-8")):
        target = document.parent / path if path else document
        assert target.exists(), f"{path} is not there"
        if anchor:
            assert anchor in _anchors(target), f"{path}#{anchor} is not there"


def _anchors(document: Path) -> set[str]:
    headings = _HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
