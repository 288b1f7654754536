"""The release of agno before today's on tables that we have made: while some processes are updated, others are not yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agno.agent import Agent
from agno.db.schemas.memory import UserMemory

from dbrouter import DbRouter
from dbrouter.config import load_mapping
from dbrouter.testing.ran import could_not_run
from dbrouter.testing.scripted_model import ScriptedModel
from scripts.old_agno.installing import alone
from scripts.old_agno.writes import write
from tests.backends.known import named
from tests.backends.places import Place
from tests.migrations.conftest import on
from tests.migrations.old import SESSIONS, everything

RELEASES = ("3.1.9", "3.0.11")
"""The one before today's, and the last of the series before."""
OF_THE_MOMENT = ("id", "created_at", "updated_at")
HERE = Path(__file__).parents[2]


def timeless(found: Any) -> Any:
    """Without times, and without the ids that messages get when they are made."""
    if isinstance(found, dict):
        return {key: timeless(each) for key, each in found.items() if key not in OF_THE_MOMENT}
    return [timeless(each) for each in found] if isinstance(found, list) else found


def read_by_us(place: Place) -> Any:
    with_json = json.dumps(asked(place, everything), default=str)
    return timeless(json.loads(with_json))


def asked(place: Place, call: Callable[[Any], Any]) -> Any:
    """What this makes of a router over the place."""
    db = DbRouter.from_settings(load_mapping({"databases": {"one": place.settings()}, "agentos": {"db": "one"}}))
    try:
        return call(db)
    finally:
        db.close()


class Previous:
    """A process with that release of agno's, on the place."""

    def __init__(self, release: str, place: Place) -> None:
        self._folder = alone(release)
        entry = place.settings()
        match place.backend.kind:
            case "sqlite":
                self._where = ["sqlite", entry["path"]]
            case "postgres":
                self._where = ["postgres", entry["url"].replace("postgresql:", "postgresql+psycopg:"), entry["schema"]]
            case _:
                self._where = ["mongo", entry["url"], entry["database"]]

    def reads(self) -> Any:
        """What its class answers about what is there."""
        return self._answers("read")

    def writes(self) -> Any:
        """What its class answers once it has written what old releases wrote."""
        return self._answers("write")

    def _answers(self, what: str) -> Any:
        command = [sys.executable, "-m", "tests.migrations.previous", what, *map(str, self._where)]
        environment = os.environ | {"PYTHONPATH": str(self._folder)}
        done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return timeless(json.loads(done.stdout))


def talk(db: Any) -> None:
    """Hold a conversation, and remember something of it."""
    Agent(id="desk", model=ScriptedModel(), db=db).run("hi", session_id="new", user_id="ada")
    db.upsert_user_memory(UserMemory(memory="says hi", memory_id="new", user_id="ada"))


@on("sqlite", "postgres", "mongo")
@pytest.mark.parametrize("release", RELEASES)
def test_the_release_before_reads_and_writes_our_tables_as_its_own(
    kind: str, release: str, fresh_place: Callable[..., Place], pytestconfig: pytest.Config
) -> None:
    by_us, by_them, mixed = (fresh_place(named(kind)) for _ in range(3))
    try:
        on_rows_of_ours, apart, on_tables_of_ours = (Previous(release, each) for each in (by_us, by_them, mixed))
    except (LookupError, OSError) as error:
        could_not_run(pytestconfig, kind, f"agno {release} could not be fetched: {error}")
    expected = apart.writes()
    assert {name: len(expected[name]["runs"] or []) for name in SESSIONS} == SESSIONS

    asked(by_us, write)
    assert on_rows_of_ours.reads() == expected

    asked(mixed, lambda db: db._create_all_tables())
    assert on_tables_of_ours.writes() == expected
    assert read_by_us(mixed) == read_by_us(by_them)

    # And today's code on tables that nobody has migrated.
    asked(by_them, talk)
    after = apart.reads()
    assert after["listed"] == sorted([*expected["listed"], ["new", "ada", 1]])
    assert len(after["memories"]) == len(expected["memories"]) + 1
    assert after["s3"] == expected["s3"]
