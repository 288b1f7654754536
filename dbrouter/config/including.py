"""A configuration file and all that it includes, as one tree with every reference replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path as File
from typing import Any

from dbrouter.config.findings import Findings
from dbrouter.config.reading import read
from dbrouter.config.references import BadReferenceError, expand
from dbrouter.config.stamps import Stamp, Stamps, stamp_of
from dbrouter.config.tree import Branch, Entry, Items, Leaf, Node, Path, Place, merged

INCLUDE = "include"


def gathered(file: File, environ: Mapping[str, str], findings: Findings) -> tuple[Branch, Stamps]:
    """The file's mapping over those of the files it includes: later ones win, and the file itself over all of them.

    With it, all files that were read, or should have been.
    """
    stamps: dict[File, Stamp] = {}
    return _gathered(file, environ, findings, (Place(str(file), 1), ()), (), stamps), stamps


def _gathered(
    file: File,
    environ: Mapping[str, str],
    findings: Findings,
    asked: tuple[Place, Path],
    chain: tuple[File, ...],
    stamps: dict[File, Stamp],
) -> Branch:
    nothing = Branch(Place(str(file), 1), {})
    # Before it is read: a change while it is read must be seen as one.
    stamps.setdefault(file, stamp_of(file))
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        findings.incomplete = True
        missing = "run `dbrouter init` to write one" if isinstance(error, FileNotFoundError) else "name another file"
        do = "the path is relative to the file that includes it" if chain else missing
        findings.add(*asked, f"the file {str(file)!r} cannot be read: {error.strerror or 'no reason given'}", do)
        return nothing
    except UnicodeDecodeError as error:
        findings.incomplete = True
        line = error.object[: error.start].count(b"\n") + 1
        findings.add(Place(str(file), line), (), "this is not UTF-8 text", "save the file as UTF-8")
        return nothing
    read_here = _expanded_branch(read(text, str(file), findings), environ, findings, file.parent, ())
    own = Branch(read_here.place, {key: each for key, each in read_here.entries.items() if key != INCLUDE})
    whole = nothing
    here = (*chain, file)
    for place, path, name in _included(read_here.entries.get(INCLUDE), findings):
        other = file.parent / name
        if any(_same(other, each) for each in here):
            findings.incomplete = True
            way = " -> ".join(str(each) for each in (*here, other))
            findings.add(place, path, f"the files include each other: {way}", "remove one of the includes")
            continue
        whole = merged(whole, _gathered(other, environ, findings, (place, path), here, stamps))
    return merged(whole, own)


def _included(entry: Entry | None, findings: Findings) -> list[tuple[Place, Path, str]]:
    if entry is None or (isinstance(entry.node, Leaf) and entry.node.data is None):
        return []
    found: list[tuple[Place, Path, str]] = []
    listed = isinstance(entry.node, Items)
    for number, node in enumerate(entry.node.nodes if isinstance(entry.node, Items) else (entry.node,)):
        path: Path = (INCLUDE, str(number)) if listed else (INCLUDE,)
        if isinstance(node, Leaf) and isinstance(node.data, str) and node.data:
            found.append((node.place, path, node.data))
        else:
            findings.incomplete = True
            findings.add(node.place, path, "an include is not the name of a file", "name a file, or list files")
    return found


def _same(one: File, other: File) -> bool:
    return one.resolve() == other.resolve()


def _expanded_branch(
    branch: Branch, environ: Mapping[str, str], findings: Findings, folder: File, path: Path
) -> Branch:
    entries = {
        key: Entry(entry.place, _expanded(entry.node, environ, findings, folder, (*path, key)))
        for key, entry in branch.entries.items()
    }
    return Branch(branch.place, entries)


def _expanded(node: Node, environ: Mapping[str, str], findings: Findings, folder: File, path: Path) -> Node:
    match node:
        case Branch():
            return _expanded_branch(node, environ, findings, folder, path)
        case Items():
            nodes = (_expanded(each, environ, findings, folder, (*path, str(i))) for i, each in enumerate(node.nodes))
            return Items(node.place, tuple(nodes))
        case Leaf():
            return Leaf(node.place, node.written, _value(node, environ, findings, _reader(folder), path))


def _value(
    leaf: Leaf, environ: Mapping[str, str], findings: Findings, read_file: Callable[[str], str], path: Path
) -> Any:
    if not isinstance(leaf.data, str):
        return leaf.data
    try:
        return expand(leaf.data, environ, read_file)
    except BadReferenceError as bad:
        findings.incomplete = findings.incomplete or path[:1] == (INCLUDE,)
        findings.add(leaf.place, path, bad.what, bad.do)
        return leaf.data


def _reader(folder: File) -> Callable[[str], str]:
    def text(name: str) -> str:
        return (folder / File(name).expanduser()).read_bytes().decode("utf-8")

    return text
