"""Writes as arguments of `write.lua`, and its answers as results or errors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dbrouter.backends.kernel.completing import check_columns, completed, key_in
from dbrouter.backends.kernel.duplicates import duplicate
from dbrouter.backends.kernel.errors import Conflict, StoreError, Unsupported
from dbrouter.backends.kernel.merging import Fill, Keep, Next, Present, Record, Replace, Rule, SetTo
from dbrouter.backends.kernel.ops import ABSENT, Check, Key, Put, Remove, Upsert
from dbrouter.backends.kernel.ordered_form import parts_of
from dbrouter.backends.kernel.relating import missing_parent, still_referenced
from dbrouter.backends.kernel.tables import Parent
from dbrouter.backends.redis.layout import Layout, Table, local
from dbrouter.backends.redis.records import fields_of
from dbrouter.backends.redis.scripts import Argument, Request, running, script_for

_LETTERS: Mapping[type[Rule], str] = {Replace: "R", SetTo: "S", Fill: "F", Present: "P"}
"""Rules that the script knows. Whatever else there is, Python merges."""


class TooMany(Exception):  # a turn of events inside a driver, not an error anyone sees
    """More records cascade from one than a script removes at once."""


@dataclass(slots=True)
class Writes:
    """Instructions of one commit, in one namespace. token: what the versions that it gives begin with.

    pruning: look whether all of it can be done, and remove only some of what cascades from what it removes.
    """

    layout: Layout
    namespace: str
    bases: list[bytes] = field(default_factory=list[bytes])
    tables: dict[str, None] = field(default_factory=dict[str, None])
    places: dict[tuple[str, Any], None] = field(default_factory=dict[tuple[str, Any], None])
    instructions: list[Sequence[Argument]] = field(default_factory=list[Sequence[Argument]])
    token: str = field(default_factory=lambda: os.urandom(9).hex())
    pruning: bool = False

    def put(self, write: Put) -> None:
        """Write a whole record."""
        table = self.layout.table(write.table)
        check_columns(table.spec, write.record)
        fields = fields_of(table, write.record)
        start = self._start("put", table, _key(table, write.record))
        self.instructions.append((*start, expectation(write.expect), *_pairs(fields)))

    def remove(self, write: Remove) -> None:
        """Remove a record with what cascades from it."""
        table = self.layout.table(write.table)
        self.instructions.append((*self._start("remove", table, write.key), expectation(write.expect)))

    def check(self, write: Check) -> None:
        """Look at a version."""
        table = self.layout.table(write.table)
        self.instructions.append((*self._start("check", table, write.key), expectation(write.expect)))

    def upsert(self, op: Upsert, record: Record, merged: tuple[Record, str] | None = None) -> None:
        """Insert a record or merge it. merged: what Python made of the stored record of that version."""
        table = self.layout.table(op.table)
        start = self._start("upsert", table, _key(table, record))
        guard = op.guard
        head: list[Argument] = [*start, _identity(table, op.on)]
        if guard is None or merged is not None:
            head += [expectation(op.expect if merged is None else merged[1]), "", 0, 0]
        else:
            head += [expectation(op.expect), guard.column, int(guard.claim), int(guard.unscoped)]
        rules = _rules(table, op.rules, record)
        how = "=" if merged is not None else "!" if rules is not None else "?"
        # What Python merges it merges whole; positions are given where they are written.
        known = rules if rules is not None else _rules(table, _positions(op.rules), record) or []
        fields = fields_of(table, record if merged is None else merged[0])
        flat = [each for rule in known for each in rule]
        self.instructions.append((*head, how, len(known), *flat, *_pairs(fields)))

    def request(self, *, rows: bool = False) -> Request:
        """What runs them. rows: whether merged records are wanted whole."""
        script = script_for(self.layout, "write", self.tables)
        flat = [each for instruction in self.instructions for each in instruction]
        mode = 2 if self.pruning else int(rows)
        return running(script, self.bases, [self.token, mode, len(self.instructions), *flat], writes=True)

    def _start(self, what: str, table: Table, key: Key) -> list[Argument]:
        tenant = table.tenant_of(key)
        base = self.layout.base(self.namespace, table, tenant)
        if base not in self.bases:
            self.bases.append(base)
        self.tables[table.spec.name] = None
        if what in ("put", "upsert"):
            self.places[table.spec.name, tenant] = None
        return [what, self.bases.index(base) + 1, table.spec.name, table.key_text(key)]


def expectation(expect: Any) -> str:
    """How the script reads an expected version."""
    if expect is None:
        return ""
    return "-" if expect is ABSENT else f"={expect}"


def refusal(layout: Layout, reasons: Sequence[Any]) -> Exception:
    """The error for what the script refused: its kind, the number of the instruction, the table, and details."""
    kind = reasons[0].decode()
    if kind == "many":
        return TooMany()
    table = layout.table(reasons[2].decode())
    spec, details = table.spec, reasons[3:]
    match kind:
        case "duplicate":
            unique = next((each for each in table.uniques if each.name == details[0].decode()), None)
            return duplicate(spec.name, spec.key if unique is None else unique.columns)
        case "parent":
            parent = [each for each in spec.parents if each.enforced][int(details[0]) - 1]
            return missing_parent(spec.name, _as_local(parent), tuple(parts_of(details[1])))
        case "held":
            return still_referenced(spec.name, details[0].decode())
        case "key":
            return StoreError(f"{spec.name}: an upsert cannot change the key of the record it found")
        case "unplaced":
            return Unsupported(f"{spec.name}: a position within a parent that is null; name the parent")
        case _:
            return Conflict(f"{spec.name}: the stored version is not the expected one; read it again")


def _as_local(parent: Parent) -> Parent:
    """The parent as the script knows it: without the tenant."""
    return replace(parent, columns=local(parent.columns), references=local(parent.references))


def _key(table: Table, record: Mapping[str, Any]) -> Key:
    return key_in(table.spec, completed(table.spec, record))


def _pairs(fields: Mapping[str, bytes]) -> list[Argument]:
    return [len(fields), *(each for pair in fields.items() for each in pair)]


def _identity(table: Table, on: tuple[str, ...]) -> str:
    if not on or on == table.spec.key:
        return ""
    for unique in table.uniques:
        if unique.columns == on:
            return unique.name
    raise StoreError(f"{table.spec.name} has no unique set ({', '.join(on)}) to find records by")


def _positions(rules: Mapping[str, Rule]) -> dict[str, Rule]:
    return {column: rule for column, rule in rules.items() if isinstance(rule, Next)}


def _rules(table: Table, rules: Mapping[str, Rule], record: Record) -> list[tuple[Argument, ...]] | None:
    """The rules for the script: column, letter, value. `None` if it does not know one of them."""
    found: list[tuple[Argument, ...]] = []
    for column, rule in rules.items():
        match rule:
            case Keep():
                continue
            case Next(within=within):
                place = table.place_of(within, column)
                if place is None:
                    raise Unsupported(f"{table.spec.name}: nothing lists {column} within {', '.join(within)}")
                found.append((column, "N", place))
            case SetTo(value=None):
                if not table.spec.column(column).nullable:
                    raise StoreError(f"{table.spec.name}: {column} must not be null")
                found.append((column, "D", ""))
            case SetTo(value=value):
                found.append((column, "S", fields_of(table, {**record, column: value})[column]))
            case Replace() | Fill() | Present():
                found.append((column, _LETTERS[type(rule)], ""))
            case _:
                return None
    return found
