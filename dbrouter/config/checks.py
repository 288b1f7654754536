"""What no single key can tell: names that lead nowhere, families without a database, routes that contradict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dbrouter.backends.settings import nearest
from dbrouter.config.findings import Findings
from dbrouter.config.tree import Branch, Leaf, Node, Path, at, written
from dbrouter.router.routes import SERVED

SECTIONS = {"agents": "agent", "teams": "team", "workflows": "workflow"}
LATER = ("tenancy", "tenants")
"""Keys of a later version, refused by name."""

Capable = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class _Mention:
    """A place where a database is named. family: `None` for all that nothing else in the scope names."""

    scope: Path
    path: Path
    family: str | None
    leaf: Leaf

    @property
    def name(self) -> str:
        return str(self.leaf.data)


def check(tree: Branch, findings: Findings, capable: Capable) -> None:
    """Add to `findings` what the keys say together that cannot be served."""
    mentions = tuple(_mentions(tree))
    kinds = _kinds(tree)
    _refuse_later(tree, findings)
    if not findings.incomplete:
        _refuse_dangling(mentions, kinds, findings)
        _refuse_no_sessions(tree, mentions, findings)
        _refuse_unserved(mentions, findings)
    _refuse_incapable(mentions, kinds, findings, capable)
    _refuse_ties(mentions, findings)
    _refuse_idle_components(tree, findings)


def _mentions(tree: Branch) -> Iterator[_Mention]:
    yield from _mentions_in(tree, ("agentos",), {"db": None, "trace_db": "traces", "eval_db": "evals"})
    for section in SECTIONS:
        for id_ in _keys(tree, (section,)):
            yield from _mentions_in(tree, (section, id_), {"db": None})


def _mentions_in(tree: Branch, scope: Path, named: dict[str, str | None]) -> Iterator[_Mention]:
    paths = [((*scope, key), family) for key, family in named.items()]
    paths += [((*scope, "families", family), family) for family in _keys(tree, (*scope, "families"))]
    for path, family in paths:
        _, node = at(tree, path)
        if isinstance(node, Leaf) and isinstance(node.data, str):
            yield _Mention(scope, path, family, node)


def _keys(tree: Branch, path: Path) -> tuple[str, ...]:
    _, node = at(tree, path)
    return tuple(node.entries) if isinstance(node, Branch) else ()


def _kinds(tree: Branch) -> dict[str, str]:
    """Database -> its kind, "" where none is given."""
    kinds: dict[str, str] = {}
    for name in _keys(tree, ("databases",)):
        _, node = at(tree, ("databases", name, "kind"))
        kinds[name] = str(node.data) if isinstance(node, Leaf) else ""
    return kinds


def _refuse_later(tree: Branch, findings: Findings) -> None:
    for key in LATER:
        if key in tree.entries:
            findings.add(tree.entries[key].place, (key,), f"{key} is not supported by this version", "remove it")


def _refuse_dangling(mentions: tuple[_Mention, ...], kinds: dict[str, str], findings: Findings) -> None:
    for each in mentions:
        if each.name not in kinds:
            near = nearest(each.name, kinds)
            known = f"name one of {', '.join(kinds)}" if kinds else "describe it under `databases`"
            do = f"did you mean {near!r}?" if near else known
            findings.add(each.leaf.place, each.path, f"there is no database {written(each.leaf)}", do)


def _refuse_no_sessions(tree: Branch, mentions: tuple[_Mention, ...], findings: Findings) -> None:
    if not any(each.scope == ("agentos",) and each.family in (None, "sessions") for each in mentions):
        place, _ = at(tree, ("agentos",))
        do = "set agentos.db, or agentos.families.sessions"
        findings.add(place, ("agentos",), "no database is named for sessions", do)


def _refuse_unserved(mentions: tuple[_Mention, ...], findings: Findings) -> None:
    """A family that has a database for one component only could not answer a call that names no component."""
    served = {each.family for each in mentions if each.scope == ("agentos",)}
    for each in mentions:
        if each.scope != ("agentos",) and each.family in SERVED and not served & {None, each.family}:
            what = f"{each.family} has a database for this component only, and agno asks without a component too"
            findings.add(each.leaf.place, each.path, what, f"set agentos.families.{each.family} or agentos.db")


def _refuse_incapable(
    mentions: tuple[_Mention, ...], kinds: dict[str, str], findings: Findings, capable: Capable
) -> None:
    for each in mentions:
        kind = kinds.get(each.name, "")
        for family in _meant_by(each, mentions):
            reason = capable(kind, family) if kind and family in SERVED else None
            # An unknown kind is told where the kind stands.
            if reason is not None and any(capable(kind, other) is None for other in SERVED):
                able = [name for name, of in kinds.items() if capable(of, family) is None]
                where = able[0] if able else "a database that can"
                do = f"send the family elsewhere, e.g. {'.'.join(each.scope)}.families.{family}: {where}"
                findings.add(each.leaf.place, each.path, f"{family} on {each.name!r} ({kind}): {reason}", do)


def _meant_by(mention: _Mention, mentions: tuple[_Mention, ...]) -> tuple[str, ...]:
    if mention.family is not None:
        return (mention.family,)
    named = {each.family for each in mentions if each.scope == mention.scope}
    return tuple(family for family in SERVED if family not in named)


def _refuse_ties(mentions: tuple[_Mention, ...], findings: Findings) -> None:
    first: dict[tuple[Path, str], _Mention] = {}
    for each in mentions:
        if each.family is None:
            continue
        other = first.setdefault((each.scope, each.family), each)
        if other.name != each.name:
            what = f"{'.'.join(other.path)} on {other.leaf.place} names another database for {each.family}"
            findings.add(each.leaf.place, each.path, what, "keep one of them")


def _refuse_idle_components(tree: Branch, findings: Findings) -> None:
    for section, kind in SECTIONS.items():
        for id_ in _keys(tree, (section,)):
            place, node = at(tree, (section, id_))
            if _says_nothing(node):
                findings.add(place, (section, id_), f"nothing is said about this {kind}", "give it `db` or `families`")


def _says_nothing(node: Node | None) -> bool:
    return (isinstance(node, Branch) and not node.entries) or (isinstance(node, Leaf) and node.data is None)
