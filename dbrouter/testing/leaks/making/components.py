"""Components, their versions and what these refer to."""

from __future__ import annotations

from typing import Any

from dbrouter.router.agno_types import ComponentType
from dbrouter.testing.leaks.making.hand import Calls, Hand, Makers

LINKS = ("member", "uses", "uses")
"""One that pins the version that it names, and one that does not."""
KINDS = (ComponentType.AGENT, ComponentType.AGENT, ComponentType.AGENT, ComponentType.TEAM)
"""Mostly one, for a component keeps the type it was made with."""


def _referring(hand: Hand) -> tuple[str, list[dict[str, Any]]]:
    """A component, and links to others that come after it, so that not all of them are circles."""
    names = hand.some_new()
    parent = hand.random.randrange(2)
    children = hand.random.sample(names[parent + 1 :], 1)
    return names[parent], [_link(hand, child, position) for position, child in enumerate(children)]


def _link(hand: Hand, child: str, position: int) -> dict[str, Any]:
    return {
        "link_kind": hand.random.choice(LINKS),
        "link_key": f"{position} {hand.id()}",
        "child_component_id": child,
        "child_version": hand.random.randint(1, 2),
        "position": position,
        "meta": hand.data(),
    }


def _version(hand: Hand) -> int:
    return hand.random.choice((1, 1, 2, 3))


def _created(hand: Hand) -> dict[str, Any]:
    return {
        "component_id": hand.new(),
        "component_type": hand.random.choice(KINDS),
        "name": hand.text(),
        "config": hand.data(),
        "stage": hand.random.choice(["draft", "published"]),
    }


def _saved(hand: Hand) -> dict[str, Any]:
    """A new version mostly, else a change of one; now and then as of a version that must be the latest."""
    component_id, links = _referring(hand)
    said: dict[str, Any] = {"component_id": component_id, "config": hand.data(), "notes": hand.text()}
    if hand.random.random() < 0.5:
        said["links"] = links
    if hand.rarely():
        said["version"] = _version(hand)
    if hand.rarely():
        said["expected_latest_version"] = _version(hand)
    return {**said, "stage": hand.random.choice(["draft", "published", None])}


def _of_few(hand: Hand) -> dict[str, Any]:
    return {"component_id": hand.new()}


def _version_of_few(hand: Hand) -> dict[str, Any]:
    return {"component_id": hand.new(), "version": _version(hand)}


MAKERS: Makers = {
    **dict.fromkeys(("component_type",), lambda hand: hand.random.choice(KINDS)),
    **dict.fromkeys(("component_ids", "exclude_component_ids"), lambda hand: {*hand.some_new(), hand.id()}),
    **dict.fromkeys(
        ("hard_delete", "include_deleted", "include_config", "active_parents_only", "require_no_dependents"),
        lambda hand: hand.random.random() < 0.5,
    ),
    **dict.fromkeys(("version", "expected_current_version", "current_version"), _version),
    **dict.fromkeys(("label", "link_kind"), lambda hand: hand.id()),
    "parent_user_id": lambda hand: hand.user(),
    "config": lambda hand: hand.data(),
    "notes": lambda hand: hand.text(),
    "offset": lambda hand: hand.random.choice([0, 0, 1]),
}

CALLS: Calls = {
    "create_component_with_config": _created,
    "upsert_component": lambda hand: {
        "component_id": hand.new(),
        "component_type": hand.random.choice(KINDS),
        "description": hand.text(),
        "metadata": hand.data(),
    },
    "upsert_config": _saved,
    "delete_config": _version_of_few,
    "set_current_version": _version_of_few,
    "get_links": _version_of_few,
    **dict.fromkeys(("get_config", "get_dependents", "load_component_graph", "list_configs"), _of_few),
}
