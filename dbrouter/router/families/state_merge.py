"""Three-way merge of session data: what I read, what I have now, what is stored now.

Structure merges key by key. Numbers are counters: both sides' changes add up, also when they are equal, because two
increments of one look like one. Lists that both sides appended to keep both tails, also when they are equal; a list
that both sides began alike is one list. What is left is a true conflict.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from dbrouter.backends.kernel.errors import Conflict


class Missing(Enum):
    """A key that is not there."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


def merged(base: Any, mine: Any, theirs: Any, *, strict: bool = False, path: str = "session_data") -> Any:
    """The value that keeps both sides' changes since `base`.

    A true conflict (both changed one text, or one deleted what the other changed) is decided for mine, except that a
    change beats a deletion; with `strict` it raises `Conflict` naming the path.
    """
    if _same(mine, base):
        return theirs
    if _same(theirs, base):
        return mine
    if _is_number(mine) and _is_number(theirs) and (base is MISSING or base is None or _is_number(base)):
        # Before the test for equality: equal increments are two increments.
        return theirs + (mine - (base if _is_number(base) else 0))
    if isinstance(mine, dict) and isinstance(theirs, dict):
        # Before the test for equality too: equal increments may be inside.
        return _merged_dicts(base if isinstance(base, dict) else {}, mine, theirs, strict=strict, path=path)
    if isinstance(mine, list) and isinstance(theirs, list):
        # And here: equal tails are two appends.
        both = _merged_lists(base, mine, theirs)
        if both is not None:
            return both
    if _same(mine, theirs):
        return mine
    if strict:
        raise Conflict(f"{path}: this writer and another both changed it since it was read; read the session again")
    return theirs if mine is MISSING else mine


def _merged_dicts(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any], *, strict: bool, path: str
) -> Any:
    result: dict[str, Any] = {}
    for key in [*theirs, *(key for key in mine if key not in theirs)]:
        value = merged(
            base.get(key, MISSING),
            mine.get(key, MISSING),
            theirs.get(key, MISSING),
            strict=strict,
            path=f"{path}.{key}",
        )
        if value is not MISSING:
            result[key] = value
    return result


def _merged_lists(base: Any, mine: list[Any], theirs: list[Any]) -> list[Any] | None:
    """Both tails after the common beginning, theirs first, or `None` if either side did more than append."""
    if not isinstance(base, list):
        return mine if _same(mine, theirs) else [*theirs, *mine]
    length = len(base)
    if _same(mine[:length], base) and _same(theirs[:length], base):
        return [*theirs, *mine[length:]]
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(left: Any, right: Any) -> bool:
    """Equality that tells True from 1, and NaN from nothing but NaN."""
    if left is right:
        return True
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right) or (left != left and right != right)  # noqa: PLR0124  # NaN
