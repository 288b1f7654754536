"""A YAML file as a tree of values with their lines. Nothing in it is executed, and no key may stand twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, ScalarNode, SequenceNode
from yaml.nodes import Node as YamlNode

from dbrouter.config.findings import Findings
from dbrouter.config.tree import Branch, Entry, Items, Leaf, Node, Path, Place

MOST_NODES = 100_000
"""Values that a file may have once its aliases are followed: a few lines of aliases can mean billions."""

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_CORE = {_TAG + kind for kind in ("null", "bool", "int", "float")}
_KNOWN = _CORE | {_TAG + kind for kind in ("str", "timestamp", "value", "map", "seq")}


def read(text: str, file: str, findings: Findings) -> Branch:
    """The file's mapping, empty where it could not be read; what is wrong with it goes to `findings`."""
    nothing = Branch(Place(file, 1), {})
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        # The error's own text quotes the file, which may hold a password; its `problem` does not.
        mark = error.problem_mark or error.context_mark
        _unreadable(findings, Place(file, mark.line + 1 if mark else 1), str(error.problem or error.context))
        return nothing
    except yaml.YAMLError:
        _unreadable(findings, Place(file, 1), "it holds a character that YAML does not allow")
        return nothing
    if root is None:
        return nothing
    if not isinstance(root, MappingNode):
        findings.incomplete = True
        findings.add(Place(file, root.start_mark.line + 1), (), "this is not a mapping", "start with `databases:`")
        return nothing
    return _Reader(file, findings).branch(root, nothing.place, ())


def _unreadable(findings: Findings, place: Place, what: str) -> None:
    findings.incomplete = True
    do = "correct the syntax"
    if r"'\t'" in what:
        do = "put blanks in the place of tabs"
    if "'{'" in what or "flow" in what:
        do += '; inside { } a reference needs quotes: "${NAME}"'
    findings.add(place, (), f"this is not YAML: {what}", do)


class _Reader:
    def __init__(self, file: str, findings: Findings) -> None:
        self._file = file
        self._findings = findings
        self._constructor = SafeConstructor()
        self._open: list[YamlNode] = []
        self._count = 0

    def branch(self, node: MappingNode, place: Place, path: Path) -> Branch:
        entries: dict[str, Entry] = {}
        below: list[Branch] = []
        for key_node, value_node in node.value:
            key_place = self._place(key_node)
            if key_node.tag == _MERGE:
                below.extend(self._merged_in(value_node, place, path))
                continue
            if not isinstance(key_node, ScalarNode):
                self._findings.add(key_place, path, "a key is not a word", "write `key: value`")
                continue
            key = str(key_node.value)
            if key in entries:
                first = entries[key].place.line
                self._findings.add(key_place, (*path, key), f"the key is already on line {first}", "keep one of them")
                continue
            value = self._node(value_node, key_place, (*path, key))
            entries[key] = Entry(value.place if isinstance(value, Leaf) else key_place, value)
        for each in below:
            entries = {**each.entries, **entries}
        return Branch(place, entries)

    def _merged_in(self, node: YamlNode, place: Place, path: Path) -> Iterable[Branch]:
        """What `<<: *alias` brings along."""
        for each in node.value if isinstance(node, SequenceNode) else [node]:
            if isinstance(each, MappingNode):
                value = self._node(each, place, path)
                if isinstance(value, Branch):
                    yield value
            else:
                self._findings.add(
                    self._place(each), (*path, "<<"), "`<<` merges only mappings", "name an anchor of one"
                )

    def _node(self, node: YamlNode, key_place: Place, path: Path) -> Node:
        self._count += 1
        refused = Leaf(self._place(node), "", None)
        if any(node is each for each in self._open):
            self._findings.add(self._place(node), path, "the alias stands inside what it names", "write the value out")
            return refused
        if self._count > MOST_NODES:
            self._findings.incomplete = True
            self._findings.add(
                Place(self._file, 1), (), f"aliases make over {MOST_NODES} values", "write fewer aliases"
            )
            return refused
        self._refuse_tag(node, path)
        self._open.append(node)
        try:
            match node:
                case MappingNode():
                    return self.branch(node, key_place, path)
                case SequenceNode():
                    nodes = (self._node(each, self._place(each), (*path, str(i))) for i, each in enumerate(node.value))
                    return Items(key_place, tuple(nodes))
                case _:
                    return Leaf(self._place(node), str(node.value), self._data(node, path))
        finally:
            self._open.pop()

    def _data(self, node: YamlNode, path: Path) -> Any:
        """The value: text as it is, numbers and truth values as what they are; dates stay text."""
        if node.tag in _CORE:
            try:
                return self._constructor.construct_object(node)  # type: ignore[no-untyped-call]
            except (ValueError, yaml.YAMLError):
                self._findings.add(self._place(node), path, f"this is no {node.tag.removeprefix(_TAG)}", "quote it")
                return None
        return str(node.value)

    def _refuse_tag(self, node: YamlNode, path: Path) -> None:
        if node.tag not in _KNOWN:
            tag = node.tag.replace(_TAG, "!!")
            self._findings.add(self._place(node), path, f"the tag {tag} means nothing here", "remove it")

    def _place(self, node: YamlNode) -> Place:
        return Place(self._file, node.start_mark.line + 1)
