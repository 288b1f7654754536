"""`dbrouter explain`: which rule decides, for which database, and which others were considered."""

from __future__ import annotations

from typing import Annotated

import typer

from dbrouter.backends.kernel.errors import RoutingError
from dbrouter.backends.settings import meant
from dbrouter.cli.explain_tenant import explain_one, rule_in_words
from dbrouter.cli.output import AsJson, FileOption, as_json, console, give_up, plain, settings_in, table
from dbrouter.router.explain import Explanation
from dbrouter.router.explain import explain as explanation
from dbrouter.router.routes import KINDS, SERVED, Component, Routes, leader_of


def explain(
    *,
    file: FileOption = None,
    family: Annotated[str | None, typer.Option(help="A family, such as sessions; all of them if not given.")] = None,
    agent: Annotated[str | None, typer.Option(help="An agent's id.")] = None,
    team: Annotated[str | None, typer.Option(help="A team's id.")] = None,
    workflow: Annotated[str | None, typer.Option(help="A workflow's id.")] = None,
    tenant: Annotated[str | None, typer.Option(help="A tenant's name.")] = None,
    json: AsJson = False,
) -> None:
    """Say which database something goes to, and why."""
    component = _component(agent, team, workflow)
    settings = settings_in(file)
    routes = Routes.of(settings)
    if family is not None and (leader := leader_of(family)) is not None:
        raise typer.BadParameter(f"{family} are routed with {leader}; ask with --family {leader}")
    if family is not None and family not in SERVED:
        give_up(f"there is no family {family!r}; {meant(family, SERVED)}")
    if tenant is not None:
        explain_one(settings, tenant, routes, family, component, json=json)
        return
    try:
        found = [explanation(routes, each, component) for each in ([family] if family else routes.families)]
    except RoutingError as error:
        give_up(str(error))
    if json:
        as_json(found[0].as_dict() if family else [each.as_dict() for each in found])
    elif family:
        _show(found[0])
    else:
        _show_all(found)


def _component(*ids: str | None) -> Component | None:
    named = [Component(kind, id_) for kind, id_ in zip(KINDS, ids, strict=True) if id_ is not None]
    if len(named) > 1:
        raise typer.BadParameter("name one of --agent, --team and --workflow")
    if named and not named[0].id:
        raise typer.BadParameter(f"--{named[0].kind} is empty; name one")
    return named[0] if named else None


def _show(found: Explanation) -> None:
    out = console()
    whose = f" of {found.component}" if found.component else ""
    out.print(plain(f"{found.family}{whose} -> {found.database}", "bold"))
    out.print(plain(f"because {rule_in_words(found.rule)}\n"))
    considered = table("rule", "names", "verdict")
    for each in found.considered:
        considered.add_row(plain(rule_in_words(each.rule)), plain(each.rule.database), plain(each.verdict))
    out.print(considered)
    if found.asked:
        out.print(plain(f"\nA call that names no component asks {', '.join(found.databases)}:", "bold"))
        out.print(plain(", ".join(found.asked)))


def _show_all(found: list[Explanation]) -> None:
    rows = table("family", "database", "because", "also in")
    for each in found:
        others = ", ".join(name for name in each.databases if name != each.database)
        rows.add_row(plain(each.family), plain(each.database, "bold"), plain(rule_in_words(each.rule)), plain(others))
    console().print(rows)
