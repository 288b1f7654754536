"""Names of objects: turned round, those of tables, and none that is too long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.backends.kernel.ordered_names import packed
from dbrouter.backends.kernel.tenant_tables import ALL_TABLES
from dbrouter.backends.objects.layout import Layout
from dbrouter.backends.objects.names import folder_name, mirrored

LONG = 100_000
SAFE = re.compile(r"[!(\-.0-9_a-z~]+")
KEYS = st.tuples(st.text(st.characters(exclude_categories=()), max_size=8), st.integers())


@given(st.lists(KEYS, min_size=2, max_size=10))
def test_names_sort_backwards_in_the_mirror(keys: list[tuple[str, int]]) -> None:
    names = [packed(key, longest=LONG) for key in sorted(keys)]
    assert sorted(map(mirrored, names)) == [mirrored(each) for each in reversed(names)]
    assert [mirrored(mirrored(each)) for each in names] == names
    assert all(SAFE.fullmatch(mirrored(each)) for each in names)


@pytest.mark.parametrize("names", [("agno", "~agno", "Agno", "_41gno", "a/b", "a.b", "é", "a" * 64, "a" * 65, "..")])
def test_no_two_tables_have_one_folder(names: tuple[str, ...]) -> None:
    folders = {folder_name(name) for name in names}
    assert len(folders) == len(names)
    assert all(re.fullmatch(r"[!(\-.0-9_a-z~]+", each) and each not in (".", "..") for each in folders)


@pytest.mark.parametrize("table", sorted(ALL_TABLES))
def test_no_name_is_longer_than_places_take(table: str) -> None:
    root = "p" * 200 + "/namespaces/" + "n" * 63
    layout = Layout(ALL_TABLES[table], "\N{PILE OF POO}" * 63, root)
    values = dict.fromkeys(layout.spec.column_names, "\ud800" * 1000)
    names = [layout.record(tuple(values[column] for column in layout.spec.key)), *layout.entries(values).values()]
    for name in names:
        assert len(name) + 16 <= 1024
        assert all(len(piece) + 16 <= 255 for piece in name.removeprefix(root).split("/"))
