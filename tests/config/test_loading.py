"""What a file means: references, includes, paths, empty sections, and where each key stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from dbrouter.backends.memory.settings import MemorySettings
from dbrouter.backends.postgres.settings import PostgresSettings
from dbrouter.backends.sqlite.settings import SqliteSettings
from dbrouter.config import load_mapping
from dbrouter.config.settings import Settings

if TYPE_CHECKING:
    from tests.config.conftest import Loaded, Refused

GOOD = "databases: {one: {kind: memory}}\nagentos: {db: one}\n"


def test_a_small_file_has_defaults_for_the_rest(loaded: Loaded) -> None:
    settings = loaded(GOOD)
    assert settings.id == "dbrouter"
    assert settings.databases == {"one": MemorySettings()}
    assert settings.agents == settings.teams == settings.workflows == {}
    assert (settings.traces.buffer, settings.traces.max_delay_ms, settings.traces.max_rows) == (True, 200, 10_000)
    assert settings.session_state.on_conflict == "merge"


def test_postgres_has_agnos_schema_and_a_deadline(loaded: Loaded) -> None:
    database = loaded(GOOD.replace("kind: memory", "kind: postgres, url: postgres://h/d")).databases["one"]
    assert isinstance(database, PostgresSettings)
    assert (database.schema_name, database.create_schema, database.deadline) == ("ai", True, 30.0)
    assert (database.pool_size, database.max_overflow) == (5, 10)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg_async"])
def test_a_client_gets_a_plain_postgres_url(scheme: str) -> None:
    assert PostgresSettings.model_validate({"url": f"{scheme}://u:p@h/d"}).address() == "postgresql://u:p@h/d"


@pytest.mark.parametrize(
    ("host", "where"), [("db.internal", "db.internal"), ("::1", "[::1]"), ("/run/pg", "%2Frun%2Fpg")]
)
def test_parts_make_a_url(host: str, where: str) -> None:
    settings = PostgresSettings(host=host, port=6432, user="an agent", database="my db")
    assert settings.address() == f"postgresql://an%20agent@{where}:6432/my%20db"


def test_numbers_and_truth_values_may_come_from_references(loaded: Loaded) -> None:
    text = GOOD + 'traces: {buffer: "${BUFFER}", max_delay_ms: "${DELAY:-5}"}\n'
    settings = loaded(text, BUFFER="false")
    assert (settings.traces.buffer, settings.traces.max_delay_ms) == (False, 5)


def test_references_work_in_every_text(loaded: Loaded) -> None:
    settings = loaded(GOOD.replace("db: one", 'db: "${DB}"') + 'id: "${NAME:-my}-os"\n', DB="one")
    assert (settings.agentos.db, settings.id) == ("one", "my-os")


def test_a_file_reference_is_relative_to_the_file_that_names_it(loaded: Loaded) -> None:
    settings = loaded(
        "include: parts/more.yaml\n" + GOOD, {"parts/more.yaml": "id: '${file:id}'\n", "parts/id": "os\n"}
    )
    assert settings.id == "os"


def test_a_database_file_is_relative_to_the_file_that_names_it(loaded: Loaded, tmp_path: Path) -> None:
    text = "include: parts/more.yaml\ndatabases: {one: {kind: sqlite, path: data/one.db}}\nagentos: {db: one}\n"
    settings = loaded(text, {"parts/more.yaml": "databases: {two: {kind: sqlite, path: two.db}}\n"})
    paths = [each.path for each in settings.databases.values() if isinstance(each, SqliteSettings)]
    assert sorted(paths) == [tmp_path / "data/one.db", tmp_path / "parts/two.db"]


def test_a_database_file_may_have_an_absolute_path_or_a_home(loaded: Loaded) -> None:
    text = (
        "databases: {one: {kind: sqlite, path: /srv/one.db}, two: {kind: sqlite, path: ~/two.db}}\nagentos: {db: one}"
    )
    settings = loaded(text)
    paths = [each.path for each in settings.databases.values() if isinstance(each, SqliteSettings)]
    assert paths == [Path("/srv/one.db"), Path.home() / "two.db"]


def test_a_file_wins_over_what_it_includes_and_later_includes_over_earlier_ones(loaded: Loaded) -> None:
    others = {
        "a.yaml": "id: a\ntraces: {max_rows: 1, max_delay_ms: 1, buffer: false}\n",
        "b.yaml": "id: b\ntraces: {max_rows: 2, max_delay_ms: 2}\n",
    }
    settings = loaded("include: [a.yaml, b.yaml]\nid: own\ntraces: {max_rows: 3}\n" + GOOD, others)
    assert settings.id == "own"
    assert (settings.traces.max_rows, settings.traces.max_delay_ms, settings.traces.buffer) == (3, 2, False)


def test_the_environment_chooses_the_file_to_include(loaded: Loaded) -> None:
    others = {"dev.yaml": "id: dev\n", "live.yaml": "id: live\n"}
    text = 'include: "${ENV:-dev}.yaml"\n' + GOOD
    assert loaded(text, others).id == "dev"
    assert loaded(text, others, ENV="live").id == "live"


def test_one_file_may_be_included_twice(loaded: Loaded) -> None:
    others = {"a.yaml": "include: c.yaml\n", "b.yaml": "include: c.yaml\n", "c.yaml": "id: c\n"}
    assert loaded("include: [a.yaml, b.yaml]\n" + GOOD, others).id == "c"


def test_a_database_that_changes_its_kind_keeps_nothing_of_the_old_one(loaded: Loaded) -> None:
    others = {"base.yaml": "databases: {one: {kind: sqlite, path: one.db, deadline: 3}}\nagentos: {db: one}\n"}
    settings = loaded("include: base.yaml\ndatabases: {one: {kind: memory}}\n", others)
    assert settings.databases == {"one": MemorySettings()}


def test_a_database_that_keeps_its_kind_is_merged(loaded: Loaded) -> None:
    others = {"base.yaml": "databases: {one: {kind: sqlite, path: one.db, deadline: 3}}\nagentos: {db: one}\n"}
    database = loaded("include: base.yaml\ndatabases: {one: {deadline: 4}}\n", others).databases["one"]
    assert isinstance(database, SqliteSettings)
    assert (database.path.name, database.deadline) == ("one.db", 4)


def test_a_section_with_nothing_in_it_is_a_section_not_given(loaded: Loaded) -> None:
    assert loaded(GOOD + "agents:\ntraces:\ninclude:\n") == loaded(GOOD)


def test_anchors_and_merge_keys_work(loaded: Loaded) -> None:
    text = """\
    databases:
      one: &pg {kind: postgres, host: h, database: one, pool_size: 2}
      two: {<<: *pg, database: two}
    agentos: {db: one}
    """
    database = loaded(text).databases["two"]
    assert isinstance(database, PostgresSettings)
    assert (database.host, database.database, database.pool_size) == ("h", "two", 2)


def test_a_name_that_yaml_takes_for_a_truth_value_is_still_a_name(loaded: Loaded) -> None:
    assert list(loaded("databases: {on: {kind: memory}}\nagentos: {db: 'on'}\n").databases) == ["on"]


def test_a_date_stays_text(loaded: Loaded) -> None:
    assert loaded(GOOD + "id: 2025-01-01\n").id == "2025-01-01"


def test_a_byte_order_mark_is_no_part_of_a_file(loaded: Loaded) -> None:
    assert loaded("\ufeff" + GOOD).id == "dbrouter"


def test_settings_know_where_their_keys_stand(loaded: Loaded, tmp_path: Path) -> None:
    settings = loaded("include: more.yaml\n" + GOOD, {"more.yaml": "\nagents:\n  x:\n    db: one\n"})
    assert settings.where("agentos", "db") == f"{tmp_path}/dbrouter.yaml:3"
    assert settings.where("agents", "x", "db") == f"{tmp_path}/more.yaml:4"
    assert settings.where("agents", "y", "db") == ""


def test_settings_from_python_stand_nowhere() -> None:
    settings = load_mapping({"databases": {"one": {"kind": "memory"}}, "agentos": {"db": "one"}})
    assert settings.where("agentos", "db") == ""


def test_settings_do_not_change() -> None:
    settings = Settings.model_validate({"databases": {"one": {"kind": "memory"}}, "agentos": {"db": "one"}})
    with pytest.raises(ValidationError):
        settings.id = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_what_is_missing_is_not_told_while_an_included_file_is_missing(refused: Refused) -> None:
    [problem] = refused("include: databases.yaml\nagentos: {db: one}\n")
    assert "databases.yaml' cannot be read" in problem
