"""The writes of a commit as a driver needs them that commits on versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dbrouter.backends.kernel.completing import key_in
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import Conflict, StoreError, Unsupported
from dbrouter.backends.kernel.ops import ABSENT, Absent, Change, Check, Key, Put, Remove, Require, Version, Write
from dbrouter.backends.kernel.stored_form import encoded
from dbrouter.backends.kernel.tables import TableSpec


@dataclass(frozen=True, slots=True)
class Asked:
    """What becomes of one record. values: in their stored form, if it is put. expect: `None` for whatever is there."""

    write: Put | Remove | Check
    spec: TableSpec
    key: Key
    values: Mapping[str, Any] | None
    expect: Version | Absent | None

    @property
    def record(self) -> tuple[str, Key]:
        """Which record it is."""
        return self.write.table, self.key

    def refusal(self, cause: BaseException | None = None) -> StoreError:
        """The error for what is stored not being what is expected, when nothing was written."""
        if isinstance(self.write, Put) and self.expect is ABSENT:
            return duplicate(self.write.table, self.spec.key, cause)
        why = "other writers came first all the time" if self.expect is None else "another version is stored"
        return Conflict(f"{self.write.table} {self.key}: {why}; nothing was written, read it again")


def asked(spec: TableSpec, write: Write) -> Asked:
    """The write with what it needs. Raises `Unsupported` for one that is about anything but versions."""
    if isinstance(write, Change | Require):
        raise Unsupported(f"{write.table}: commits are on versions here, and {type(write).__name__} is for the kernel")
    if isinstance(write, Put):
        values = encoded(spec, write.record)
        return Asked(write, spec, key_in(spec, values), values, write.expect)
    return Asked(write, spec, write.key, None, write.expect)


def of_each_record(writes: Sequence[Asked]) -> list[Asked]:
    """One for each record, in order: of two, the first may only check it. Raises `Unsupported` if it does more."""
    every: dict[tuple[str, Key], Asked] = {}
    for each in writes:
        first = every.get(each.record)
        if first is not None and not (isinstance(first.write, Check) and each.expect in (None, first.expect)):
            raise Unsupported(f"{each.write.table}: a commit that writes one record twice; write it once")
        every[each.record] = each if first is None else replace(each, expect=first.expect)
    return list(every.values())
