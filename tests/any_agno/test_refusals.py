"""What a file says about agno databases that cannot be served is refused at load, with line, reason and alternative."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from dbrouter import AsyncDbRouter, DbRouter
from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.config import load, load_mapping
from tests.any_agno.routers import agno, said

OURS = "tests.any_agno.classes_of_ours"


def refusals(folder: Path, text: str, **environ: str) -> list[str]:
    file = folder / "dbrouter.yaml"
    file.write_text(dedent(text), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environ)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("database", "problem"),
    [
        ("{kind: agno}", "databases.one.class: class is missing; add it"),
        (
            "{kind: agno, class: SqliteDb}",
            "databases.one.class: this is not the path of a class; write it with its module: agno.db.surrealdb.SurrealDb",
        ),
        (
            "{kind: agno, class: agno.db.sqlite.SqlitDb}",
            "databases.one.class: agno.db.sqlite has no SqlitDb; did you mean 'SqliteDb'?",
        ),
        (
            "{kind: agno, class: agno.db.nowhere.Db}",
            (
                "databases.one.class: agno.db.nowhere cannot be imported: No module named 'agno.db.nowhere'; "
                "write the class with its module"
            ),
        ),
        (
            "{kind: agno, class: agno.db.clickhouse.ClickhouseDb}",
            (
                "databases.one.class: agno.db.clickhouse cannot be imported: `clickhouse-connect` not installed. Install "
                "with `pip install clickhouse-connect` or `pip install 'agno[clickhouse]'`.; install what it needs"
            ),
        ),
        (
            f"{{kind: agno, class: {OURS}.NOT_A_DB}}",
            (
                f"databases.one.class: {OURS}.NOT_A_DB is not a database class of agno's; "
                "name a subclass of agno.db.base.BaseDb or AsyncBaseDb"
            ),
        ),
        (
            "{kind: agno, class: agno.db.base.BaseDb}",
            (
                "databases.one.class: agno.db.base.BaseDb is not a database class of agno's; "
                "name a subclass of agno.db.base.BaseDb or AsyncBaseDb"
            ),
        ),
        (
            "{kind: agno, class: agno.db.sqlite.SqliteDb, args: {db_fil: x}}",
            "databases.one.args.db_fil: SqliteDb has no argument 'db_fil'; did you mean 'db_file'?",
        ),
        (
            "{kind: agno, class: agno.db.gcs_json.GcsJsonDb}",
            "databases.one.args: GcsJsonDb needs bucket_name; add args.bucket_name",
        ),
        (
            "{kind: agno, class: agno.db.sqlite.SqliteDb, argss: {}}",
            "databases.one.argss: unknown key 'argss'; did you mean 'args'?",
        ),
    ],
)
def test_a_class_or_an_argument_that_cannot_be(tmp_path: Path, database: str, problem: str) -> None:
    problems = refusals(tmp_path, f"databases:\n  one: {database}\nagentos: {{db: one}}\n")
    assert any(each.partition(": ")[2] == problem for each in problems), problems
    assert all(each.startswith("dbrouter.yaml:") for each in problems)


def test_families_that_a_class_lacks_are_named_with_what_to_write(tmp_path: Path) -> None:
    problems = refusals(
        tmp_path,
        """\
        databases:
          one: {kind: agno, class: agno.db.json.JsonDb}
          two: {kind: memory}
        agentos:
          db: one
        """,
    )
    assert problems == [
        (
            "dbrouter.yaml:5: agentos.db: JsonDb of 'one' cannot serve approvals, schedules, learnings (approvals: it lacks "
            "every method; schedules: it lacks every method; learnings: it lacks every method); name what goes there under "
            "agentos.families (sessions, memories, knowledge, evals, metrics, traces), and another database for the rest"
        )
    ]


def test_a_family_by_name_is_refused_with_another_database(tmp_path: Path) -> None:
    problems = refusals(
        tmp_path,
        f"""\
        databases:
          one: {{kind: memory}}
          two: {{kind: agno, class: {OURS}.Stubs}}
        agentos: {{db: one, families: {{memories: two}}}}
        """,
    )
    assert problems == [
        (
            "dbrouter.yaml:4: agentos.families.memories: Stubs of 'two' cannot serve memories (memories: it lacks "
            "get_user_memory, get_user_memories, upsert_user_memory, clear_memories); name another database, such as one"
        )
    ]


def test_what_nobody_serves_need_not_be_there() -> None:
    families = {"sessions": "one", "memories": "one"}
    settings = {"databases": {"one": agno("in_memory.InMemoryDb")}, "agentos": {"families": families}}
    assert DbRouter.from_settings(load_mapping(settings)).families >= {"sessions", "memories"}


def test_metrics_of_other_databases_sessions_are_refused(tmp_path: Path) -> None:
    problems = refusals(
        tmp_path,
        """\
        databases:
          one: {kind: memory}
          two: {kind: agno, class: agno.db.in_memory.InMemoryDb}
        agentos: {db: one, families: {metrics: two}}
        """,
    )
    assert problems == [
        (
            "dbrouter.yaml:4: agentos.families.metrics: metrics in 'two' (agno) would not see the sessions in one; "
            "write agentos.families.metrics: one"
        )
    ]


def test_a_component_cannot_send_there_what_nobody_could_find_again(tmp_path: Path) -> None:
    problems = refusals(
        tmp_path,
        """\
        databases:
          one: {kind: memory}
          two: {kind: agno, class: agno.db.sqlite.SqliteDb, args: {db_file: x.db}}
        agentos: {db: one}
        agents:
          bot: {db: two}
        """,
    )
    [problem] = problems
    assert problem.startswith("dbrouter.yaml:6: agents.bot.db: ")
    assert "knowledge would be in 'two' (agno) and in one, and agno's methods cannot tell which is meant" in problem
    assert problem.endswith(
        "send all knowledge to one database (agentos.families.knowledge), and name only what goes to 'two' under "
        "agents.bot.families"
    )


def test_one_database_under_two_names_is_refused() -> None:
    same = agno("sqlite.SqliteDb", db_file="x.db")
    with pytest.raises(ConfigError, match="this is the same database as 'one'"):
        load_mapping(said({"one": same, "two": same}))


def test_two_databases_in_memory_are_two() -> None:
    databases = {"one": agno("in_memory.InMemoryDb"), "two": agno("in_memory.InMemoryDb")}
    families = dict.fromkeys(("sessions", "metrics"), "one") | {"memories": "two"}
    assert load_mapping({"databases": databases, "agentos": {"families": families}})


def test_a_class_that_is_awaited_is_no_database_of_blocking_code() -> None:
    settings = load_mapping(said({"one": agno("sqlite.AsyncSqliteDb", db_file="x.db")}))
    with pytest.raises(
        ConfigError, match=r"databases\.one: AsyncSqliteDb must be awaited, and DbRouter is for blocking"
    ):
        DbRouter.from_settings(settings)
    assert AsyncDbRouter.from_settings(settings)


@pytest.mark.parametrize("written", ["secret: ${SECRET}", "secret: ${SECRET}, answers: [{deep: '${SECRET}'}]"])
def test_no_text_of_the_arguments_is_ever_shown(tmp_path: Path, written: str) -> None:
    file = tmp_path / "dbrouter.yaml"
    families = "{sessions: one}"
    file.write_text(
        f"databases: {{one: {{kind: agno, class: {OURS}.Plain, args: {{{written.replace('${SECRET}', 'x${SECRET}')}}}}}}}\n"
        f"agentos: {{families: {families}}}\n".replace("secret: x${SECRET}", "secret: 'x${SECRET}'"),
        encoding="utf-8",
    )
    settings = load(file, {"SECRET": "hush"})
    router = DbRouter.from_settings(settings)
    for shown in (str(settings), repr(settings), str(settings.shown()), str(router.to_dict())):
        assert "hush" not in shown
    assert settings.shown()["databases"]["one"]["args"]["secret"] == "***"
    assert router.database("one").methods.instances.here().secret == "xhush"  # type: ignore[attr-defined]
