"""Whose call an op is: the sources, their agreement, and patterns that no text can be read against in two ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter import ALL, ConfigError, TenantConflict, TenantLocked, UnknownTenant, tenant
from dbrouter.backends.kernel.filters import EVERYTHING, Filter, Not, Related, all_of, any_of, eq, one_of
from dbrouter.backends.kernel.merging import Replace
from dbrouter.backends.kernel.ops import (
    Aggregate,
    Batch,
    Change,
    Children,
    Claim,
    Commit,
    Computed,
    Delete,
    Get,
    Insert,
    Load,
    Measure,
    Op,
    Put,
    Scan,
    Update,
    Upsert,
)
from dbrouter.router.routes import Component
from dbrouter.router.tenancy.binding import bind, claimed
from dbrouter.router.tenancy.patterns import Pattern
from dbrouter.router.tenancy.request import Request
from dbrouter.router.tenancy.resolving import Resolver
from dbrouter.router.tenancy.tenants import Source, TenancyRules

ANY = Scan(table="sessions")
EVERY_SOURCE = tuple(Source)


def resolver(*sources: Source, **rules: Any) -> Resolver:
    """A resolver of these sources; of all, without any."""
    return Resolver(TenancyRules(resolve=sources or EVERY_SOURCE, **rules))


@pytest.fixture
def by_user() -> Resolver:
    """Tenants by a pattern on the user id, or whatever else."""
    return resolver(user_id="{tenant}:{user}")


@pytest.fixture
def request_() -> Iterator[Request]:
    """A request under way."""
    request = Request({"type": "http", "state": {}, "headers": []})
    before = bind(request)
    yield request
    bind(before)


def test_nothing_answers_without_a_source() -> None:
    assert resolver().tenant_of(ANY) is None


def test_a_view_and_a_context_have_to_agree() -> None:
    found = resolver()
    assert found.tenant_of(ANY, bound="acme") == "acme"
    with tenant("acme"):
        assert found.tenant_of(ANY) == "acme"
        assert found.tenant_of(ANY, bound="acme") == "acme"
        for other in ("globex", ALL):
            with pytest.raises(TenantConflict, match=r"for_tenant.*context"):
                found.tenant_of(ANY, bound=other)


def test_a_conflict_tells_a_client_no_name_and_an_operator_both() -> None:
    with tenant("acme"), pytest.raises(TenantConflict) as caught:
        resolver().tenant_of(ANY, bound="globex")
    assert "acme" not in str(caught.value)
    assert "acme" in caught.value.__notes__[0]
    assert "globex" in caught.value.__notes__[0]


def test_what_code_has_bound_may_not_be_contradicted_even_where_it_does_not_decide(by_user: Resolver) -> None:
    decides = resolver(Source.USER_ID, user_id="{tenant}:{user}")
    op = Scan(table="sessions", where=eq("user_id", "acme:ada"))
    with tenant("globex"):
        assert decides.tenant_of(ANY) is None
        with pytest.raises(TenantConflict):
            decides.tenant_of(op)
    with pytest.raises(TenantConflict):
        decides.tenant_of(op, bound="globex")


RECORD = {"session_id": "s", "user_id": "acme:ada", "session_type": "agent"}
WHERE: Filter = eq("user_id", "acme:ada")


@pytest.mark.parametrize(
    "op",
    [
        Get(table="sessions", key=("s",), where=WHERE),
        Scan(table="sessions", where=all_of(eq("session_id", "s"), WHERE)),
        Scan(table="sessions", where=one_of("user_id", ["acme:ada"])),
        Scan(table="runs", where=Related(column="session_id", table="sessions", key="session_id", where=WHERE)),
        Load(
            table="sessions",
            key=("s",),
            children=Children(table="runs", on="session_id", columns=("run_id",), order=(), where=WHERE),
        ),
        Aggregate(table="sessions", by={}, measures=(), where=WHERE),
        Insert(table="sessions", records=(RECORD,)),
        Upsert(table="sessions", records=(RECORD,), rules={"user_id": Replace()}),
        Batch(upserts=(Upsert(table="sessions", records=(RECORD,)),)),
        Commit(writes=(Put(table="sessions", record=RECORD),)),
        Commit(writes=(Change(table="sessions", key=("s",), changes={"user_id": "acme:ada"}),)),
        Update(table="sessions", where=WHERE, changes={"session_data": {}}),
        Update(table="sessions", where=EVERYTHING, changes={"user_id": "acme:ada"}),
        Delete(table="sessions", where=WHERE),
        Claim(table="schedules", where=WHERE, order=(), changes={}),
    ],
    ids=lambda op: type(op).__name__,
)
def test_the_user_id_is_found_wherever_an_op_carries_it(by_user: Resolver, op: Op[Any]) -> None:
    assert by_user.tenant_of(op) == "acme"
    with tenant("globex"), pytest.raises(TenantConflict):
        by_user.tenant_of(op)


@pytest.mark.parametrize(
    "where",
    [
        Not(WHERE),
        any_of(WHERE, eq("user_id", "globex:bob")),
        one_of("user_id", ["acme:ada", "globex:bob"]),
        Not(Related(column="session_id", table="sessions", key="session_id", where=WHERE)),
        eq("user_id", "ada"),
        eq("session_id", "acme:ada"),
    ],
)
def test_a_filter_that_does_not_fix_the_user_says_nothing(by_user: Resolver, where: Filter) -> None:
    assert by_user.tenant_of(Scan(table="sessions", where=where)) is None


def test_what_a_measure_counts_is_not_whose_the_call_is(by_user: Resolver) -> None:
    counted = Computed(name="n", measure=Measure.COUNT, where=WHERE)
    assert by_user.tenant_of(Aggregate(table="sessions", by={}, measures=(counted,))) is None


def test_records_of_two_tenants_in_one_op_are_refused(by_user: Resolver) -> None:
    both = ({**RECORD}, {**RECORD, "session_id": "t", "user_id": "globex:bob"})
    for op in (
        Insert(table="sessions", records=both),
        Upsert(table="sessions", records=both),
        Batch(upserts=tuple(Upsert(table="sessions", records=(each,)) for each in both)),
        Update(table="sessions", where=WHERE, changes={"user_id": "globex:bob"}),
    ):
        with pytest.raises(TenantConflict):
            by_user.tenant_of(op)


def test_an_operator_may_ask_about_any_user(by_user: Resolver) -> None:
    op = Scan(table="sessions", where=WHERE)
    assert by_user.tenant_of(op, bound=ALL) is ALL
    with tenant(ALL):
        assert by_user.tenant_of(op) is ALL


@pytest.mark.parametrize("user", ["*:ada"])
def test_a_user_of_a_name_that_no_tenant_has_is_refused(by_user: Resolver, user: str) -> None:
    with pytest.raises(UnknownTenant):
        by_user.tenant_of(Scan(table="sessions", where=eq("user_id", user)))


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("{tenant}:{user}", "acme:ada", "acme"),
        ("{tenant}:{user}", "acme:globex:ada", "acme"),
        ("{tenant}:{user}", ":ada", None),
        ("{tenant}:{user}", "acme:", None),
        ("{tenant}:{user}", "acme", None),
        ("{tenant}:{user}", "", None),
        ("{tenant}:{user}", "a\0b:c", "a\0b"),
        ("{tenant}:{user}", "\ud800:c", "\ud800"),
        ("{tenant}:{user}", "a\nb:c\n", "a\nb"),
        ("{tenant}::{user}", "a:::b", "a"),
        ("{tenant}::{user}", "a:b::c", None),
        ("{user}@{tenant}", "ada@x@acme", "acme"),
        ("{user}@{tenant}.com", "ada@acme.com", "acme"),
        ("{user}@{tenant}.com", "ada@acme.com.org", None),
        ("org-{tenant}", "org-acme", "acme"),
        ("org-{tenant}", "org-", None),
        ("org-{tenant}", "xorg-acme", None),
        ("aa{tenant}aa", "aaa", None),
        ("{tenant}.*:{user}", "x.*:y", "x"),
        ("{tenant}.*:{user}", "xyz:y", None),
    ],
)
def test_patterns_are_read_by_structure(pattern: str, text: str, found: str | None) -> None:
    assert Pattern.of(pattern).tenant_in(text) == found


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "tenant",
        "{user}",
        "{tenant}{user}",
        "{tenant}:{tenant}",
        "{tenant}:{user}:{user}",
        "{tenant}:{id}",
        "{tenant",
        "{}",
    ],
)
def test_a_pattern_that_leaves_open_where_the_name_ends_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError):
        Pattern.of(pattern)


NAMES = st.text(st.characters(exclude_characters=":@"), min_size=1)


@given(
    st.sampled_from(["{tenant}:{user}", "{user}@{tenant}", "x{tenant}:{user}y", "{tenant}@:{user}"]),
    NAMES,
    st.text(min_size=1),
)
def test_a_written_user_id_is_read_back_as_that_tenants(pattern: str, name: str, user: str) -> None:
    written = pattern.replace("{tenant}", "\1").replace("{user}", "\2")
    text = "".join({"\1": name, "\2": user}.get(each, each) for each in written)
    assert Pattern.of(pattern).tenant_in(text) == name


@given(
    st.sampled_from(["{tenant}:{user}", "{user}@{tenant}", "{tenant}::{user}", "a{tenant}ab{user}b"]),
    st.text(alphabet="ab:@"),
)
def test_whatever_is_read_can_be_written_back_with_some_user(pattern: str, text: str) -> None:
    found = Pattern.of(pattern).tenant_in(text)
    if found is not None:
        before, after = pattern.replace("{tenant}", found).split("{user}")
        assert text.startswith(before)
        assert text.endswith(after)


def test_components_have_tenants() -> None:
    found = resolver(
        Source.COMPONENT, components={Component("agent", "ops-bot"): "acme", Component("team", "office"): "globex"}
    )
    record = {"session_id": "s", "session_type": "agent", "agent_id": "ops-bot"}
    assert found.tenant_of(Insert(table="sessions", records=(record,))) == "acme"
    assert found.tenant_of(Scan(table="sessions", where=eq("agent_id", "ops-bot"))) == "acme"
    assert found.tenant_of(Scan(table="sessions", where=eq("agent_id", "other"))) is None
    assert found.tenant_of(ANY, component=Component("team", "office")) == "globex"
    # A team is not an agent of the same id.
    assert found.tenant_of(Scan(table="sessions", where=eq("team_id", "ops-bot"))) is None
    with pytest.raises(TenantConflict):
        found.tenant_of(Insert(table="sessions", records=(record,)), component=Component("team", "office"))


def test_a_request_keeps_the_first_tenant_that_is_found(request_: Request, by_user: Resolver) -> None:
    assert by_user.tenant_of(ANY) is None
    assert by_user.tenant_of(Scan(table="sessions", where=WHERE)) == "acme"
    assert by_user.tenant_of(ANY) == "acme"
    with pytest.raises(TenantLocked):
        by_user.tenant_of(Scan(table="sessions", where=eq("user_id", "globex:bob")))
    with pytest.raises(TenantLocked):
        by_user.tenant_of(ANY, bound="globex")
    assert request_.tenant == "acme"
    assert isinstance(request_.refused, TenantLocked)


def test_a_request_is_never_an_operators(request_: Request) -> None:
    with pytest.raises(TenantLocked):
        resolver().tenant_of(ANY, bound=ALL)
    assert request_.tenant is None


def test_a_claimer_is_bound_for_the_schedules_it_claimed_alone() -> None:
    found = resolver()
    claimed("one", "acme")
    claimed("two", "globex")
    assert found.tenant_of(Get(table="schedules", key=("one",))) == "acme"
    assert found.tenant_of(Update(table="schedules", where=eq("id", "two"), changes={})) == "globex"
    assert found.tenant_of(Insert(table="schedule_runs", records=({"id": "r", "schedule_id": "one"},))) == "acme"
    assert found.tenant_of(Get(table="schedules", key=("three",))) is None
    assert found.tenant_of(ANY) is None
    bind(None)


def test_a_span_says_whose_it_is_and_a_question_about_spans_says_nothing() -> None:
    found = resolver()
    row = {"span_id": "1", "trace_id": "t-1", "attributes": {"dbrouter.tenant": "acme"}}
    assert found.tenant_of(Upsert(table="spans", records=(row,))) == "acme"
    with tenant("globex"), pytest.raises(TenantConflict):
        found.tenant_of(Upsert(table="spans", records=(row,)))
    assert found.tenant_of(Get(table="traces", key=("t-1",))) is None
