"""Every way in which a configuration can be wrong once its files are read: file, line, key, what, and what to do."""

from __future__ import annotations

import pytest

from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.config import load_mapping
from dbrouter.config.capable import KINDS
from dbrouter.router.routes import SERVED
from tests.config.conftest import GOOD, Loaded, Refused

FAMILIES = ", ".join(SERVED)

SEVERAL = (
    "one.url: there are several @ in this URL, so a part of the password would be read as the host; write an @ in"
    " user and password as %40 (and / as %2F, : as %3A), or give host, user and password apart"
)


def test_an_unknown_key_comes_with_the_key_that_was_meant(refused: Refused) -> None:
    assert refused(GOOD + "wrkflows: {}\n") == [
        "dbrouter.yaml:5: wrkflows: unknown key 'wrkflows'; did you mean 'workflows'?"
    ]


def test_an_unknown_key_like_no_other_comes_with_all_keys(refused: Refused) -> None:
    assert refused(GOOD + "traces:\n  zzz: 1\n") == [
        "dbrouter.yaml:6: traces.zzz: unknown key 'zzz'; use one of buffer, max_delay_ms, max_rows"
    ]


def test_an_unknown_key_of_a_database_comes_with_the_key_that_was_meant(refused: Refused) -> None:
    text = "databases:\n  one:\n    kind: sqlite\n    path: x.db\n    pth: y.db\nagentos: {db: one}\n"
    assert refused(text) == ["dbrouter.yaml:5: databases.one.pth: unknown key 'pth'; did you mean 'path'?"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_key_of_any_kind_of_database_comes_with_advice(refused: Refused, kind: str) -> None:
    problems = refused(f"databases:\n  one: {{kind: {kind}, zzz: 5}}\nagentos: {{db: one}}\n")
    assert any("unknown key 'zzz'; use one of " in each and "kind" in each for each in problems)


@pytest.mark.parametrize("section", ["agents", "teams", "workflows"])
def test_an_unknown_key_of_a_component_comes_with_the_key_that_was_meant(refused: Refused, section: str) -> None:
    assert refused(GOOD + f"{section}:\n  x: {{db: one, familys: {{}}}}\n") == [
        f"dbrouter.yaml:6: {section}.x.familys: unknown key 'familys'; did you mean 'families'?"
    ]


def test_a_name_that_no_database_has_comes_with_the_one_that_was_meant(refused: Refused) -> None:
    assert refused("databases: {primary: {kind: memory}}\nagentos: {db: primry}\n") == [
        "dbrouter.yaml:2: agentos.db: there is no database 'primry'; did you mean 'primary'?"
    ]


def test_a_name_like_no_database_comes_with_all_of_them(refused: Refused) -> None:
    assert refused(GOOD + "agents:\n  x:\n    families: {sessions: archive}\n") == [
        "dbrouter.yaml:7: agents.x.families.sessions: there is no database 'archive'; name one of one, two"
    ]


def test_a_key_that_stands_twice_is_refused(refused: Refused) -> None:
    text = "databases:\n  one: {kind: memory}\n  one: {kind: memory}\nagentos: {db: one}\n"
    assert refused(text) == ["dbrouter.yaml:3: databases.one: the key is already on line 2; keep one of them"]


def test_a_missing_variable_is_named(refused: Refused) -> None:
    text = 'databases:\n  one:\n    kind: postgres\n    url: "${PRIMARY_URL}"\nagentos: {db: one}\n'
    assert refused(text) == [
        (
            "dbrouter.yaml:4: databases.one.url: the variable PRIMARY_URL is not set; "
            "set PRIMARY_URL, or write ${PRIMARY_URL:-default}"
        )
    ]


def test_a_missing_file_of_a_reference_is_named(refused: Refused) -> None:
    text = "databases:\n  one: {kind: postgres, database: d, password: '${file:no/such}'}\nagentos: {db: one}\n"
    assert refused(text) == [
        (
            "dbrouter.yaml:2: databases.one.password: the file 'no/such' cannot be read: No such file or directory; "
            "the path is relative to the file that names it"
        )
    ]


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("${ID", "a reference `${` is not closed; end it with `}`, or write `$${` for a plain `${`"),
        (
            "${not a name}",
            "a reference is not a variable's name; write ${NAME}, ${NAME:-default} or ${file:path}, or $${ for ${",
        ),
        ("${file:}", "the reference `${file:}` names no file; write ${file:path}"),
    ],
)
def test_a_broken_reference_is_refused(refused: Refused, written: str, what: str) -> None:
    assert refused(f"id: '{written}'\n" + GOOD) == [f"dbrouter.yaml:1: id: {what}"]


def test_a_family_that_follows_another_says_which_to_route(refused: Refused) -> None:
    assert refused(GOOD + "teams:\n  x:\n    families:\n      runs: one\n") == [
        "dbrouter.yaml:8: teams.x.families.runs: runs follow their session; route `sessions`"
    ]


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ("spans", "spans follow their trace; route `traces`"),
        ("transcripts", "transcripts follow their session; route `sessions`"),
        ("compactions", "compactions follow their session; route `sessions`"),
        ("tool_results", "tool_results follow their session; route `sessions`"),
        ("schedule_runs", "schedule_runs follow their schedule; route `schedules`"),
        ("schema_versions", "schema versions live beside the tables they describe and are not routed; remove the line"),
        ("versions", "schema versions live beside the tables they describe and are not routed; remove the line"),
        ("tasks", "tasks belong to company; route `company`"),
        ("sesions", "there is no family 'sesions'; did you mean 'sessions'?"),
        ("zzz", f"there is no family 'zzz'; use one of {FAMILIES}"),
    ],
)
def test_a_name_that_is_no_family_is_refused(refused: Refused, table: str, what: str) -> None:
    assert refused(GOOD.replace("{db: one}", f"{{db: one, families: {{{table}: one}}}}")) == [
        f"dbrouter.yaml:4: agentos.families.{table}: {what}"
    ]


@pytest.mark.parametrize("key", ["tenancy", "tenants"])
@pytest.mark.parametrize("behind", [" {}", ""])
def test_tenancy_without_tenants_is_refused(refused: Refused, key: str, behind: str) -> None:
    assert refused(GOOD + f"{key}:{behind}\n") == [
        (
            f"dbrouter.yaml:5: {key}: there are no tenants; "
            "list them under `tenants`, or name a database for more under tenancy.catalog.db"
        )
    ]


def test_sessions_without_a_database_are_refused(refused: Refused) -> None:
    assert refused("databases: {one: {kind: memory}}\n\nagentos: {families: {memories: one}}\n") == [
        "dbrouter.yaml:3: agentos: no database is named for sessions; set agentos.db, or agentos.families.sessions"
    ]


def test_a_family_with_a_database_for_one_component_only_is_refused(refused: Refused) -> None:
    text = GOOD.replace("{db: one}", "{families: {sessions: one}}")
    assert refused(text + "agents: {x: {families: {memories: two}}}\n") == [
        (
            "dbrouter.yaml:5: agents.x.families.memories: memories has a database for this component only, and agno "
            "asks without a component too; set agentos.families.memories or agentos.db"
        )
    ]


@pytest.mark.parametrize(("key", "family"), [("trace_db", "traces"), ("eval_db", "evals")])
def test_two_keys_that_name_different_databases_for_one_family_are_refused(
    refused: Refused, key: str, family: str
) -> None:
    text = GOOD.replace("{db: one}", f"\n  db: one\n  {key}: one\n  families:\n    {family}: two")
    assert refused(text) == [
        (
            f"dbrouter.yaml:8: agentos.families.{family}: agentos.{key} on dbrouter.yaml:6 names another database for "
            f"{family}; keep one of them"
        )
    ]


def test_two_keys_that_name_one_database_for_one_family_are_allowed(loaded: Loaded) -> None:
    loaded(GOOD.replace("{db: one}", "{db: one, trace_db: two, families: {traces: two}}"))


def test_a_component_about_which_nothing_is_said_is_refused(refused: Refused) -> None:
    assert refused(GOOD + "workflows:\n  nightly:\n") == [
        "dbrouter.yaml:6: workflows.nightly: nothing is said about this workflow; give it `db` or `families`"
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("agents:\n  x: {db: }\n", "agents.x.db"),
        ("tenants:\n  a: {db: }\n  '*': {isolation: rows}\n", "tenants.a.db"),
        ("tenancy: {claim: }\ntenants: {a: {isolation: rows}}\n", "tenancy.claim"),
    ],
)
def test_a_key_with_nothing_behind_it_is_not_taken_for_one_that_is_left_out(
    refused: Refused, text: str, key: str
) -> None:
    (problem,) = refused(GOOD + text)
    assert problem.endswith(f": {key}: nothing is written behind this key; give it a value, or remove it")


def test_a_route_of_the_deployment_with_nothing_behind_it_is_refused(refused: Refused) -> None:
    assert refused(GOOD.replace("{db: one}", "{db: one, trace_db: }")) == [
        "dbrouter.yaml:4: agentos.trace_db: nothing is written behind this key; give it a value, or remove it"
    ]


def test_a_null_that_is_written_takes_an_included_value_back(loaded: Loaded) -> None:
    text = "include: base.yaml\nagents: {x: {db: null, families: {evals: one}}}\ntenancy: null\ntenants: null\n"
    below = GOOD + "agents: {x: {db: two}}\ntenants: {a: {isolation: rows}}\n"
    settings = loaded(text, {"base.yaml": below})
    assert settings.agents["x"].db is None
    assert settings.tenancy is None


def test_a_reference_in_a_components_id_is_refused(refused: Refused) -> None:
    assert refused(GOOD + "agents:\n  ${BOT}: {db: two}\n", BOT="ops-bot") == [
        (
            "dbrouter.yaml:6: agents.${BOT}: this is no agent's id: references are replaced in values and not in names;"
            " write the id itself"
        )
    ]


def test_two_names_for_one_database_are_refused(refused: Refused) -> None:
    text = "databases:\n  one: {kind: sqlite, path: x.db}\n  two: {kind: sqlite, path: ./x.db}\nagentos: {db: one}\n"
    assert refused(text) == [
        (
            "dbrouter.yaml:3: databases.two: this is the same database as 'one', with the same tables; "
            "use 'one' in both places, or give the tables other names"
        )
    ]


@pytest.mark.parametrize(
    ("database", "problem"),
    [
        (
            "{kind: oracle}",
            f"one.kind: 'oracle' is not a kind of database of this version; use one of {', '.join(KINDS)}",
        ),
        (
            "{kind: SQLite, path: x}",
            "one.kind: 'SQLite' is not a kind of database of this version; did you mean 'sqlite'?",
        ),
        (
            "{kind: postgres, url: 'postgresql://u:p@ss/w@h/d'}",
            SEVERAL,
        ),
        (
            "{kind: mysql, url: 'mysql://u:p@ss@h'}",
            SEVERAL,
        ),
        ("{kind: postgre}", "one.kind: 'postgre' is not a kind of database of this version; did you mean 'postgres'?"),
        ("{path: x}", f"one: kind is missing; add kind: {', '.join(KINDS[:-1])} or {KINDS[-1]}"),
        ("{kind: sqlite}", "one.path: path is missing; add it"),
        ("{kind: sqlite, path: ':memory:'}", "one.path: ':memory:' is not a file; name a file, or use kind: memory"),
        ("x.db", "one: a mapping is needed; write `key: value` lines below the key"),
        ("", "one: a mapping is needed; write `key: value` lines below the key"),
        ("{kind: postgres}", "one: url is missing; give url, or host, port, user, password and database"),
        (
            "{kind: postgres, host: h}",
            "one: database is missing; give url, or host, port, user, password and database",
        ),
        (
            "{kind: postgres, url: 'postgresql://h/d', host: h, user: u}",
            "one: url and host, user are both given; keep url, or host, port, user, password, database",
        ),
        (
            "{kind: postgres, url: 'mysql://h/d'}",
            "one.url: this is not a Postgres URL; start it with postgresql://",
        ),
        ("{kind: postgres, database: d, port: five}", "one.port: a whole number is needed; write digits only"),
        ("{kind: postgres, database: d, port: 70000}", "one.port: this number is out of range; use at most 65535"),
        ("{kind: postgres, database: d, password: 5}", "one.password: a text is needed; put the value in quotes"),
        (
            "{kind: postgres, database: d, tables: {sesions: x}}",
            "one.tables.sesions: there is no table 'sesions'; did you mean 'sessions'?",
        ),
        (
            "{kind: postgres, database: d, tables: {runs: agno_sessions}}",
            "one.tables: sessions and runs would all be called 'agno_sessions'; give each table a name of its own",
        ),
        (
            "{kind: sqlite, path: x.db, tables: {sessions: AGNO_RUNS}}",
            "one.tables: sessions and runs would all be called 'AGNO_RUNS'; give each table a name of its own",
        ),
        (
            "{kind: postgres, database: d, tables: {evals: tenants_agno_runs}}",
            "one.tables: evals would be called 'tenants_agno_runs', as a table that tenants share is; give it another name",
        ),
        ("{kind: postgres, database: d, schema: ''}", "one.schema: this is empty; give it a value"),
        (
            f"{{kind: postgres, database: d, schema: {'x' * 64}}}",
            "one.schema: this is too long; use at most 63 characters",
        ),
        ("{kind: sqlite, path: x.db, deadline: 0}", "one.deadline: this number is out of range; use more than 0"),
        (
            "{kind: sqlite, path: x.db, deadline: soon}",
            "one.deadline: a number is needed; write digits, and a point if needed",
        ),
        ("{kind: sqlite, path: [x]}", "one.path: the name of a file is needed; put the value in quotes"),
    ],
)
def test_a_database_that_cannot_be_is_refused(refused: Refused, database: str, problem: str) -> None:
    assert refused(f"databases:\n  one: {database}\nagentos:\n  db: one\n") == [f"dbrouter.yaml:2: databases.{problem}"]


def test_a_variable_as_shells_write_it_is_no_folder(
    refused: Refused, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA", "/data")
    text = "databases: {one: {kind: sqlite, path: '%s/x.db'}}\nagentos: {db: one}\n"
    assert refused(text % "$DATA") == ["dbrouter.yaml:1: databases.one.path: $DATA is no reference; write ${DATA}"]
    loaded(text % "${DATA}", DATA="/data")
    loaded(text % "$NOBODY_HAS_SET_THIS")


@pytest.mark.parametrize("key", ["databases", "agentos", "tenants", "tenancy", "agents"])
@pytest.mark.parametrize("value", ["[one]", "one"])
def test_a_section_that_is_no_mapping_is_told_to_be_one(refused: Refused, key: str, value: str) -> None:
    sections = {"databases": "{one: {kind: memory}}", "agentos": "{db: one}"} | {key: value}
    told = refused("".join(f"{name}: {each}\n" for name, each in sections.items()))
    line = [*sections].index(key) + 1
    assert f"dbrouter.yaml:{line}: {key}: a mapping is needed; write `key: value` lines below the key" in told
    assert not any("there are no tenants" in each or "no database is named" in each for each in told)


@pytest.mark.parametrize(("key", "line"), [("databases", 1), ("agentos", 3)])
def test_a_section_with_nothing_below_is_told_where_it_stands(refused: Refused, key: str, line: int) -> None:
    sections = {"databases": "{one: {kind: memory}}", "id": "desk", "agentos": "{db: one}"} | {key: ""}
    told = refused("".join(f"{name}: {each}\n" for name, each in sections.items()))
    assert [each for each in told if each.startswith(f"dbrouter.yaml:{line}: {key}: ")] != []


def test_the_name_of_a_database_is_one_word(refused: Refused) -> None:
    assert refused(GOOD.replace("two:", '"t w o":')) == [
        "dbrouter.yaml:3: databases.t w o: this cannot be the name of a database; use letters, digits, - and _"
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("traces: {buffer: perhaps}", "traces.buffer: true or false is needed; write true or false"),
        ("traces: {max_delay_ms: -1}", "traces.max_delay_ms: this number is out of range; use at least 0"),
        (
            "session_state: {on_conflict: shout}",
            "session_state.on_conflict: this value is not known here; write 'merge', 'last_writer' or 'raise'",
        ),
        ("agents: [x]", "agents: a mapping is needed; write `key: value` lines below the key"),
        ("id: ''", "id: this is empty; give it a value"),
        ("id: 5", "id: a text is needed; put the value in quotes"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(refused: Refused, line: str, problem: str) -> None:
    assert refused(GOOD + line + "\n") == [f"dbrouter.yaml:5: {problem}"]


def test_a_file_without_databases_is_refused(refused: Refused) -> None:
    assert refused("id: x\n") == [
        "dbrouter.yaml:1: agentos: no database is named for sessions; set agentos.db, or agentos.families.sessions",
        "dbrouter.yaml:1: databases: databases is missing; add it",
    ]


def test_all_problems_are_told_at_once_in_the_order_of_the_lines(refused: Refused) -> None:
    text = """\
    id: x
    databases:
      one: {kind: memory, size: 3}
      two: {kind: sqlite, path: "${DATA}/two.db"}
    agentos: {db: on3, families: {runs: one}}
    teams: {x: }
    tenants: {}
    traces: {buffer: 7}
    """
    lines = refused(text)
    assert [each.split(": ")[:2] for each in lines] == [
        ["dbrouter.yaml:3", "databases.one.size"],
        ["dbrouter.yaml:4", "databases.two.path"],
        ["dbrouter.yaml:5", "agentos.db"],
        ["dbrouter.yaml:5", "agentos.families.runs"],
        ["dbrouter.yaml:6", "teams.x"],
        ["dbrouter.yaml:7", "tenants"],
        ["dbrouter.yaml:8", "traces.buffer"],
    ]


def test_a_mapping_in_python_is_checked_like_a_file() -> None:
    with pytest.raises(ConfigError) as caught:
        load_mapping({"databases": {"one": {"kind": "memory"}}, "agentos": {"db": "two"}})
    assert str(caught.value) == "settings: agentos.db: there is no database 'two'; name one of one"
