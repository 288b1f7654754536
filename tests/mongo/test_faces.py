"""MongoDB alone, under agno's names, and what a configuration says of it."""

from __future__ import annotations

import inspect
import json
from typing import Any

import agno.db.mongo
import pytest
from pydantic import ValidationError

from dbrouter.backends import AsyncMongoDb, MongoDb
from dbrouter.backends.mongo.settings import MongoSettings
from dbrouter.backends.mongo.store import MongoStore
from dbrouter.router.standalone.mongo import CollectionNames

URL = "mongodb://reader:s3cret@db.example:27017/?authSource=admin&w=1"
PAIRS: list[tuple[Any, Any]] = [(MongoDb, agno.db.mongo.MongoDb), (AsyncMongoDb, agno.db.mongo.AsyncMongoDb)]
pairs = pytest.mark.parametrize(("ours", "theirs"), PAIRS)


@pairs
def test_every_argument_of_agnos_class_is_taken(ours: Any, theirs: Any) -> None:
    wanted = set(inspect.signature(theirs.__init__).parameters)
    taken = set(inspect.signature(ours.__init__).parameters) | CollectionNames.__optional_keys__
    assert wanted <= taken


@pytest.mark.parametrize("arguments", [{}, {"db_name": "mine"}, {"session_collection": "talks"}])
def test_a_database_has_agnos_id_and_collections(arguments: dict[str, str]) -> None:
    mine, theirs = MongoDb(db_url=URL, **arguments), agno.db.mongo.MongoDb(db_url=URL, **arguments)  # type: ignore[arg-type]
    assert mine.id == theirs.id
    for attribute in ("session_table_name", "runs_table_name", "memory_table_name", "learnings_table_name"):
        assert getattr(mine, attribute) == getattr(theirs, attribute)
    theirs.close()


@pairs
def test_its_stored_form_holds_no_password_and_opens_it_again(ours: Any, theirs: Any) -> None:
    del theirs
    mine = ours(db_url=URL, db_name="mine", session_collection="talks")
    stored = json.loads(json.dumps(mine.to_dict()))
    assert "s3cret" not in json.dumps(stored)
    again = ours.from_dict(stored)
    assert again.to_dict() == stored
    assert again.session_table_name == "talks"


@pairs
def test_an_address_is_needed_and_arguments_must_be_known(ours: Any, theirs: Any) -> None:
    del theirs
    with pytest.raises(ValueError, match="db_url or db_client"):
        ours()
    with pytest.raises(TypeError, match="sessions_collection"):
        ours(db_url=URL, sessions_collection="talks")


def test_what_the_url_says_is_stronger_than_the_options_beside_it() -> None:
    settings = MongoSettings.model_validate({"url": URL, "pool_size": 7, "tls": True})
    options = settings.options()
    assert "w" not in options
    assert "authSource" not in options
    assert (options["maxPoolSize"], options["tls"]) == (7, True)
    assert "s3cret" not in json.dumps(settings.shown())


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"host": "a", "port": 1}, "mongodb://a:1/"),
        ({"host": "a,b:5", "replica_set": "rs"}, "mongodb://a:27017,b:5/"),
        ({"host": "::1", "username": "u@x", "password": "p/ä"}, "mongodb://u%40x:p%2F%C3%A4@[::1]:27017/"),
        ({"replica_set": "rs"}, "mongodb://localhost:27017/"),
    ],
)
def test_fields_make_the_address(fields: dict[str, Any], address: str) -> None:
    assert MongoSettings.model_validate(fields).address() == address


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"url": "redis://x"},
        {"url": URL, "host": "a"},
        {"host": "a", "database": "a b"},
        {"host": "a", "database": "x" * 64},
        {"password": "p"},
        {"host": "a", "read_concern": "snapshot"},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MongoSettings.model_validate(wrong)


@pytest.mark.parametrize(
    ("said", "has"),
    [
        ({"url": "mongodb://a/"}, False),
        ({"url": "mongodb://a/?replicaSet=rs"}, True),
        ({"url": "mongodb+srv://a/"}, True),
        ({"host": "a", "replica_set": "rs"}, True),
        ({"url": "mongodb://a/", "transactions": True}, True),
        ({"url": "mongodb://a/?replicaSet=rs", "transactions": False}, False),
    ],
)
def test_transactions_are_there_where_the_settings_say_so(said: dict[str, Any], has: bool) -> None:
    store = MongoStore.from_settings(MongoSettings.model_validate(said))
    assert store.capabilities.commits is has


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://h/?tls=true&tlsCertificateKeyFilePassword=s3cret", "mongodb://h/?tls=true"),
        ("mongodb://h/?TLSCertificateKeyFilePassword=s3cret&tls=true&w=1", "mongodb://h/?tls=true&w=1"),
        ("mongodb://u:p@h/?authMechanismProperties=AWS_SESSION_TOKEN:s3cret;w=1", "mongodb://u@h/?w=1"),
        ("mongodb://h/db?authMechanismProperties=AWS_SESSION_TOKEN:s3cret", "mongodb://h/db"),
        (URL, URL.replace(":s3cret", "")),
        ("mongodb://h", "mongodb://h"),
    ],
)
@pytest.mark.parametrize("ours", [MongoDb, AsyncMongoDb])
def test_no_option_with_a_secret_is_stored(ours: Any, url: str, shown: str) -> None:
    assert ours(db_url=url).to_dict()["db_url"] == shown
