"""What no single key can tell: names that lead nowhere, families without a database, routes that contradict."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from dbrouter.backends.settings import nearest
from dbrouter.config.findings import Findings
from dbrouter.config.tree import Branch, Leaf, Node, Path, at, written
from dbrouter.router.routes import SERVED, WHOLE

SECTIONS = {"agents": "agent", "teams": "team", "workflows": "workflow"}
TENANTS = "tenants"

Capable = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a database is named. family: `None` for all that nothing else in the scope names."""

    scope: Path
    path: Path
    family: str | None
    leaf: Leaf

    @property
    def name(self) -> str:
        """The name that stands there."""
        return str(self.leaf.data)


def check(tree: Branch, findings: Findings, capable: Capable) -> None:
    """Add to `findings` what the keys say together that cannot be served."""
    mentions = tuple(mentions_in(tree))
    kinds = kinds_in(tree)
    if not findings.incomplete:
        _refuse_dangling(mentions, kinds, findings)
        _refuse_no_sessions(tree, mentions, findings)
        _refuse_unserved(mentions, findings)
        _refuse_whole(mentions, findings)
    _refuse_incapable(mentions, kinds, findings, capable)
    _refuse_ties(mentions, findings)
    _refuse_idle_components(tree, findings)


def mentions_in(tree: Branch) -> Iterator[Mention]:
    """Every place where the deployment, a component or a tenant names a database for its rows."""
    yield from _mentions_of(tree, ("agentos",), {"db": None, "trace_db": "traces", "eval_db": "evals"})
    for section in SECTIONS:
        for id_ in keys_at(tree, (section,)):
            yield from _mentions_of(tree, (section, id_), {"db": None})
    for name in keys_at(tree, (TENANTS,)):
        yield from _mentions_of(tree, (TENANTS, name), {"db": None})


def _mentions_of(tree: Branch, scope: Path, named: dict[str, str | None]) -> Iterator[Mention]:
    paths = [((*scope, key), family) for key, family in named.items()]
    paths += [((*scope, "families", family), family) for family in keys_at(tree, (*scope, "families"))]
    for path, family in paths:
        _, node = at(tree, path)
        if isinstance(node, Leaf) and isinstance(node.data, str):
            yield Mention(scope, path, family, node)


def keys_at(tree: Branch, path: Path) -> tuple[str, ...]:
    """The keys of the mapping at a path; none where there is no mapping."""
    _, node = at(tree, path)
    return tuple(node.entries) if isinstance(node, Branch) else ()


def kinds_in(tree: Branch) -> dict[str, str]:
    """Database -> its kind, "" where none is given."""
    kinds: dict[str, str] = {}
    for name in keys_at(tree, ("databases",)):
        _, node = at(tree, ("databases", name, "kind"))
        kinds[name] = str(node.data) if isinstance(node, Leaf) else ""
    return kinds


def _refuse_dangling(mentions: tuple[Mention, ...], kinds: dict[str, str], findings: Findings) -> None:
    for each in mentions:
        refuse_dangling(each.path, each.leaf, kinds, findings)


def refuse_dangling(path: Path, leaf: Leaf, kinds: Collection[str], findings: Findings) -> None:
    """Refuse the name at this path if no database has it."""
    if str(leaf.data) not in kinds:
        near = nearest(str(leaf.data), kinds)
        known = f"name one of {', '.join(kinds)}" if kinds else "describe it under `databases`"
        do = f"did you mean {near!r}?" if near else known
        findings.add(leaf.place, path, f"there is no database {written(leaf)}", do)


def _refuse_no_sessions(tree: Branch, mentions: tuple[Mention, ...], findings: Findings) -> None:
    if not any(each.scope == ("agentos",) and each.family in (None, "sessions") for each in mentions):
        place, node = at(tree, ("agentos",))
        if node is not None and not isinstance(node, Branch):
            return  # that it is no mapping is told by the model
        do = "set agentos.db, or agentos.families.sessions"
        findings.add(place, ("agentos",), "no database is named for sessions", do)


def _refuse_unserved(mentions: tuple[Mention, ...], findings: Findings) -> None:
    """A family that has a database for one component only could not answer a call that names no component."""
    served = {each.family for each in mentions if each.scope == ("agentos",)}
    for each in mentions:
        if each.scope != ("agentos",) and each.family in SERVED and not served & {None, each.family}:
            whom, without = (
                ("tenant", "of others") if each.scope[0] == TENANTS else ("component", "without a component")
            )
            what = f"{each.family} has a database for this {whom} only, and agno asks {without} too"
            findings.add(each.leaf.place, each.path, what, f"set agentos.families.{each.family} or agentos.db")


def _refuse_whole(mentions: tuple[Mention, ...], findings: Findings) -> None:
    for each in mentions:
        if each.scope[0] in SECTIONS and each.family in WHOLE:
            what = f"{each.family} are of the whole deployment: no call of them names {SECTIONS[each.scope[0]]}s"
            findings.add(each.leaf.place, each.path, what, f"write agentos.families.{each.family}: {each.name}")


def _refuse_incapable(
    mentions: tuple[Mention, ...], kinds: dict[str, str], findings: Findings, capable: Capable
) -> None:
    for each in mentions:
        kind = kinds.get(each.name, "")
        for family in meant_by(each, mentions):
            reason = capable(kind, family) if kind and family in SERVED else None
            # An unknown kind is told where the kind stands.
            if reason is not None and any(capable(kind, other) is None for other in SERVED):
                able = [name for name, of in kinds.items() if capable(of, family) is None]
                where = able[0] if able else "a database that can"
                do = f"send the family elsewhere, e.g. {'.'.join(each.scope)}.families.{family}: {where}"
                findings.add(each.leaf.place, each.path, f"{family} on {each.name!r} ({kind}): {reason}", do)


def meant_by(mention: Mention, mentions: tuple[Mention, ...]) -> tuple[str, ...]:
    """The families of which a mention speaks: the one that it names, or all that nothing else in its scope names."""
    if mention.family is not None:
        return (mention.family,)
    named = {each.family for each in mentions if each.scope == mention.scope}
    if mention.scope[0] in SECTIONS:
        named |= WHOLE
    return tuple(family for family in SERVED if family not in named)


def _refuse_ties(mentions: tuple[Mention, ...], findings: Findings) -> None:
    first: dict[tuple[Path, str], Mention] = {}
    for each in mentions:
        if each.family is None:
            continue
        other = first.setdefault((each.scope, each.family), each)
        if other.name != each.name:
            what = f"{'.'.join(other.path)} on {other.leaf.place} names another database for {each.family}"
            findings.add(each.leaf.place, each.path, what, "keep one of them")


def _refuse_idle_components(tree: Branch, findings: Findings) -> None:
    for section, kind in SECTIONS.items():
        for id_ in keys_at(tree, (section,)):
            place, node = at(tree, (section, id_))
            if _says_nothing(node):
                findings.add(place, (section, id_), f"nothing is said about this {kind}", "give it `db` or `families`")
            if "${" in id_:
                what = f"this is no {kind}'s id: references are replaced in values and not in names"
                findings.add(place, (section, id_), what, "write the id itself")


def refuse_unwritten(node: Node, findings: Findings, path: Path = ()) -> None:
    """Refuse each key with nothing behind it, below the sections: what was forgotten must not mean "as by default".

    `null` says that nothing is meant. Of a tenant with nothing behind its name `"*"` may say everything.
    """
    if isinstance(node, Branch):
        for key, entry in node.entries.items():
            refuse_unwritten(entry.node, findings, (*path, key))
    elif isinstance(node, Leaf) and node.data is None and not node.written and path[:-1] != (TENANTS,):
        joined = ":" in path[-1].strip(":")
        do = "put a blank behind the colon" if joined else "give it a value, or remove it"
        findings.add(node.place, path, "nothing is written behind this key", do)


def _says_nothing(node: Node | None) -> bool:
    return (isinstance(node, Branch) and not node.entries) or (isinstance(node, Leaf) and node.data is None)
