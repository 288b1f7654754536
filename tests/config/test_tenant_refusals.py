"""Every way in which a file can be wrong about tenants: file, line, key, what, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbrouter.backends.kernel.isolation import Isolation, namespace_of
from dbrouter.config import capable
from dbrouter.config.findings import Findings
from dbrouter.config.tenancy_checks import check_tenancy
from dbrouter.config.tree import Place, as_branch
from dbrouter.router.opening import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.config.conftest import Loaded, Refused

HEAD = """\
databases:
  one: {kind: memory}
  two: {kind: sqlite, path: two.db}
  silo: {kind: sqlite, path: silo.db}
agentos: {db: one}
"""
ROWS = "tenants: {acme: {isolation: rows}}\n"


def told(refused: Refused, text: str) -> list[str]:
    """What is said about this text below the databases, without the file's name."""
    return [each.removeprefix("dbrouter.yaml:") for each in refused(HEAD + text)]


@pytest.mark.parametrize(
    ("tenant", "path", "what", "do"),
    [
        ("{isolation: shema}", ".isolation", "this value is not known here", "write 'database', 'schema' or 'rows'"),
        ("{}", "", "nothing says how this tenant is kept apart from others", "give it a db, isolation: schema or"),
        ("", "", "nothing says how this tenant is kept apart from others", 'say under "*" what holds for all'),
        ("{isolation: database}", ".isolation", "no database is named for this tenant", "add db: "),
        ("{db: slo}", ".db", "there is no database 'slo'", "did you mean 'silo'?"),
        ("{isolation: rows, families: {traces: slo}}", ".families.traces", "there is no database 'slo'", "did you"),
        ("{db: one}", ".db", "'one' is also the deployment's (dbrouter.yaml:5)", "choose isolation: schema or rows"),
        (
            "{db: silo, families: {traces: one}}",
            ".families.traces",
            "'one' is also the deployment's",
            "name a database",
        ),
        (
            "{isolation: rows, namespace: a}",
            ".namespace",
            "a tenant with isolation: rows has no namespace",
            "remove it",
        ),
        ("{isolation: schema, namespace: A-b}", ".namespace", "this cannot be a namespace", "use lower-case letters"),
        ("{isolation: schema, namespace: pg_x}", ".namespace", "'pg_x' is a name that databases use", "choose another"),
        (
            "{isolation: schema, namespace: tenant_globex}",
            ".namespace",
            "'tenant_globex' may be made for a tenant of another name",
            "choose one that does not begin with tenant_ or tenants_",
        ),
        ("{isolation: rows, limits: {rows: {evls: 1}}}", ".limits.rows.evls", "there is no family 'evls'", "did you"),
        ("{isolation: rows, limits: {concurrent: 0}}", ".limits.concurrent", "out of range", "use at least 1"),
        ("{isolation: rows, limits: {requests_per_second: 0}}", ".limits.requests_per_second", "out of range", "more"),
        ("{isolation: rows, limts: {}}", ".limts", "unknown key 'limts'", "did you mean 'limits'?"),
        ("{isolation: rows, suspended: maybe}", ".suspended", "true or false is needed", "write true or false"),
    ],
)
def test_a_tenant_that_cannot_be_served_is_refused(
    refused: Refused, tenant: str, path: str, what: str, do: str
) -> None:
    [problem] = told(refused, f"tenants:\n  acme: {tenant}\n")
    assert problem.startswith(f"7: tenants.acme{path}: ")
    assert what in problem
    assert do in problem


def test_two_tenants_on_one_database_are_refused_at_the_second(refused: Refused) -> None:
    assert told(refused, "tenants:\n  a: {db: silo}\n  b: {db: silo}\n") == [
        (
            "8: tenants.b.db: 'silo' is also tenant 'a''s (dbrouter.yaml:7), and isolation: database is for one; "
            "name a database that nobody else uses, or choose isolation: schema or rows"
        )
    ]
    [problem] = told(refused, "tenants:\n  a: {db: silo}\n  b: {db: silo, isolation: rows}\n")
    assert problem.startswith("7: tenants.a.db: 'silo' is also tenant 'b''s")


def test_the_catalogs_database_is_no_tenants_own(refused: Refused) -> None:
    [problem] = told(refused, "tenancy: {catalog: {db: silo}}\ntenants: {a: {db: silo}}\n")
    assert "'silo' is also the catalog's" in problem
    [problem] = told(refused, "tenancy: {limits_db: silo}\ntenants: {a: {db: silo}}\n")
    assert "'silo' is also the shared count's" in problem


def test_two_tenants_with_one_namespace_are_refused(refused: Refused) -> None:
    text = "tenants:\n  a: {isolation: schema, namespace: x}\n  b: {isolation: schema, namespace: x}\n"
    assert told(refused, text) == [
        (
            "8: tenants.b.namespace: 'x' is also the namespace of tenant 'a' (dbrouter.yaml:7); "
            "give each tenant a namespace of its own"
        )
    ]
    made = namespace_of("acme")
    [problem] = told(
        refused, f"tenants:\n  acme: {{isolation: schema}}\n  b: {{isolation: schema, namespace: {made}}}\n"
    )
    assert f"'{made}' is also the namespace of tenant 'acme'" in problem


def test_a_tenants_schema_is_not_that_of_a_database_itself(refused: Refused) -> None:
    text = "databases: {main: {kind: postgres, database: d, schema: house}}\nagentos: {db: main}\n"
    [problem] = refused(text + "tenants: {a: {isolation: schema, namespace: house}}\n")
    assert "tenants.a.namespace: the tables of 'main' itself are in the schema 'house'" in problem


@pytest.mark.parametrize(
    ("others", "what"),
    [
        ("{isolation: database, db: silo}", "all other tenants cannot each have a database that is not named"),
        ("{db: silo}", "nothing says how all other tenants are kept apart there"),
        ("{isolation: schema, namespace: x}", "all other tenants cannot have one namespace"),
    ],
)
def test_what_cannot_hold_for_all_others_is_refused(refused: Refused, others: str, what: str) -> None:
    assert what in " ".join(told(refused, f"tenants: {{'*': {others}, a: {{isolation: rows}}}}\n"))


@pytest.mark.parametrize(
    ("tenancy", "path", "what"),
    [
        (
            "{resolve: [claim]}",
            "resolve.0",
            "claim is a source, and nothing says how a tenant is found there; add tenancy.claim",
        ),
        ("{resolve: [binding, request]}", "resolve.1", "add tenancy.header or tenancy.host or tenancy.path"),
        ("{resolve: [user_id]}", "resolve.0", "add tenancy.user_id"),
        ("{resolve: [component]}", "resolve.0", "add tenancy.components"),
        ("{resolve: [binding], claim: org}", "claim", "claim is not among tenancy.resolve, so this is never read"),
        ("{resolve: [binding], host: '{tenant}.x'}", "host", "request is not among tenancy.resolve"),
        ("{resolve: [binding], user_id: '{tenant}:{user}'}", "user_id", "user_id is not among tenancy.resolve"),
        ("{resolve: [binding], components: {agents: {x: acme}}}", "components", "component is not among"),
        ("{resolve: [binding, binding]}", "resolve", "binding is named twice"),
        ("{resolve: []}", "resolve", "this is empty"),
        ("{resolve: [bindng]}", "resolve.0", "this value is not known here"),
        ("{resolve: binding}", "resolve", "a list is needed"),
        ("{header: X-Tenant, path: '/{tenant}/'}", "path", "header names the tenant already (dbrouter.yaml:6)"),
        ("{header: 'X Tenant'}", "header", "this is not the name of a header"),
        ("{host: example.com}", "host", "the pattern needs {tenant} once, and has it 0 times"),
        ("{host: '{tenant}.{tenant}.com'}", "host", "has it 2 times"),
        ("{host: '{tenant}'}", "host", "every name of a host would be a tenant"),
        ("{host: 'https://{tenant}.com'}", "host", "this is not the name of a host"),
        ("{host: '{tenant}.example.com.'}", "host", "no host is called like this"),
        ("{host: '{tenant}.münchen.de'}", "host", "punycode (xn--...)"),
        ("{path: '/t/'}", "path", "the pattern needs {tenant} once"),
        ("{path: '/t/x{tenant}/'}", "path", "{tenant} is no part of the path of its own"),
        ("{path: '/t/{tenant}/{user}'}", "path", "'{user}' means nothing here; use {tenant}"),
        ("{user_id: '{tenant}{user}'}", "user_id", "nothing separates {tenant} from {user}"),
        ("{user_id: '{tenant}:'}", "user_id", "the pattern needs {user} once"),
        ("{user_id: '{tenant}:{usr}'}", "user_id", "'{usr}' means nothing here; use {tenant} and {user}"),
        ("{claim: org..id}", "claim", "a part of the claim's name is empty"),
        ("{unknown: default}", "unknown", "no tenant is named for unknown ones; add tenancy.default"),
        ("{unknown: default, default: acm}", "default", "there is no tenant 'acm'; did you mean 'acme'?"),
        ("{unknown: default, default: '*'}", "default", '"*" stands for all other tenants'),
        ("{default: acme}", "default", "with unknown: refuse this is never read"),
        ("{unknown: provision}", "unknown", "nothing says what a new tenant is made like"),
        ("{unknown: guess}", "unknown", "this value is not known here"),
        ("{components: {agents: {x: acm}}}", "components.agents.x", "there is no tenant 'acm'; did you mean 'acme'?"),
        ("{components: {agents: {x: acme, x: acme}}}", "components.agents.x", "the key is already on line 6"),
        ("{components: {agent: {x: acme}}}", "components.agent", "unknown key 'agent'; did you mean 'agents'?"),
        ("{shared: [knwledge]}", "shared.0", "there is no family 'knwledge'; did you mean 'knowledge'?"),
        ("{shared: [evals, evals]}", "shared", "evals is named twice"),
        ("{catalog: {db: tow}}", "catalog.db", "there is no database 'tow'; did you mean 'two'?"),
        ("{catalog: {db: one}}", "catalog.db", "'one' is in each process's own memory"),
        ("{limits_db: tow}", "limits_db", "there is no database 'tow'; did you mean 'two'?"),
        ("{limits_db: one}", "limits_db", "'one' is in each process's own memory"),
        ("{catalog: {db: two, poll: 0}}", "catalog.poll", "out of range; use more than 0"),
        ("{catalog: {}}", "catalog.db", "db is missing"),
        ("{open_databases: 0}", "open_databases", "use at least 1"),
        ("{processes: 100000}", "processes", "at most 10000"),
        ("{limits: {rows: {spans: 4}}}", "limits.rows.spans", "spans follow their trace; route `traces`"),
        ("{limits: {requests: 4}}", "limits.requests", "unknown key 'requests'"),
        ("{reslove: [binding]}", "reslove", "unknown key 'reslove'; did you mean 'resolve'?"),
    ],
)
def test_rules_that_cannot_be_served_are_refused(refused: Refused, tenancy: str, path: str, what: str) -> None:
    [problem] = told(refused, f"tenancy: {tenancy}\n{ROWS}")
    assert problem.startswith(f"6: tenancy.{path}: ")
    assert what in problem


@pytest.mark.parametrize(
    ("unknown", "becomes"),
    [("default, default: other", "the default tenant's"), ("provision", "a new tenant's")],
)
@pytest.mark.parametrize(("name", "spelt"), [("Acme", "acme"), ("münchen", "xn--mnchen-3ya"), ("OTHER", "other")])
def test_a_tenant_whose_host_would_be_taken_for_an_unknown_one_is_refused(
    refused: Refused, loaded: Loaded, unknown: str, becomes: str, name: str, spelt: str
) -> None:
    tenants = f"tenants: {{other: {{}}, a b: {{}}, {name}: {{}}, '*': {{isolation: rows}}}}\n"
    [problem] = told(refused, f"tenancy: {{host: '{{tenant}}.x', unknown: {unknown}}}\n{tenants}")
    whose = "that tenant's" if spelt == "other" else becomes
    assert f"requests to this tenant's host name {spelt!r}, and would be {whose}" in problem
    # Nobody's rows are anybody else's where unknown names are refused, or are found elsewhere.
    loaded(HEAD + f"tenancy: {{host: '{{tenant}}.x'}}\n{tenants}")
    loaded(HEAD + f"tenancy: {{claim: org, unknown: {unknown}}}\n{tenants}")


def test_a_new_tenant_that_nothing_keeps_apart_is_refused(refused: Refused) -> None:
    [problem] = told(refused, "tenancy: {unknown: provision}\ntenants: {'*': {limits: {concurrent: 3}}}\n")
    assert "nothing says how a new tenant is kept apart from others" in problem


def test_a_family_that_is_shared_is_no_tenants(refused: Refused) -> None:
    text = "tenancy: {shared: [evals]}\ntenants:\n  a: {db: silo, families: {evals: two}, limits: {rows: {evals: 3}}}\n"
    assert [each.partition(": evals is shared")[0] for each in told(refused, text)] == [
        "8: tenants.a.families.evals",
        "8: tenants.a.limits.rows.evals",
    ]


def test_what_is_said_of_a_family_without_a_database_is_refused(refused: Refused) -> None:
    text = HEAD.replace("{db: one}", "{families: {sessions: one}}")
    problems = refused(
        text
        + "tenancy: {shared: [evals], limits: {bytes: {memories: 3}}}\n"
        + "tenants: {a: {isolation: rows, limits: {rows: {traces: 1}}, families: {knowledge: two}}}\n"
    )
    assert [each.split(": ")[1] for each in problems] == [
        "tenancy.shared.0",
        "tenancy.limits.bytes.memories",
        "tenants.a.families.knowledge",
        "tenants.a.limits.rows.traces",
    ]
    assert all("has no database here and is not served" in each for each in (*problems[:2], problems[3]))


def test_an_isolation_that_a_kind_of_database_cannot_do_is_refused_with_what_it_can() -> None:
    tree = as_branch(
        {
            "databases": {"one": {"kind": "plain"}, "two": {"kind": "able"}, "three": {"kind": "plain"}},
            "agentos": {"db": "one"},
            "tenants": {
                "a": {"isolation": "schema"},
                "b": {"isolation": "schema", "db": "two"},
                "c": {"isolation": "rows"},
                "d": {},
                "e": {"db": "three"},
                "*": {"isolation": "schema"},
            },
        },
        Place("x.yaml", 3),
    )
    findings = Findings()
    check_tenancy(tree, findings, lambda kind, isolation: kind == "able" or isolation is not Isolation.SCHEMA)
    told_of_a, told_of_others = [f"{each.path}: {each.what}; {each.do}" for each in findings.problems()]
    assert told_of_a == (
        "tenants.a.isolation: tenants cannot be kept apart by schema in 'one' (plain); "
        "choose isolation: rows or a database of its own (db)"
    )
    assert told_of_others.startswith("tenants.*.isolation: tenants cannot be kept apart by schema in 'one'")


@pytest.mark.parametrize("kind", capable.KINDS)
def test_what_is_said_of_a_kind_is_what_its_stores_say(kind: str, tmp_path: Path, loaded: Loaded) -> None:
    needed = {
        "sqlite": f", path: {tmp_path}/x.db",
        "postgres": ", database: nowhere",
        "mysql": ", host: nowhere",
        "singlestore": ", host: nowhere",
        "mongo": ", url: mongodb://nowhere/agents",
        "objects": f", path: {tmp_path}/rows",
        "redis": ", url: redis://nowhere",
        "firestore": ", project: nobodys",
        "agno": f", class: agno.db.sqlite.SqliteDb, args: {{db_file: {tmp_path}/x.db}}",
    }
    settings = loaded(f"databases: {{one: {{kind: {kind}{needed.get(kind, '')}}}}}\nagentos: {{db: one}}\n")
    for blocking in (True, False):
        store = open_store("one", settings.databases["one"], blocking=blocking)
        assert store.capabilities.isolations == capable.ISOLATIONS[kind]


def test_hostile_names_are_told_in_one_line(refused: Refused) -> None:
    problems = told(refused, 'tenants:\n  "a\\nb\\0": {isolation: x}\n  "\\ud800": {isolation: x}\n')
    assert [each.partition(": this")[0] for each in problems] == [
        r"7: tenants.'a\nb\x00'.isolation",
        r"8: tenants.'\ud800'.isolation",
    ]


def test_an_empty_name_is_refused(refused: Refused) -> None:
    [problem] = told(refused, 'tenants:\n  "": {isolation: rows}\n')
    assert "a tenant's name is empty" in problem


def test_all_problems_of_tenants_are_told_at_once(refused: Refused) -> None:
    text = """\
tenancy:
  resolve: [claim]
  header: X
  unknown: provision
tenants:
  a: {db: one}
  b: {isolation: x}
  c: {db: nowhere}
  d:
agents: {x: {db: nowhere}}
"""
    assert [each.split(": ")[:2] for each in told(refused, text)] == [
        ["7", "tenancy.resolve.0"],
        ["8", "tenancy.header"],
        ["9", "tenancy.unknown"],
        ["11", "tenants.a.db"],
        ["12", "tenants.b.isolation"],
        ["13", "tenants.c.db"],
        ["14", "tenants.d"],
        ["15", "agents.x.db"],
    ]
