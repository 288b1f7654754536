"""The JSON Schema and the reference are what the models say, and agree with what loading accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from dbrouter.cli.init import STARTER
from dbrouter.config.reference import markdown
from dbrouter.config.schema import json_schema, schema_text
from dbrouter.config.settings import Settings
from dbrouter.config.validating import DATABASES

DOCS = Path(__file__).parents[2] / "docs"
DESIGNED = """
id: support-os
include: ["more.yaml", "${ENV:-dev}.yaml"]
databases:
  primary: {kind: postgres, url: "${PRIMARY_URL}", pool_size: "${POOL:-5}"}
  traces: {kind: sqlite, path: data/traces.db}
agentos:
  db: primary
  trace_db: "${TRACES:-traces}"
  families: {knowledge: primary}
agents:
  ops-bot: {db: primary}
workflows:
  nightly-digest: {families: {sessions: traces}}
traces: {buffer: "${BUFFER:-true}", max_rows: 5}
session_state: {on_conflict: "${CONFLICT:-raise}"}
"""


def _complaints(text: str) -> list[str]:
    validator: Any = Draft202012Validator(json_schema())
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("text", [DESIGNED, STARTER])
def test_the_schema_accepts_what_loads(text: str) -> None:
    assert _complaints(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "databses: {}",
        "agentos: {families: {runs: one}}",
        "databases: {one: {kind: sqlite}}",
        "databases: {one: {path: x.db}}",
        "databases: {one: {kind: memory, size: 3}}",
        "traces: {max_rows: 0}",
        "session_state: {on_conflict: shout}",
    ],
)
def test_the_schema_refuses_what_does_not_load(text: str) -> None:
    assert _complaints(text)


def test_every_key_of_the_schema_says_what_it_means() -> None:
    schema = json_schema()
    for part in (schema, *schema["$defs"].values()):
        for key, each in part["properties"].items():
            assert "description" in each or "$ref" in each, key


def test_the_checked_in_schema_is_what_the_models_say() -> None:
    text = (DOCS / "dbrouter.schema.json").read_text(encoding="utf-8")
    assert text == schema_text()
    assert json.loads(text) == json_schema()


def test_the_checked_in_reference_is_what_the_models_say() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == markdown()


def test_the_reference_names_every_key() -> None:
    text = markdown()
    for model in (Settings, *DATABASES.values()):
        for name, field in model.model_fields.items():
            assert f"| `{field.alias or name}` |" in text
