"""Files that are missing, include what they must not, or are no YAML that means one thing: which one, where, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbrouter.backends.kernel.errors import ConfigError
from dbrouter.config import load
from tests.config.conftest import GOOD, Refused


def test_a_missing_configuration_file_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "dbrouter.yaml", {})
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "dbrouter.yaml:1: the file 'dbrouter.yaml' cannot be read: No such file or directory; "
        "run `dbrouter init` to write one"
    )


def test_a_missing_included_file_is_named_where_it_is_included(refused: Refused) -> None:
    assert refused("id: x\ninclude: [other.yaml, more.yaml]\n" + GOOD, {"more.yaml": ""}) == [
        (
            "dbrouter.yaml:2: include.0: the file 'other.yaml' cannot be read: No such file or directory; "
            "the path is relative to the file that includes it"
        )
    ]


def test_files_that_include_each_other_are_refused(refused: Refused) -> None:
    others = {"parts/a.yaml": "include: b.yaml\n", "parts/b.yaml": "id: x\ninclude: ../dbrouter.yaml\n"}
    assert refused("include: parts/a.yaml\n" + GOOD, others) == [
        (
            "parts/b.yaml:2: include: the files include each other: "
            "dbrouter.yaml -> parts/a.yaml -> parts/b.yaml -> parts/../dbrouter.yaml; remove one of the includes"
        )
    ]


def test_an_include_that_is_no_file_name_is_refused(refused: Refused) -> None:
    assert refused("include: [{a: b}]\n" + GOOD) == [
        "dbrouter.yaml:1: include.0: an include is not the name of a file; name a file, or list files"
    ]


def test_a_problem_in_an_included_file_names_that_file(refused: Refused) -> None:
    assert refused("include: more.yaml\n" + GOOD, {"more.yaml": "\n\ntraces: {max_rows: 0}\n"}) == [
        "more.yaml:3: traces.max_rows: this number is out of range; use at least 1"
    ]


def test_text_that_is_no_yaml_is_refused_where_it_breaks(refused: Refused) -> None:
    [problem] = refused("id: x\ndatabases: [\n")
    assert problem.startswith("dbrouter.yaml:3: this is not YAML: ")


@pytest.mark.parametrize(
    ("database", "problem"),
    [
        (
            "{kind: sqlite,\tpath: x.db}",
            "this is not YAML: found character '\\t' that cannot start any token; put blanks in the place of tabs",
        ),
        (
            "{kind:sqlite, path: x.db}",
            "databases.one.kind:sqlite: nothing is written behind this key; put a blank behind the colon",
        ),
        (
            "{kind: sqlite, path: x.db, deadline: .inf}",
            "databases.one.deadline: a finite number is needed; write digits",
        ),
        (
            "{kind: sqlite, path: x.db, deadline: .nan}",
            "databases.one.deadline: a finite number is needed; write digits",
        ),
    ],
)
def test_what_is_easily_mistyped_is_explained(refused: Refused, database: str, problem: str) -> None:
    told = refused(f"databases:\n  one: {database}\nagentos: {{db: one}}\n")
    assert [each for each in told if each.startswith(f"dbrouter.yaml:2: {problem}")] != []


def test_an_unquoted_reference_in_braces_is_explained(refused: Refused) -> None:
    [problem] = refused("databases:\n  one: {kind: postgres, url: ${URL}}\n")
    assert problem.startswith("dbrouter.yaml:2: this is not YAML: ")
    assert problem.endswith('inside { } a reference needs quotes: "${NAME}"')


def test_a_file_that_is_a_list_is_refused(refused: Refused) -> None:
    assert refused("# a list\n- one\n") == ["dbrouter.yaml:2: this is not a mapping; start with `databases:`"]


def test_a_file_that_is_not_utf8_is_refused_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "dbrouter.yaml").write_bytes(b"id: x\nteams: \xff\n")
    with pytest.raises(ConfigError, match=r"dbrouter.yaml:2: this is not UTF-8 text; save the file as UTF-8$"):
        load(tmp_path / "dbrouter.yaml", {})


def test_a_tag_is_refused(refused: Refused) -> None:
    [problem] = refused("id: !!python/name:os.system x\n" + GOOD)
    assert problem == "dbrouter.yaml:1: id: the tag !!python/name:os.system means nothing here; remove it"


@pytest.mark.parametrize("value", ["{}", "[]"])
def test_a_tag_before_a_mapping_or_a_list_is_refused(refused: Refused, value: str) -> None:
    problem, *_ = refused(GOOD + f"agents: !override {value}\n")
    assert problem == "dbrouter.yaml:5: agents: the tag !override means nothing here; remove it"


def test_an_alias_inside_what_it_names_is_refused(refused: Refused) -> None:
    assert refused(GOOD + "traces: &t\n  buffer: *t\n") == [
        "dbrouter.yaml:5: traces.buffer: the alias stands inside what it names; write the value out"
    ]


def test_aliases_that_mean_too_many_values_are_refused(refused: Refused) -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert any("aliases make over 100000 values" in each for each in refused("\n".join(lines) + "\n" + GOOD))
