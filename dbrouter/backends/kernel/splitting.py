"""Records that do not fit what a database takes at once: which columns are kept apart, and in what pieces."""

from __future__ import annotations

from collections.abc import Container, Mapping


def kept_apart(sizes: Mapping[str, int], movable: Container[str], *, fits: int, stays: int) -> list[str]:
    """The columns to keep apart from the others, the longest first, until what stays has `stays` bytes at most.

    None, if all of the record `fits`. What cannot be moved stays, even if it is more.
    """
    left = sum(sizes.values())
    if left <= fits:
        return []
    moved: list[str] = []
    for column in sorted(sizes, key=lambda each: (-sizes[each], each)):
        if left <= stays:
            break
        if column in movable:
            moved.append(column)
            left -= sizes[column]
    return moved


def pieces(data: bytes, size: int) -> list[bytes]:
    """The data in pieces of at most so many bytes; none of nothing."""
    return [data[start : start + size] for start in range(0, len(data), size)]
