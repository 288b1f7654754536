"""agno's two base classes as data: what the installed agno has, and what this package was written for.

`python -m tests.faces.surface` writes the installed one down. Do that only when every difference is served or decided.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dbrouter.router.agno_types import AsyncBaseDb, BaseDb

FROZEN = Path(__file__).parent / "agno-3.1.10.json"
BASES: dict[str, type] = {"BaseDb": BaseDb, "AsyncBaseDb": AsyncBaseDb}


def installed() -> dict[str, str]:
    """`BaseDb.get_session` -> its signature, for every method of both classes."""
    return {
        f"{label}.{name}": _described(each)
        for label, base in BASES.items()
        for name, each in vars(base).items()
        if inspect.isfunction(each) or isinstance(each, classmethod)
    }


def frozen() -> dict[str, str]:
    """The same, as this package was written for it."""
    stored: dict[str, Any] = json.loads(FROZEN.read_text(encoding="utf-8"))
    methods: dict[str, str] = stored["methods"]
    return methods


def _described(method: Any) -> str:
    function: Any = getattr(method, "__func__", method)  # of a class method, the function
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    words = [ast.unparse(each) for each in node.decorator_list if isinstance(each, ast.Name)]
    words.append("async def" if isinstance(node, ast.AsyncFunctionDef) else "def")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{' '.join(words)} ({ast.unparse(node.args)}){returns}"


if __name__ == "__main__":
    text = json.dumps({"agno": version("agno"), "methods": installed()}, indent=1, ensure_ascii=False)
    (FROZEN.parent / f"agno-{version('agno')}.json").write_text(text + "\n", encoding="utf-8")
