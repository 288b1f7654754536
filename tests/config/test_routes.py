"""Which database: the most specific rule decides, whoever wrote it first."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from dbrouter.backends.kernel.agno_tables import FAMILIES
from dbrouter.backends.kernel.errors import ConfigError, RoutingError
from dbrouter.config import load_mapping
from dbrouter.config.capable import KINDS, capable
from dbrouter.config.checks import check
from dbrouter.config.findings import Findings
from dbrouter.config.tree import Branch, Entry, Leaf, Node, Place
from dbrouter.router.explain import LISTING, SEARCHING, explain
from dbrouter.router.families import FAMILY_CLASSES
from dbrouter.router.routes import SCHEMA_VERSIONS, SERVED, WHOLE, Component, Routes, Rule

DATABASES = {name: {"kind": "memory"} for name in ("main", "mine", "fast", "other")}
BOT = Component("agent", "bot")


def routes(**sections: Any) -> Routes:
    """The routes of a configuration with four databases."""
    return Routes.of(load_mapping({"databases": DATABASES, **sections}))


def test_the_default_decides_where_nothing_else_is_said() -> None:
    found = routes(agentos={"db": "main"})
    assert {found.database(family) for family in SERVED} == {"main"}
    assert found.families == SERVED


def test_a_family_is_stronger_than_the_default() -> None:
    found = routes(agentos={"db": "main", "families": {"memories": "mine"}})
    assert (found.database("memories"), found.database("sessions")) == ("mine", "main")


def test_trace_db_and_eval_db_name_their_families() -> None:
    found = routes(agentos={"db": "main", "trace_db": "fast", "eval_db": "other"})
    assert [found.database(each) for each in ("traces", "evals", "sessions")] == ["fast", "other", "main"]


def test_a_component_is_stronger_than_a_family() -> None:
    found = routes(agentos={"db": "main", "families": {"memories": "fast"}}, agents={"bot": {"db": "mine"}})
    assert found.database("memories", BOT) == "mine"
    assert found.database("memories") == "fast"


def test_a_family_of_a_component_is_strongest() -> None:
    found = routes(
        agentos={"db": "main", "families": {"memories": "fast"}},
        agents={"bot": {"db": "mine", "families": {"memories": "other"}}},
    )
    assert (found.database("memories", BOT), found.database("sessions", BOT)) == ("other", "mine")


def test_a_component_without_rules_goes_where_all_go() -> None:
    assert routes(agentos={"db": "main"}).database("sessions", BOT) == "main"


def test_components_of_different_kinds_may_share_an_id() -> None:
    found = routes(agentos={"db": "main"}, agents={"bot": {"db": "mine"}}, teams={"bot": {"db": "fast"}})
    kinds = ("agent", "team", "workflow")
    assert [found.database("sessions", Component(kind, "bot")) for kind in kinds] == ["mine", "fast", "main"]


def test_the_databases_of_a_family_start_with_the_default_and_come_once() -> None:
    found = routes(
        agentos={"db": "main", "families": {"memories": "fast"}},
        agents={"a": {"families": {"memories": "other"}}, "b": {"db": "mine"}, "c": {"db": "fast"}},
    )
    assert found.databases("memories") == ("fast", "other", "mine")
    assert found.databases("sessions") == ("main", "mine", "fast")


def test_a_family_without_a_default_is_not_served() -> None:
    found = routes(agentos={"families": {"sessions": "main"}}, agents={"bot": {"db": "mine"}})
    assert found.families == ("sessions",)
    assert not found.serves("memories")
    assert found.databases("memories") == ()
    with pytest.raises(RoutingError, match=r"no database is named for memories; set agentos.families.memories"):
        found.database("memories", BOT)


def test_every_family_of_agnos_tables_is_served() -> None:
    assert {*routes(agentos={"db": "main"}).families, SCHEMA_VERSIONS} == set(FAMILIES)


def test_what_is_no_family_is_not_served() -> None:
    found = routes(agentos={"db": "main"})
    assert not found.serves("poems")
    with pytest.raises(RoutingError, match="this version of dbrouter does not serve poems; it serves sessions"):
        found.database("poems")


def test_a_table_that_follows_another_names_its_family() -> None:
    with pytest.raises(RoutingError, match="runs is not routed by itself; ask for sessions"):
        routes(agentos={"db": "main"}).database("runs")


def test_schema_versions_are_in_every_database_that_is_served() -> None:
    found = routes(agentos={"families": {"sessions": "mine", "evals": "fast"}})
    assert found.serves(SCHEMA_VERSIONS)
    assert found.database(SCHEMA_VERSIONS) == "mine"
    assert found.databases(SCHEMA_VERSIONS) == ("mine", "fast")


RULES = (
    Rule(family=None, component=None, database="main", source="0"),
    Rule(family="memories", component=None, database="fast", source="1"),
    Rule(family=None, component=BOT, database="mine", source="2"),
    Rule(family="memories", component=BOT, database="other", source="3"),
)


@pytest.mark.parametrize("order", list(itertools.permutations(RULES)))
def test_the_order_of_rules_does_not_matter(order: tuple[Rule, ...]) -> None:
    found = Routes(order)
    assert [each.source for each in found.rules] == ["3", "2", "1", "0"]
    assert found.database("memories", BOT) == "other"


def test_rules_that_say_equally_much_and_differ_are_refused() -> None:
    rules = (RULES[1], Rule(family="memories", component=None, database="mine", source="x"))
    with pytest.raises(ConfigError, match="1 names 'fast' and x names 'mine' for the same thing; keep one of them"):
        Routes(rules)


def test_an_explanation_gives_a_verdict_on_every_rule() -> None:
    found = routes(
        agentos={"db": "main", "trace_db": "fast"},
        agents={"bot": {"db": "mine", "families": {"evals": "other"}}, "cat": {"db": "fast"}},
    )
    explanation = explain(found, "sessions", BOT)
    assert (explanation.database, explanation.rule.source) == ("mine", "agents.bot.db")
    assert [(each.rule.source, each.verdict) for each in explanation.considered] == [
        ("agents.bot.families.evals", "about evals"),
        ("agents.bot.db", "decides"),
        ("agents.cat.db", "about agent cat"),
        ("agentos.trace_db", "about traces"),
        ("agentos.db", "less specific than agents.bot.db"),
    ]
    assert "get_session" in explanation.asked


def test_a_family_in_one_database_asks_nobody_else() -> None:
    assert explain(routes(agentos={"db": "main"}), "sessions").asked == ()


def test_an_explanation_of_what_is_not_served_is_refused() -> None:
    with pytest.raises(RoutingError):
        explain(routes(agentos={"db": "main"}), "poems")


def test_a_family_of_the_whole_deployment_is_in_one_database_whatever_components_say() -> None:
    found = routes(agentos={"db": "main"}, agents={"bot": {"db": "mine"}})
    assert {found.databases(family) for family in WHOLE} == {("main",)}
    assert {found.database(family, BOT) for family in WHOLE} == {"main"}
    explanation = explain(found, "company", BOT)
    assert (explanation.database, explanation.asked) == ("main", ())
    assert [(each.rule.source, each.verdict) for each in explanation.considered] == [
        ("agents.bot.db", "about agent bot, and company are of the whole deployment"),
        ("agentos.db", "decides"),
    ]


NAMING = {
    "sessions": {
        *("upsert_session", "upsert_sessions", "insert_session_if_absent", "upsert_run"),
        *("append_run_to_session_if_absent", "append_transcript_entries", "upsert_tool_result", "upsert_compaction"),
    },
    "memories": {"upsert_user_memory", "upsert_memories"},
    "knowledge": {"upsert_knowledge_content"},
    "evals": {"create_eval_run"},
    "traces": {"upsert_trace"},
    "approvals": {"create_approval"},
    "schedules": {"create_schedule", "create_schedule_run"},
    "learnings": {"upsert_learning"},
}
"""Family -> methods with a record that names its component, or what it follows: it says itself where it goes."""


@pytest.mark.parametrize("family", [each for each in SERVED if each not in WHOLE])
def test_every_method_of_a_family_that_can_be_spread_is_explained(family: str) -> None:
    explained = [*SEARCHING[family], *LISTING[family], *NAMING.get(family, ())]
    programs = FAMILY_CLASSES[family]
    assert sorted(explained) == sorted(name for each in programs for name in vars(each) if not name.startswith("_"))


def test_every_kind_holds_every_family_of_this_version() -> None:
    assert [capable(kind, family) for kind in KINDS for family in SERVED] == [None] * len(KINDS) * len(SERVED)
    assert capable("oracle", "sessions") == "oracle is not a kind of database of this version"
    assert capable("sqlite", "poems") == "this version of dbrouter does not serve poems"


def _tree(value: object) -> Node:
    place = Place("f", 1)
    if isinstance(value, dict):
        return Branch(place, {str(key): Entry(place, _tree(each)) for key, each in value.items()})  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return Leaf(place, str(value), value)


def _cannot_hold_approvals(kind: str, family: str) -> str | None:
    return "it needs an atomic commit of 2 records" if (kind, family) == ("memory", "approvals") else None


@pytest.mark.parametrize(
    ("agentos", "key"), [({"db": "one"}, "db"), ({"db": "two", "families": {"approvals": "one"}}, "families.approvals")]
)
def test_a_family_on_a_kind_that_cannot_hold_it_is_refused(agentos: dict[str, Any], key: str) -> None:
    tree = _tree({"databases": {"one": {"kind": "memory"}, "two": {"kind": "sqlite"}}, "agentos": agentos})
    assert isinstance(tree, Branch)
    findings = Findings()
    check(tree, findings, _cannot_hold_approvals)
    assert [str(each) for each in findings.problems()] == [
        (
            f"f:1: agentos.{key}: approvals on 'one' (memory): it needs an atomic commit of 2 records; "
            "send the family elsewhere, e.g. agentos.families.approvals: two"
        )
    ]
