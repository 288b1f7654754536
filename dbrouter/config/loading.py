"""From a file to settings, or to one error that lists everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path as File
from typing import Any, cast

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.memory.settings import MemorySettings
from dbrouter.backends.postgres.settings import PostgresSettings
from dbrouter.backends.sqlite.settings import SqliteSettings
from dbrouter.config.capable import capable
from dbrouter.config.checks import LATER, check
from dbrouter.config.findings import Findings
from dbrouter.config.including import gathered
from dbrouter.config.settings import Database, Settings
from dbrouter.config.tree import Branch, Entry, Items, Leaf, Node, Place, at, places
from dbrouter.config.validating import validated


def load(path: str | os.PathLike[str], environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in the YAML file, with includes merged and references replaced.

    `environ` stands in for the process's environment. All problems are raised together, as one `ConfigError`.
    """
    findings = Findings()
    tree = gathered(File(path), os.environ if environ is None else environ, findings)
    return _settled(_beside_their_files(tree), findings)


def load_mapping(data: Mapping[str, Any], source: str = "settings") -> Settings:
    """The settings in a mapping, checked as a file's are. References are not replaced; Python can do that itself."""
    findings = Findings()
    return _settled(_branch(data, Place(source, 0)), findings)


def _settled(tree: Branch, findings: Findings) -> Settings:
    # A section with nothing below its key is a section not given.
    entries = {key: each for key, each in tree.entries.items() if not _empty(each.node)}
    tree = Branch(tree.place, entries)
    check(tree, findings, capable)
    known = Branch(tree.place, {key: each for key, each in entries.items() if key not in LATER})
    settings = validated(known, findings)
    if settings is not None:
        _refuse_twins(settings, tree, findings)
    findings.refuse()
    if settings is None:  # pragma: no cover - a refusal always leaves a finding
        raise AssertionError("the settings were refused without a reason")
    return settings.located({path: str(place) for path, place in places(tree)} if tree.place.line else {})


def _empty(node: Node) -> bool:
    return isinstance(node, Leaf) and node.data is None


def _beside_their_files(tree: Branch) -> Branch:
    """The tree with each database's relative `path` taken from the folder of the file that names it.

    The process's own folder would not do: the command line and the application may be started in different ones, and
    the second would find an empty database.
    """
    databases = tree.entries.get("databases")
    if databases is None or not isinstance(databases.node, Branch):
        return tree
    placed = {name: Entry(each.place, _beside_its_file(each.node)) for name, each in databases.node.entries.items()}
    whole = Branch(databases.node.place, placed)
    return Branch(tree.place, {**tree.entries, "databases": Entry(databases.place, whole)})


def _beside_its_file(database: Node) -> Node:
    path = database.entries.get("path") if isinstance(database, Branch) else None
    if not isinstance(database, Branch) or path is None or not isinstance(path.node, Leaf):
        return database
    leaf = path.node
    if not isinstance(leaf.data, str) or not leaf.data or leaf.data.startswith((":memory:", "~")):
        return database
    full = File(leaf.place.file).parent.absolute() / leaf.data
    return Branch(
        database.place, {**database.entries, "path": Entry(path.place, Leaf(leaf.place, leaf.written, str(full)))}
    )


def _refuse_twins(settings: Settings, tree: Branch, findings: Findings) -> None:
    """Two names for one set of tables would list every row twice."""
    for (one, first), (two, second) in combinations(settings.databases.items(), 2):
        where = _where(first)
        if where is not None and where == _where(second) and set(_tables(first)) & set(_tables(second)):
            place, _ = at(tree, ("databases", two))
            do = f"use {one!r} in both places, or give the tables other names"
            findings.add(place, ("databases", two), f"this is the same database as {one!r}, with the same tables", do)


def _where(database: Database) -> tuple[str, str] | None:
    match database:
        case MemorySettings():
            return None
        case SqliteSettings():
            return (str(database.path.resolve()), "")
        case PostgresSettings():
            return (database.address(), database.schema_name)


def _tables(database: Database) -> Iterator[str]:
    for table in TABLES.values():
        yield database.tables.get(table.name, table.default_name)


def _node(value: object, place: Place) -> Node:
    if isinstance(value, Mapping):
        return _branch(cast("Mapping[Any, Any]", value), place)
    if isinstance(value, list | tuple):
        return Items(place, tuple(_node(each, place) for each in cast("Iterable[Any]", value)))
    return Leaf(place, str(value), value)


def _branch(values: Mapping[Any, Any], place: Place) -> Branch:
    return Branch(place, {str(key): Entry(place, _node(each, place)) for key, each in values.items()})
