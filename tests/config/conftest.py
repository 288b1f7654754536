"""Configuration files written for one test, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.config import Settings, load

Files = Mapping[str, str]
Loaded = Callable[..., Settings]
Refused = Callable[..., list[str]]

GOOD = """\
databases:
  one: {kind: memory}
  two: {kind: sqlite, path: two.db}
agentos: {db: one}
"""
"""Nothing is wrong with it."""


def _written(folder: Path, text: str, others: Files) -> Path:
    for name, content in {"dbrouter.yaml": text, **others}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content), encoding="utf-8")
    return folder / "dbrouter.yaml"


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """The settings in a file of this text, beside files of other texts."""

    def load_text(text: str, others: Files | None = None, **environ: str) -> Settings:
        return load(_written(tmp_path, text, others or {}), environ)

    return load_text


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """What is wrong with a file of this text: one line for each problem, files named from the test's folder."""

    def problems(text: str, others: Files | None = None, **environ: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(_written(tmp_path, text, others or {}), environ)
        assert str(caught.value) == "\n".join(str(each) for each in caught.value.problems)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return problems
