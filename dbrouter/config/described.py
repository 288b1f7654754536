"""The tenants of a configuration, read again when its files change and together with a table's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.secrets import masked
from dbrouter.config.stamps import Stamps, now, settled
from dbrouter.config.tree import Branch, Entry, Leaf, Place, as_node, at, plain
from dbrouter.router.tenancy.description import CatalogRow, Described

if TYPE_CHECKING:
    from dbrouter.config.settings import Settings

Read = Callable[[], "tuple[Branch, Stamps]"]
"""Reads the files again: their tree, if it can be served, and which files there are. `ConfigError` if it cannot."""

SettingsOf = Callable[[Branch], "Settings"]
"""The settings in a tree. `ConfigError` if it cannot be served."""

TENANTS = "tenants"


class DescribedTenants:
    """The tenants that a configuration describes.

    Only `tenants` counts when its files change; the rest stays as it was at load.
    settings_of: makes settings of a tree. read: reads the files again; `None` where the settings come from no file.
    """

    def __init__(self, tree: Branch, settings_of: SettingsOf, read: Read | None, stamps: Stamps) -> None:
        self._running = tree
        self._file = tree
        self._settings_of = settings_of
        self._read = read
        self._stamps = stamps
        self._refused: Stamps | None = None

    def changed(self) -> bool:
        """Whether the files are other ones than those last read, as their sizes and times say."""
        stamps = now(self._stamps)
        return self._read is not None and stamps not in (self._stamps, self._refused) and settled(stamps)

    def read(self, rows: Sequence[CatalogRow] = ()) -> Described:
        """The tenants of the files, read again where they changed, and of these rows.

        Files that cannot be served leave those read before in their place, and are told in `refused`.
        """
        stamps = now(self._stamps)
        if self._read is None or stamps == self._stamps or not settled(stamps):
            return self._described(self._file, rows)
        try:
            tree, read = self._read()
            found = self._described(tree, rows)
        except ConfigError as error:
            self._refused = stamps
            return replace(self._described(self._file, rows), refused=error)
        self._file, self._stamps, self._refused = tree, read, None
        return found

    def _described(self, file: Branch, rows: Sequence[CatalogRow]) -> Described:
        """The tenants of this tree and of these rows, with the rest of the configuration as it was at load."""
        said = _tenants(file)
        added = {row.name: _entry(row, self._table) for row in rows if row.name not in said}
        tenancy = self._settings_of(_with_tenants(self._running, {**said, **added}, at(file, (TENANTS,))[0])).tenancy
        notes = (*self._to_restart(file), *self._clashes(said, rows))
        if tenancy is None:
            return Described(tenants={}, notes=notes)
        tenants = {
            name: replace(tenant, source=self._table, place="") if name in added else tenant
            for name, tenant in tenancy.described.tenants.items()
        }
        return Described(tenants=tenants, others=tenancy.described.others, notes=notes)

    @property
    def _table(self) -> str:
        node = at(self._running, ("tenancy", "catalog", "db"))[1]
        return f"the table dbrouter_tenants of {node.data!r}" if isinstance(node, Leaf) else "the table of tenants"

    def _to_restart(self, file: Branch) -> Iterator[str]:
        for key in dict.fromkeys((*self._running.entries, *file.entries)):
            one, other = self._running.entries.get(key), file.entries.get(key)
            if key != TENANTS and _plain(one) != _plain(other):
                where = (other or one or Entry(file.place, file)).place
                yield masked(f"{where}: {key} changed; that takes effect when the process is started again")

    def _clashes(self, said: Mapping[str, Entry], rows: Sequence[CatalogRow]) -> Iterator[str]:
        for row in rows:
            if row.name in said:
                yield f"tenant {row.name!a} is in {self._table} and on {said[row.name].place}; the file counts"


def _tenants(tree: Branch) -> Mapping[str, Entry]:
    node = at(tree, (TENANTS,))[1]
    return node.entries if isinstance(node, Branch) else {}


def _with_tenants(tree: Branch, tenants: Mapping[str, Entry], place: Place) -> Branch:
    entries = {key: each for key, each in tree.entries.items() if key != TENANTS}
    return Branch(tree.place, {**entries, TENANTS: Entry(place, Branch(place, dict(tenants)))} if tenants else entries)


def _entry(row: CatalogRow, table: str) -> Entry:
    place = Place(table, 0)
    spec = row.spec
    if isinstance(spec, Mapping):
        said = cast("Mapping[Any, Any]", spec)
        spec = {**said, "suspended": row.suspended or said.get("suspended")}
    return Entry(place, as_node(spec, place))


def _plain(entry: Entry | None) -> Any:
    return None if entry is None else plain(entry.node)
