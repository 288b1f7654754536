"""What a file says about tenants: how each is kept apart, where its rows are, and how a call's tenant is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.backends.kernel.isolation import Isolation
from dbrouter.config import Settings, load_mapping
from dbrouter.policies.limits.limits import Limits
from dbrouter.router.routes import Component
from dbrouter.router.tenancy.description import CatalogTable
from dbrouter.router.tenancy.tenants import Source, TenancyRules, Tenant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.config.conftest import Loaded

GOOD = """\
databases:
  one: {kind: memory}
  two: {kind: sqlite, path: two.db}
  silo: {kind: sqlite, path: silo.db}
agentos: {db: one}
"""


def tenants_in(settings: Settings) -> Mapping[str, Tenant]:
    """The tenants of the settings."""
    assert settings.tenancy is not None
    return settings.tenancy.described.tenants


def rules_in(settings: Settings) -> TenancyRules:
    """The rules of the settings."""
    assert settings.tenancy is not None
    return settings.tenancy.rules


def test_a_file_without_tenants_has_no_tenancy(loaded: Loaded) -> None:
    assert loaded(GOOD).tenancy is None


def test_tenants_alone_have_the_defaults_of_tenancy(loaded: Loaded) -> None:
    tenancy = loaded(GOOD + "tenants: {acme: {isolation: rows}}\n").tenancy
    assert tenancy is not None
    assert tenancy.rules == TenancyRules()
    assert (tenancy.table, tenancy.open_databases, tenancy.processes) == (None, 64, 1)


def test_each_isolation_is_read(loaded: Loaded) -> None:
    text = """\
    tenants:
      acme: {db: silo}
      globex: {isolation: schema, namespace: globex_eu}
      initech: {isolation: rows, db: two, families: {traces: one}, suspended: true}
    """
    tenants = tenants_in(loaded(GOOD + text.replace("\n    ", "\n").removeprefix("    ")))
    assert tenants["acme"].isolation is Isolation.DATABASE
    assert tenants["acme"].db == "silo"
    assert (tenants["globex"].isolation, tenants["globex"].namespace) == (Isolation.SCHEMA, "globex_eu")
    assert (tenants["initech"].isolation, tenants["initech"].db) == (Isolation.ROWS, "two")
    assert tenants["initech"].families == {"traces": "one"}
    assert [name for name, each in tenants.items() if each.suspended] == ["initech"]


def test_a_tenant_knows_its_key_and_line(loaded: Loaded) -> None:
    tenants = tenants_in(loaded(GOOD + 'tenants:\n  acme: {isolation: rows}\n  "a b": {isolation: rows}\n'))
    assert tenants["acme"].source == "tenants.acme"
    assert tenants["acme"].place.endswith("dbrouter.yaml:7")
    assert tenants["a b"].source == "tenants.'a b'"


def test_what_a_tenant_leaves_out_holds_as_all_others_say(loaded: Loaded) -> None:
    text = """\
tenancy: {limits: {requests_per_second: 100, concurrent: 8, rows: {memories: 10, sessions: 5}}}
tenants:
  acme:
  globex: {isolation: schema, limits: {concurrent: 2, rows: {memories: 20}}}
  initech: {db: silo, suspended: false}
  "*": {isolation: rows, db: two, families: {traces: one}, suspended: true, limits: {requests_per_second: 50}}
"""
    settings = loaded(GOOD + text)
    tenants = tenants_in(settings)
    acme, globex, initech = tenants["acme"], tenants["globex"], tenants["initech"]
    assert (acme.isolation, acme.db, acme.families, acme.suspended) == (Isolation.ROWS, "two", {"traces": "one"}, True)
    assert acme.limits == Limits(requests_per_second=50, concurrent=8, rows={"memories": 10, "sessions": 5})
    assert (globex.isolation, globex.db) == (Isolation.SCHEMA, "two")
    assert globex.limits == Limits(requests_per_second=50, concurrent=2, rows={"memories": 20, "sessions": 5})
    assert (initech.isolation, initech.db, initech.families) == (Isolation.DATABASE, "silo", {})
    assert initech.suspended is False
    assert settings.tenancy is not None
    assert settings.tenancy.described.others is not None
    assert settings.tenancy.described.others.isolation is Isolation.ROWS
    assert set(tenants) == {"acme", "globex", "initech"}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"a/b"', "a/b"),
        (r'"a\0b"', "a\0b"),
        (r'"\ud800"', "\ud800"),
        ('"\'; drop table x; --"', "'; drop table x; --"),
        ('"acme"', "acme"),
        ('"аcme"', "аcme"),  # a Cyrillic a: the name looks like another's
        ("123", "123"),
        ("null", "null"),
        ('" "', " "),
        ('"a.b"', "a.b"),
    ],
)
def test_any_text_is_a_name(loaded: Loaded, written: str, name: str) -> None:
    text = f"tenancy: {{unknown: default, default: {written}}}\ntenants: {{{written}: {{isolation: schema}}}}\n"
    if name in ("123", "null"):
        text = text.replace(f"default: {written}", f'default: "{written}"')
    settings = loaded(GOOD + text)
    assert list(tenants_in(settings)) == [name]
    assert rules_in(settings).default == name


def test_all_rules_are_read(loaded: Loaded) -> None:
    text = """\
tenancy:
  resolve: [user_id, claim, request, component, context, binding]
  claim: org.id
  host: "{tenant}.example.com"
  user_id: "{tenant}:{user}"
  components: {agents: {ops: acme}, teams: {ops: acme}, workflows: {nightly: globex}}
  unknown: default
  default: acme
  shared: [knowledge, evals]
  catalog: {db: two, poll: 0.5}
  open_databases: 3
  processes: 4
  thread_pools: false
tenants: {acme: {isolation: rows}, globex: {isolation: schema}}
"""
    settings = loaded(GOOD + text)
    assert rules_in(settings) == TenancyRules(
        resolve=(
            Source.USER_ID,
            Source.CLAIM,
            Source.REQUEST,
            Source.COMPONENT,
            Source.CONTEXT,
            Source.BINDING,
        ),
        claim="org.id",
        host="{tenant}.example.com",
        user_id="{tenant}:{user}",
        components={
            Component("agent", "ops"): "acme",
            Component("team", "ops"): "acme",
            Component("workflow", "nightly"): "globex",
        },
        unknown="default",
        default="acme",
        shared=frozenset({"knowledge", "evals"}),
        thread_pools=False,
    )
    assert settings.tenancy is not None
    assert settings.tenancy.table == CatalogTable(db="two", poll=0.5)
    assert (settings.tenancy.open_databases, settings.tenancy.processes) == (3, 4)


def test_sources_that_have_their_setting_count_if_none_are_named(loaded: Loaded) -> None:
    text = 'tenancy: {user_id: "{tenant}:{user}", claim: org}\ntenants: {acme: {isolation: rows}}\n'
    assert rules_in(loaded(GOOD + text)).resolve == (Source.BINDING, Source.CONTEXT, Source.CLAIM, Source.USER_ID)


def test_a_catalog_needs_no_tenants_beside_it(loaded: Loaded) -> None:
    assert tenants_in(loaded(GOOD + "tenancy: {catalog: {db: two}}\n")) == {}


def test_settings_that_nobody_checked_have_no_tenants_to_give() -> None:
    data = {
        "databases": {"one": {"kind": "memory"}},
        "agentos": {"db": "one"},
        "tenants": {"acme": {"isolation": "database"}},
    }
    with pytest.raises(ConfigError, match="must be checked"):
        _ = Settings.model_validate(data).tenancy
    with pytest.raises(ConfigError, match="no database is named for this tenant"):
        load_mapping(data)


def test_a_dump_has_the_keys_of_the_file(loaded: Loaded, tmp_path: Path) -> None:
    shown = loaded(GOOD + "tenants: {acme: {isolation: rows}}\n").shown()
    assert tmp_path.exists()
    assert shown["tenants"]["acme"]["isolation"] == "rows"
    assert "tenants_said" not in shown
