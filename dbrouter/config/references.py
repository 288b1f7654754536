"""`${NAME}`, `${NAME:-default}` and `${file:path}` inside a text, replaced by what they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE = "file:"


class BadReferenceError(Exception):
    """A reference that cannot be replaced: what is wrong with it and what to do. Holds no value."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(what, do)
        self.what = what
        self.do = do


def expand(text: str, environ: Mapping[str, str], read_file: Callable[[str], str]) -> str:
    """The text with its references replaced, each once: what a reference stands for is not searched again.

    `$${` is a plain `${`. A default stands in for a variable that is missing or empty, and may hold references.
    `read_file` answers with a file's text or raises `OSError`; the text's last line break is cut off.
    `BadReferenceError` on the first bad one.
    """
    out: list[str] = []
    position = 0
    while (start := text.find("${", position)) >= 0:
        if start > position and text[start - 1] == "$":
            out.append(text[position : start - 1] + "${")
            position = start + 2
            continue
        end = _closing(text, start + 2)
        out.append(text[position:start])
        out.append(_resolved(text[start + 2 : end], environ, read_file))
        position = end + 1
    return "".join(out) + text[position:]


def _closing(text: str, start: int) -> int:
    """Where the `}` is that closes a reference whose inside starts here."""
    depth = 0
    position = start
    while position < len(text):
        if text.startswith("${", position):
            depth += 1
            position += 2
            continue
        if text[position] == "}":
            if depth == 0:
                return position
            depth -= 1
        position += 1
    raise BadReferenceError("a reference `${` is not closed", "end it with `}`, or write `$${` for a plain `${`")


def _resolved(inside: str, environ: Mapping[str, str], read_file: Callable[[str], str]) -> str:
    if inside.startswith(_FILE):
        path = expand(inside.removeprefix(_FILE), environ, read_file)
        if not path:
            raise BadReferenceError("the reference `${file:}` names no file", "write ${file:path}")
        try:
            return read_file(path).removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeError) as error:
            # The path as written: a variable in it may hold anything.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
            what = f"the file {inside.removeprefix(_FILE)!r} cannot be read: {reason}"
            raise BadReferenceError(what, "the path is relative to the file that names it") from None
    name, has_default, default = inside.partition(":-")
    if not _NAME.fullmatch(name):
        raise BadReferenceError(
            "a reference is not a variable's name", "write ${NAME}, ${NAME:-default} or ${file:path}, or $${ for ${"
        )
    value = environ.get(name)
    if has_default:
        return value or expand(default, environ, read_file)
    if value is None:
        raise BadReferenceError(f"the variable {name} is not set", f"set {name}, or write ${{{name}:-default}}")
    return value
