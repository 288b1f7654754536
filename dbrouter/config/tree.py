"""A configuration file as read: values that know the file and line they come from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

MOST_SHOWN = 80
"""Characters of a value that a message may show."""

Path: TypeAlias = tuple[str, ...]
"""The keys that lead to a value; an item of a list counts as its number."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, or with line 0 something that has no lines."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text, number, truth value or nothing.

    written: as the file has it, references and all; this is what may be shown. data: what it means, never shown.
    """

    place: Place
    written: str
    data: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """A mapping. `place` is that of the key it stands under."""

    place: Place
    entries: dict[str, Entry]


Node: TypeAlias = Leaf | Items | Branch


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's place and its value."""

    place: Place
    node: Node


def plain(node: Node) -> Any:
    """The value without its places."""
    match node:
        case Leaf():
            return node.data
        case Items():
            return [plain(each) for each in node.nodes]
        case Branch():
            return {key: plain(entry.node) for key, entry in node.entries.items()}


def as_node(value: object, place: Place) -> Node:
    """A value as if it had been read, all of it at one place."""
    if isinstance(value, Mapping):
        return as_branch(cast("Mapping[Any, Any]", value), place)
    if isinstance(value, list | tuple):
        return Items(place, tuple(as_node(each, place) for each in cast("Iterable[Any]", value)))
    return Leaf(place, str(value), value)


def as_branch(values: Mapping[Any, Any], place: Place) -> Branch:
    """A mapping as if it had been read, all of it at one place."""
    return Branch(place, {str(key): Entry(place, as_node(each, place)) for key, each in values.items()})


def merged(under: Branch, over: Branch) -> Branch:
    """Both mappings in one, key by key; where both have a value that is no mapping, `over` wins.

    A database that changes its `kind` is another database: it replaces the one below and inherits nothing from it.
    """
    if _kind(under) not in (None, _kind(over)) and _kind(over) is not None:
        return over
    entries = dict(under.entries)
    for key, entry in over.entries.items():
        below = entries.get(key)
        if below is not None and isinstance(below.node, Branch) and isinstance(entry.node, Branch):
            entries[key] = Entry(entry.place, merged(below.node, entry.node))
        else:
            entries[key] = entry
    return Branch(over.place, entries)


def places(node: Node, path: Path = ()) -> Iterator[tuple[Path, Place]]:
    """Every path below the node with its place."""
    if isinstance(node, Branch):
        for key, entry in node.entries.items():
            yield (*path, key), entry.place
            yield from places(entry.node, (*path, key))
    elif isinstance(node, Items):
        for number, each in enumerate(node.nodes):
            yield (*path, str(number)), each.place
            yield from places(each, (*path, str(number)))


def at(node: Node, path: Path) -> tuple[Place, Node | None]:
    """The place and value at a path; where there is none, the place of the deepest key that exists."""
    place = node.place
    here: Node = node
    for key in path:
        if isinstance(here, Branch) and key in here.entries:
            place, here = here.entries[key].place, here.entries[key].node
        elif isinstance(here, Items) and key.isdecimal() and int(key) < len(here.nodes):
            here = here.nodes[int(key)]
            place = here.place
        else:
            return place, None
    return place, here


def written(node: Node | None) -> str:
    """A value as the file has it, for messages: never what a reference stands for."""
    match node:
        case Leaf():
            return repr(textwrap.shorten(node.written, MOST_SHOWN, placeholder="..."))
        case Items():
            return "a list"
        case Branch():
            return "a mapping"
        case None:
            return "nothing"


def _kind(branch: Branch) -> Any:
    entry = branch.entries.get("kind")
    return entry.node.data if entry is not None and isinstance(entry.node, Leaf) else None
