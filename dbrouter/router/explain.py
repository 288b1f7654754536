"""Why a call goes where it goes: the rules considered, and the databases asked when a call names no component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dbrouter.router.routes import WHOLE, Component, Routes, Rule

SEARCHING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sessions": (
            "get_session",
            "rename_session",
            "reassign_session_owner",
            "delete_session",
            "delete_sessions",
            "get_run",
            "cancel_pending_run",
            "delete_run",
            "delete_runs",
            "update_run_in_session",
            "get_tool_result",
            "get_tool_results_for_session",
            "delete_tool_results",
            "get_compaction",
            "get_compactions_for_session",
            "search_compactions",
            "delete_compactions_for_session",
        ),
        "memories": ("get_user_memory", "delete_user_memory", "delete_user_memories"),
        "knowledge": ("get_knowledge_content", "delete_knowledge_content"),
        "evals": (
            "get_eval_run",
            "get_eval_run_raw",
            "rename_eval_run",
            "update_eval_run_user_id",
            "delete_eval_run",
            "delete_eval_runs",
        ),
        "metrics": (),
        "traces": ("get_trace", "get_span", "get_spans", "create_span", "create_spans"),
        "approvals": ("get_approval", "update_approval", "delete_approval", "update_approval_run_status"),
        "schedules": (
            "get_schedule",
            "get_schedule_by_name",
            "update_schedule",
            "stamp_schedule_provenance",
            "delete_schedule",
            "claim_due_schedule",
            "release_schedule",
            "get_schedule_run",
            "get_schedule_runs",
            "update_schedule_run",
            "delete_schedule_runs",
        ),
        "learnings": ("get_learning_by_id", "update_learning", "delete_learning"),
    }
)
"""Family -> agno's methods that carry an id and no component: they look the id up in the directory, else ask.

Families of the whole deployment have one database, and nothing to ask.
"""

LISTING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sessions": (
            "get_sessions",
            "get_runs",
            "get_expired_tool_results",
            "get_transcript_entries",
            "list_transcript_sessions",
            "list_transcript_subpaths",
            "delete_transcript",
        ),
        "memories": ("get_user_memories", "get_all_memory_topics", "get_user_memory_stats", "clear_memories"),
        "knowledge": ("get_knowledge_contents",),
        "evals": ("get_eval_runs",),
        "metrics": ("get_metrics", "calculate_metrics"),
        "traces": ("get_traces", "get_trace_stats", "get_span_stats"),
        "approvals": ("get_approvals", "get_pending_approval_count"),
        "schedules": ("get_schedules", "get_latest_schedule_runs", "disable_schedules_for_target"),
        "learnings": (
            "get_learning",
            "get_learnings",
            "list_learnings",
            "search_learnings",
            "get_learnings_user_stats",
            "delete_user_learnings",
        ),
    }
)
"""Family -> agno's methods that, asked without a component, read every database of the family and merge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A rule that was looked at, and what came of it."""

    rule: Rule
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Where a family of a component goes, and why.

    databases: all that can hold the family, the default first. asked: methods that ask all of those when the call
    names no component; empty where there is one database.
    """

    family: str
    component: Component | None
    database: str
    rule: Rule
    considered: tuple[Considered, ...]
    databases: tuple[str, ...]
    asked: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The explanation as JSON values."""
        return {
            "family": self.family,
            "component": _named(self.component),
            "database": self.database,
            "rule": _ruled(self.rule),
            "considered": [{**_ruled(each.rule), "verdict": each.verdict} for each in self.considered],
            "databases": list(self.databases),
            "asked_without_component": list(self.asked),
        }


def explain(routes: Routes, family: str, component: Component | None = None) -> Explanation:
    """Why this family of this component goes to its database. `RoutingError` if the family is not served."""
    chosen = routes.rule(family, component)
    databases = routes.databases(family)
    spread = len(databases) > 1
    return Explanation(
        family=family,
        component=component,
        database=chosen.database,
        rule=chosen,
        considered=tuple(
            Considered(rule=rule, verdict=_verdict(rule, chosen, family, component)) for rule in routes.rules
        ),
        databases=databases,
        asked=(*SEARCHING.get(family, ()), *LISTING.get(family, ())) if spread else (),
    )


def _verdict(rule: Rule, chosen: Rule, family: str, component: Component | None) -> str:
    if rule is chosen:
        return "decides"
    if rule.component is not None and family in WHOLE:
        return f"about {rule.component}, and {family} are of the whole deployment"
    if rule.matches(family, component):
        return f"less specific than {chosen.source}"
    if rule.family not in (None, family):
        return f"about {rule.family}"
    return f"about {rule.component}"


def _named(component: Component | None) -> dict[str, str] | None:
    return None if component is None else {"kind": component.kind, "id": component.id}


def _ruled(rule: Rule) -> dict[str, Any]:
    return {
        "source": rule.source,
        "place": rule.place,
        "family": rule.family,
        "component": _named(rule.component),
        "database": rule.database,
    }
