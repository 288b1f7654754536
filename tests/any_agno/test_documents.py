"""The table of docs/backends/agno.md is what the classes of the installed agno say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dbrouter.router.any_agno.families import served_by, verdict
from dbrouter.router.routes import SERVED
from tests.any_agno.test_implemented import KNOWN, the_class

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "backends" / "agno.md"
_ROW = re.compile(r"^\| (`[^|]*`) \| ([^|]*) \|(.*)\|$", re.MULTILINE)
_CODE = re.compile(r"`(\w+)`")

ROWS = {
    name: (families, lacks)
    for names, families, lacks in _ROW.findall(DOCUMENT.read_text("utf-8"))
    for name in _CODE.findall(names)
}


@pytest.mark.parametrize("path", KNOWN)
def test_the_table_of_the_document_is_right(path: str) -> None:
    cls = the_class(path)
    families, lacks = ROWS[cls.__name__]
    assert tuple(SERVED if families == "all" else families.split(", ")) == served_by(cls)
    without = {name for family in served_by(cls) for name in verdict(cls, family).without}
    # Those that only some class of agno's has are no part of its interface.
    assert set(_CODE.findall(lacks)) == without - {"get_eval_run_raw", "delete_eval_run"}
