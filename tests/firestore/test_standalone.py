"""Firestore alone, under agno's names; and what its settings say and hide."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
import sys
from typing import Any

import agno.db.firestore
import pytest
from agno.session import AgentSession
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client
from pydantic import ValidationError

from dbrouter.backends import AsyncFirestoreDb, FirestoreDb
from dbrouter.backends.firestore.forks import FORKS
from dbrouter.backends.firestore.settings import FirestoreSettings
from dbrouter.backends.firestore.target import Target
from dbrouter.router.standalone.firestore import Names
from tests.backends.firestore import client
from tests.backends.places import Place

KEY = json.dumps({"type": "service_account", "private_key": "s3cret", "client_email": "a@b"})


@pytest.mark.parametrize("ours", [FirestoreDb, AsyncFirestoreDb])
def test_every_argument_of_agnos_class_is_taken(ours: Any) -> None:
    wanted = set(inspect.signature(agno.db.firestore.FirestoreDb.__init__).parameters)
    taken = set(inspect.signature(ours.__init__).parameters) - {"names"} | Names.__optional_keys__
    assert wanted <= taken


@pytest.mark.parametrize("ours", [FirestoreDb, AsyncFirestoreDb])
def test_a_project_has_agnos_id_and_names(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    arguments = {"project_id": "mine", "session_collection": "talks", "spans_collection": "steps"}
    mine, agnos = ours(**arguments), agno.db.firestore.FirestoreDb(**arguments)
    assert mine.id == agnos.id
    assert (mine.session_table_name, mine.span_table_name) == ("talks", "steps")
    assert ours.from_dict(mine.to_dict()).to_dict() == mine.to_dict()


@pytest.mark.parametrize("ours", [FirestoreDb, AsyncFirestoreDb])
def test_a_database_without_an_address_is_refused(ours: Any) -> None:
    with pytest.raises(ValueError, match="One of project_id or db_client must be provided"):
        ours()


def test_a_client_of_googles_says_where_the_database_is() -> None:
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    options = {"api_endpoint": "eur3-firestore.googleapis.com"}
    with_client = Client(project="p", database="other", credentials=credentials, client_options=options)
    target = Target.of_client(with_client)
    assert (target.project, target.database) == ("p", "other")
    assert (target.host, target.emulator) == ("eur3-firestore.googleapis.com", None)
    assert target.credentials is credentials
    with_client.close()


def test_both_are_agno_dbs_on_one_database(place: Place) -> None:
    with_client = client(place.url, place.name)
    db = FirestoreDb(with_client)
    db.upsert_session(AgentSession(session_id="s", agent_id="a", session_data={"session_name": "\x00\ud800😀"}))

    async def from_a_loop() -> Any:
        other = AsyncFirestoreDb(with_client)
        try:
            return await other.get_session("s")
        finally:
            await other.close()

    found = asyncio.run(from_a_loop())
    assert found.session_data == {"session_name": "\x00\ud800😀"}
    assert agno.db.firestore.FirestoreDb(with_client).get_sessions() == []
    db.close()
    with_client.close()


def settings(**more: Any) -> FirestoreSettings:
    return FirestoreSettings.model_validate({"project": "my-project"} | more)


def test_a_key_is_never_shown() -> None:
    made = settings(credentials=KEY)
    target = Target.from_settings(made, "main")
    assert target.credentials == KEY
    for text in (repr(made), str(made.shown()), repr(target), made.model_dump_json()):
        assert "s3cret" not in text
    assert made.shown()["credentials"] == "***"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"project": "My Project"}, "no project id"),
        ({"credentials": "not json s3cret"}, "credentials is not the JSON of a key"),
        ({"credentials": KEY, "credentials_file": "key.json"}, "both given"),
        ({"root": "a/b"}, "use letters, digits"),
        ({"root": "all_tenants"}, "choose another name"),
        ({"tables": {"sessions": "a/b"}}, "use letters, digits"),
        ({"tables": {"sessions": "__x__"}}, "use letters, digits"),
        ({"emulator_host": "http://x:1"}, "emulator_host"),
        ({"deadline": 0}, "deadline"),
        ({"databse": "x"}, "databse"),
    ],
)
def test_a_bad_value_is_refused_with_advice_and_not_repeated(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**wrong)
    assert says in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_the_emulator_of_the_environment_is_used_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    assert settings().emulator is None
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:8080")
    assert settings().emulator == "127.0.0.1:8080"
    assert settings(emulator_host="127.0.0.1:9090").emulator == "127.0.0.1:9090"


def test_making_a_db_imports_no_client() -> None:
    code = (
        "import sys; from dbrouter.backends import FirestoreDb; db = FirestoreDb(project_id='p');"
        "found = {each for each in sys.modules if each.startswith(('grpc', 'google.a', 'google.cloud.'))};"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


FORKING = """
import asyncio, os, sys
from dbrouter.backends import AsyncFirestoreDb, FirestoreDb
from dbrouter.backends.kernel.errors import StoreError
db = FirestoreDb(project_id="forks", emulator_host=sys.argv[1])
assert db.get_sessions() == []
if sys.argv[2] == "async":
    assert asyncio.run(AsyncFirestoreDb(project_id="forks", emulator_host=sys.argv[1]).get_sessions()) == []
pid = os.fork()
if pid == 0:
    try:
        os._exit(10 if db.get_sessions() == [] else 11)
    except StoreError as error:
        os._exit(12 if "forked" in str(error) else 13)
assert db.get_sessions() == []
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.parametrize(
    ("mode", "support", "status"), [("blocking", None, 10), ("blocking", "0", 12), ("async", None, 12)]
)
def test_a_child_of_a_process_that_used_it_works_or_is_refused_by_name_and_never_hangs(
    target: Target, mode: str, support: str | None, status: int
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != FORKS}
    if support is not None:
        environment[FORKS] = support
    command = [sys.executable, "-c", FORKING, str(target.emulator), mode]
    assert subprocess.run(command, check=False, timeout=60, env=environment).returncode == status
