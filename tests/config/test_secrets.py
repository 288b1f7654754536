"""Passwords are in no text that dbrouter makes: not in an error, a traceback, a repr, a dump, an explanation."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from dbrouter.backends.kernel.errors import ConfigError, Unavailable
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.postgres.settings import PostgresSettings
from dbrouter.backends.postgres.store import PostgresStore
from dbrouter.backends.secrets import masked
from dbrouter.config import load
from dbrouter.router.explain import explain
from dbrouter.router.routes import Routes

if TYPE_CHECKING:
    from tests.config.conftest import Loaded

SECRET = "hunter2"
URL = f"postgresql://agent:{SECRET}@db.internal/agents"
GOOD = """\
databases:
  by_url: {kind: postgres, url: "${URL}"}
  by_parts: {kind: postgres, user: agent, database: agents, password: "${PASSWORD}"}
  by_file: {kind: postgres, user: agent, database: other, password: "${file:secret}"}
agentos: {db: by_url, families: {memories: by_parts, evals: by_file}}
"""


def test_settings_show_no_password(loaded: Loaded) -> None:
    settings = loaded(GOOD, {"secret": SECRET}, URL=URL, PASSWORD=SECRET)
    for text in (repr(settings), str(settings), settings.model_dump_json(), json.dumps(settings.shown())):
        assert SECRET not in text
        assert "***" in text
    assert SECRET not in repr(settings.model_dump())
    assert settings.shown()["databases"]["by_url"]["url"] == "postgresql://agent:***@db.internal/agents"


def test_a_client_gets_the_password(loaded: Loaded) -> None:
    settings = loaded(GOOD, {"secret": "p@ss/w:rd\n"}, URL=URL, PASSWORD=SECRET)
    addresses = [each.address() for each in settings.databases.values() if isinstance(each, PostgresSettings)]
    assert addresses == [
        URL,
        f"postgresql://agent:{SECRET}@localhost:5432/agents",
        "postgresql://agent:p%40ss%2Fw%3Ard@localhost:5432/other",
    ]


def test_an_explanation_shows_no_password(loaded: Loaded) -> None:
    settings = loaded(GOOD, {"secret": SECRET}, URL=URL, PASSWORD=SECRET)
    found = explain(Routes.of(settings), "memories")
    assert SECRET not in repr(found) + json.dumps(found.as_dict())


@pytest.mark.parametrize(
    "text",
    [
        f"databases: {{one: {{kind: postgres, url: 'mysql://agent:{SECRET}@db/x'}}}}",
        f"databases: {{one: '{URL}'}}",
        f"databases: {{one: {{kind: '{URL}'}}}}",
        f"databases: {{one: {{kind: postgres, database: x, port: {SECRET}}}}}",
        f"databases: {{one: {{kind: postgres, database: x, password: [{SECRET}]}}}}",
        f"databases: {{one: {{kind: postgres, database: x, url: '{URL}'}}}}",
        f"databases: {{one: {{kind: postgres, pasword: {SECRET}}}}}",
        f"databases: {{one: {{kind: postgres, url: {URL} }}",
        f"databases: {{one: {{kind: memory}}}}\nagentos: {{db: '{URL}'}}",
        f"traces: {{buffer: {SECRET}}}",
        f"session_state: {SECRET}",
        f"include: {{url: '{URL}'}}",
        f"{URL}",
        "databases: {one: {kind: memory}}\nagentos: {db: '${PASSWORD}'}",
        "databases: {one: {kind: '${PASSWORD}'}}",
        "databases: {one: {kind: sqlite, path: x, deadline: '${PASSWORD}'}}",
        "session_state: {on_conflict: '${PASSWORD}'}",
        "id: '${file:${PASSWORD}}'",
        f"id: '${{{URL}}}'",
        f"id: '${{PASSWORD {SECRET}}}'",
    ],
)
def test_a_refusal_shows_no_password(tmp_path: Path, text: str) -> None:
    file = tmp_path / "dbrouter.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, {"PASSWORD": SECRET, "URL": URL})
    whole = "".join(traceback.format_exception(caught.value, chain=True))
    assert SECRET not in whole + repr(caught.value) + repr(caught.value.problems)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_settings_made_in_python_hide_what_they_refuse() -> None:
    with pytest.raises(ValidationError) as caught:
        PostgresSettings.model_validate({"url": f"mysql://agent:{SECRET}@db/x", "port": SECRET})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p@ss/w:rd@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql://u@h/d?password=p&x=1", "postgresql://u@h/d?password=***&x=1"),
        ("host=h password='p q' user=u", "host=h password=*** user=u"),
        ("cannot reach postgresql://u:p@h/d: refused", "cannot reach postgresql://u:***@h/d: refused"),
        (
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:p/q=,X:y&tls=true",
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:***&tls=true",
        ),
        (
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN%3Ap",
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN%3A***",
        ),
        ("the password: p, and the rest", "the password: *** and the rest"),
        ("redis://token:p@h/0", "redis://token:***@h/0"),
        ("nothing to hide: a@b.c", "nothing to hide: a@b.c"),
    ],
)
def test_what_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_an_outage_shows_no_password_of_a_urls_parameters() -> None:
    store = PostgresStore(f"postgresql://127.0.0.1:1/agents?user=agent&password={SECRET}&sslpassword={SECRET}")
    with pytest.raises(Unavailable) as caught:
        finish(store.ping())
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "user=agent" in str(caught.value)
