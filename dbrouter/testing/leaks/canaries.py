"""Marks in everything that a tenant writes, by which its rows are known wherever they turn up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

_MARK = re.compile(r"canary-(\d{4})-yranac")


class Leak(AssertionError):
    """A tenant was shown something of another's, or a row lies where it must not."""


def canary(number: int) -> str:
    """The mark of the tenant of that number: plain ASCII, so that no store changes it."""
    return f"canary-{number:04d}-yranac"


def marks_in(value: Any) -> set[int]:
    """The numbers of all tenants whose marks are somewhere in this value."""
    return {int(number) for text in _texts(value) for number in _MARK.findall(text)}


def _texts(value: Any) -> Iterator[str]:
    """Every text in the value, however deep; bytes and exceptions count as the text they hold."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | bytearray | memoryview):
        yield bytes(value).decode("utf-8", "replace")
    elif isinstance(value, Enum) or value is None or isinstance(value, bool | int | float):
        return
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _texts(getattr(value, field.name, None))
    elif isinstance(value, BaseException):
        yield str(value)
        yield from _texts(getattr(value, "__notes__", ()))
    elif hasattr(value, "__dict__"):
        yield from _texts(vars(value))
    else:
        yield str(value)
