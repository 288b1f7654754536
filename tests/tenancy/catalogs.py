"""A configuration whose tenants change while a catalog of them is open."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dbrouter.backends.kernel.running import finish
from dbrouter.config import load
from dbrouter.router.opening import open_store
from dbrouter.router.tenancy.catalog import Catalog

if TYPE_CHECKING:
    from dbrouter.backends.kernel.store import Store

POLL = 0.05
LONG = 10.0
"""Seconds in which a change must have been taken over."""

HEAD = """\
databases:
  main: {{kind: sqlite, path: main.db}}
  table: {{{table}, deadline: 2}}
  silo: {{kind: sqlite, path: silo.db}}
agentos: {{db: main}}
"""


class Place:
    """A configuration file that a test rewrites, the database with the table, and the catalogs opened on them."""

    def __init__(self, folder: Path, table: str) -> None:
        self.file = folder / "dbrouter.yaml"
        self._head = HEAD.format(table=table)
        self._open: list[Catalog] = []
        self._stores: list[Store] = []

    def write(self, text: str, *, head: str = "") -> None:
        """Put a new file in the place of the old one, as editors do; its time is one that counts as settled."""
        new = self.file.with_suffix(".new")
        new.write_text((head or self._head) + text, encoding="utf-8")
        a_while_ago = time.time() - 1
        os.utime(new, (a_while_ago, a_while_ago))
        new.replace(self.file)

    def catalog(self, *, poll: float = POLL) -> Catalog:
        """A catalog of the file as it is."""
        settings = load(self.file)
        tenancy = settings.tenancy
        assert tenancy is not None
        made = Catalog(tenancy, self.store() if tenancy.table is not None else None, poll=poll)
        self._open.append(made)
        return made

    def store(self) -> Store:
        """A blocking store of the database with the table."""
        made = open_store("table", load(self.file).databases["table"], blocking=True)
        self._stores.append(made)
        return made

    def close(self) -> None:
        """Close all that was opened."""
        for each in (*self._open, *self._stores):
            finish(each.close())


def refuses(catalog: Catalog, name: str, error: type[Exception]) -> bool:
    """Whether the tenant is refused with this error."""
    try:
        catalog.get(name)
    except error:
        return True
    return False
