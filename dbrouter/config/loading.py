"""From a file to settings, or to one error that lists everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path as File
from typing import Any

from dbrouter.backends.agno.settings import AgnoSettings
from dbrouter.backends.dynamo.settings import DynamoSettings
from dbrouter.backends.firestore.settings import FirestoreSettings
from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.memory.settings import MemorySettings
from dbrouter.backends.mongo.settings import MongoSettings
from dbrouter.backends.mysql.settings import MySqlSettings
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.postgres.settings import PostgresSettings
from dbrouter.backends.redis.settings import RedisSettings
from dbrouter.backends.singlestore.settings import SingleStoreSettings
from dbrouter.backends.sqlite.settings import SqliteSettings
from dbrouter.config.agno_checks import check_agno
from dbrouter.config.budget import refuse_overbooked
from dbrouter.config.capable import capable, isolates
from dbrouter.config.checks import TENANTS, check, refuse_unwritten
from dbrouter.config.committing import check_committing
from dbrouter.config.described import DescribedTenants, Read
from dbrouter.config.findings import Findings
from dbrouter.config.including import gathered
from dbrouter.config.settings import Database, Settings
from dbrouter.config.stamps import Stamps
from dbrouter.config.tenancy_checks import TENANCY, check_tenancy
from dbrouter.config.tree import Branch, Entry, Leaf, Node, Place, as_branch, at, places
from dbrouter.config.validating import validated


def load(path: str | os.PathLike[str], environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in the YAML file, with includes merged and references replaced.

    `environ` stands in for the process's environment. All problems are raised together, as one `ConfigError`.
    """
    variables = os.environ if environ is None else environ

    def read() -> tuple[Branch, Stamps, Findings]:
        findings = Findings()
        tree, stamps = gathered(File(path), variables, findings)
        return _beside_their_files(tree), stamps, findings

    tree, stamps, findings = read()
    return _settled(tree, findings, stamps, lambda: _read_again(*read()))


def load_mapping(data: Mapping[str, Any], source: str = "settings") -> Settings:
    """The settings in a mapping, checked as a file's are. References are not replaced; Python can do that itself."""
    findings = Findings()
    return _settled(as_branch(data, Place(source, 0)), findings)


def _read_again(tree: Branch, stamps: Stamps, findings: Findings) -> tuple[Branch, Stamps]:
    """The files' tree, if it can be served."""
    _settled(tree, findings)
    return _with_said_only(tree), stamps


def _settled(
    tree: Branch,
    findings: Findings,
    stamps: Stamps | None = None,
    read: Read | None = None,
) -> Settings:
    tree = _with_said_only(tree)
    check(tree, findings, capable)
    check_tenancy(tree, findings, isolates)
    settings = validated(tree, findings)
    refuse_unwritten(tree, findings)
    if settings is not None:
        settings.located({path: str(place) for path, place in places(tree) if place.line})
        if settings.tenancy_said is not None or settings.tenants_said:
            source = DescribedTenants(tree, lambda other: _settled(other, Findings()), read, stamps or {})
            settings.described_by(source)
        _refuse_twins(settings, tree, findings)
        _refuse_own_schema(settings, tree, findings)
        refuse_overbooked(settings, tree, findings)
        check_committing(settings, tree, findings)
        check_agno(settings, tree, findings)
    findings.refuse()
    if settings is None:  # pragma: no cover - a refusal always leaves a finding
        raise AssertionError("the settings were refused without a reason")
    return settings


def _with_said_only(tree: Branch) -> Branch:
    """The tree without sections that have nothing below their key: those are not given.

    But a key that speaks of tenants means that there are some: without them all rows would be everybody's. And of what
    has to be there it is told where it lacks something.
    """
    entries: dict[str, Entry] = {}
    for key, each in tree.entries.items():
        if not (isinstance(each.node, Leaf) and each.node.data is None):
            entries[key] = each
        elif key in (TENANCY, TENANTS, "databases", "agentos") and not each.node.written:
            entries[key] = Entry(each.place, Branch(each.place, {}))
    return Branch(tree.place, entries)


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


def _refuse_own_schema(settings: Settings, tree: Branch, findings: Findings) -> None:
    """A tenant's schema must not be the one in which a database keeps everybody's tables."""
    taken = {
        database.schema_name: name
        for name, database in settings.databases.items()
        if isinstance(database, PostgresSettings)
    }
    for name, tenant in settings.tenants_said.items():
        if tenant.namespace in taken:
            path = ("tenants", name, "namespace")
            what = f"the tables of {taken[tenant.namespace]!r} itself are in the schema {tenant.namespace!r}"
            findings.add(at(tree, path)[0], path, what, "choose another, or leave it out")


def _where(database: Database) -> tuple[str, str] | None:
    match database:
        case MemorySettings():
            return None
        case SqliteSettings():
            return (str(database.path.resolve()), "")
        case ObjectsSettings():
            return (database.where, database.prefix)
        case PostgresSettings() | MySqlSettings() | SingleStoreSettings():
            return (database.address(), database.schema_name)
        case MongoSettings():
            return (database.address(), database.database)
        case RedisSettings():
            try:
                return (database.target().shown, database.prefix)
            except ModuleNotFoundError:
                return None  # its client reads the address, and whoever opens it tells that it is not installed
        case DynamoSettings():
            return (f"{database.endpoint_url} {database.region} {database.profile}", database.table)
        case FirestoreSettings():
            return (f"{database.emulator or database.host} {database.project}", f"{database.database} {database.root}")
        case AgnoSettings():
            # Without an argument nothing says that two objects of a class have the same rows.
            return (database.class_path, repr(sorted(database.args.items()))) if database.args else None


def _tables(database: Database) -> Iterator[str]:
    for table in TABLES.values():
        yield database.tables.get(table.name, table.default_name)
