"""Documents that are written from code: the settings' schema and reference, the tables of the README."""

from __future__ import annotations

from pathlib import Path

from generators.capabilities import tables
from generators.outcome import Made, Stale

MARK = "<!-- generated: capabilities -->"
"""Stands before and after the tables; what is between the two is rewritten."""


def documents(root: Path) -> Made:
    """The schema, the reference, and the README with its tables as they are now."""
    from dbrouter.config.reference import markdown
    from dbrouter.config.schema import schema_text

    files = {
        root / "docs" / "dbrouter.schema.json": schema_text(),
        root / "docs" / "configuration.md": markdown(),
    }
    readme = root / "README.md"
    before, *rest = (readme.read_text(encoding="utf-8") if readme.exists() else "").split(MARK)
    match rest:
        case []:
            pass
        case [_, after]:
            files[readme] = f"{before}{MARK}\n\n{tables()}\n{MARK}{after}"
        case _:
            raise Stale(f"README.md needs {MARK} twice, before and after the tables; it has it {len(rest)} times")
    return Made(files)
