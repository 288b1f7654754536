"""The suite sees what it is there to see: with one filter dropped in one place, it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import pytest

from dbrouter import DbRouter
from dbrouter.backends.kernel.filters import Related
from dbrouter.config import load_mapping
from dbrouter.policies.tenancy.checking import Checking
from dbrouter.policies.tenancy.filtering import Filtering, shared
from dbrouter.policies.tenancy.rewriting import Rewriting
from dbrouter.testing.leaks import Leak, play, tenants

CALLS = 6_000


@pytest.fixture
def views() -> Iterator[tuple[list[DbRouter], list[DbRouter]]]:
    """Two tenants in shared tables, and a db for each that nobody else uses."""
    names = tenants(2)
    deployment = {
        "databases": {"primary": {"kind": "memory"}},
        "agentos": {"db": "primary"},
        "traces": {"buffer": False},
    }
    tenancy = {"tenancy": {"resolve": ["binding"]}, "tenants": {name: {"isolation": "rows"} for name in names}}
    with ExitStack() as stack:
        router = stack.enter_context(closing(DbRouter.from_settings(load_mapping({**deployment, **tenancy}))))
        alone = [
            stack.enter_context(closing(DbRouter.from_settings(load_mapping({**deployment, "id": f"alone-{name!a}"}))))
            for name in names
        ]
        yield [router.for_tenant(name) for name in names], alone


def unfiltered(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Drop the tenant from the filter of one op."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        rewrite = getattr(Rewriting, name)

        def mutant(self: Rewriting, op: Any) -> Any:
            return replace(rewrite(self, op), where=self._filtering.inside(op.where))

        patch.setattr(Rewriting, name, mutant)

    return mutate


def questions_unfiltered(patch: pytest.MonkeyPatch) -> None:
    """Drop the tenant from what a filter asks of another table."""
    inside = Filtering.inside

    def mutant(self: Filtering, where: Any) -> Any:
        if isinstance(where, Related):
            return Related(where.column, shared(where.table), where.key, inside(self, where.where))
        return inside(self, where)

    patch.setattr(Filtering, "inside", mutant)


def unchecked(patch: pytest.MonkeyPatch) -> None:
    """Take the last lock off: rows are let through, whosever they are."""
    own = Checking._own

    def mutant(self: Checking, table: str, record: dict[str, Any]) -> dict[str, Any]:
        return own(self, table, {**record, "dbr_tenant": self._tenant})

    def groups(self: Checking, op: Any, answer: Any) -> Any:
        witnesses = {each.name for each in op.measures[-2:]}
        rows = [{name: value for name, value in row.items() if name not in witnesses} for row in answer.records]
        return replace(answer, records=rows)

    patch.setattr(Checking, "_own", mutant)
    patch.setattr(Checking, "_groups", groups)


OPS = ("_scan", "_update", "_claim", "_delete", "_aggregate")
MUTANTS = {name: unfiltered(name) for name in OPS}


def test_unchanged_it_passes(views: tuple[list[DbRouter], list[DbRouter]]) -> None:
    tenants_views, alone = views
    assert not play(tenants_views, CALLS, seed=3, alone=alone).dumb()


@pytest.mark.parametrize("mutant", MUTANTS)
@pytest.mark.parametrize("checked", [True, False], ids=["last lock on", "last lock off"])
def test_a_dropped_filter_is_found(
    views: tuple[list[DbRouter], list[DbRouter]], mutant: str, checked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    MUTANTS[mutant](monkeypatch)
    if not checked:
        unchecked(monkeypatch)
    tenants_views, alone = views
    with pytest.raises(Leak):
        play(tenants_views, CALLS, seed=3, alone=alone)


def test_a_question_to_another_table_that_leaves_the_tenant_is_found(
    views: tuple[list[DbRouter], list[DbRouter]], monkeypatch: pytest.MonkeyPatch
) -> None:
    questions_unfiltered(monkeypatch)
    tenants_views, alone = views
    with pytest.raises(Leak):
        play(tenants_views, CALLS, seed=3, alone=alone)
