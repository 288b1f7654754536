"""How long the drivers are, as decision 016 tells it: lines of code, without blank ones, comments and docstrings.

Run `python -m scripts.sizes`.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

BACKENDS = Path(__file__).resolve().parent.parent / "dbrouter" / "backends"

REACHES: dict[str, frozenset[str]] = {
    "dynamo": frozenset({"requests", "settings", "store", "tables"}),
    "firestore": frozenset(
        {"channels", "driver", "errors", "exchange", "forks", "messages", "settings", "store", "target"}
    ),
    "objects": frozenset(
        {"asking", "bucket", "cloud", "endpoints", "folder", "google", "settings", "store", "versions"}
    ),
    "redis": frozenset(
        {
            *("blocking", "cluster", "connecting", "connections", "durability", "failing", "native_async"),
            *("settings", "store"),
        }
    ),
    "mongo": frozenset({"clients", "failures", "settings", "store", "wire"}),
}
"""Driver -> the files by which it reaches its database; the others keep records."""

_NO_CODE = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


def python_lines(text: str) -> int:
    """Lines of Python on which there is code. A text that stands alone says what it stands below, so it is none."""
    told = {line for each in _texts_alone(ast.parse(text)) for line in range(each.lineno, (each.end_lineno or 0) + 1)}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - told)


def lua_lines(text: str) -> int:
    """Lines of Lua on which there is code."""
    return sum(bool(line.strip()) and not line.strip().startswith("--") for line in text.splitlines())


def _texts_alone(tree: ast.AST) -> Iterator[ast.Expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node


def main() -> None:
    """Print the numbers."""
    for folder in sorted(each for each in BACKENDS.iterdir() if (each / "__init__.py").exists()):
        files = {str(path.relative_to(folder).with_suffix("")): path for path in sorted(folder.rglob("*.py"))}
        sizes = {name: python_lines(path.read_text(encoding="utf-8")) for name, path in files.items()}
        lua = sum(lua_lines(path.read_text(encoding="utf-8")) for path in folder.rglob("*.lua"))
        words = f"{sum(sizes.values())} lines" + (f" and {lua} of Lua" if lua else "")
        reaches = REACHES.get(folder.name)
        if reaches is not None:
            if missing := reaches - sizes.keys():
                raise SystemExit(f"{folder.name} has no {', '.join(sorted(missing))}: say anew which files reach it")
            there = sum(size for name, size in sizes.items() if name in reaches)
            words += f"; {there} reach the database, {sum(sizes.values()) - there} keep records"
        if "dialect" in sizes:
            words += f"; {sizes['dialect']} of them the dialect"
        print(f"{folder.name}: {words}")


if __name__ == "__main__":
    main()
