"""The code in a document: its fenced blocks, with their language and the line they begin on."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"# ([\w./-]+\.(?:ya?ml|py))\b")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. file: the name that its first line gives it, as a comment."""

    language: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        named = _NAME.match(self.text)
        return named[1] if named else None


def blocks_of(document: str) -> list[Block]:
    """Every fenced block, in order."""
    blocks: list[Block] = []
    language: str | None = None
    held: list[str] = []
    begins = 0
    for number, line in enumerate(document.splitlines(), start=1):
        if not line.startswith("```"):
            held.append(line)
        elif language is None:
            language, held, begins = line.removeprefix("```").strip(), [], number + 1
        else:
            blocks.append(Block(language, "\n".join(held) + "\n", begins))
            language = None
    if language is not None:
        raise ValueError(f"the block that begins on line {begins} has no end")
    return blocks
