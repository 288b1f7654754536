"""What the settings of every kind of database have in common. No vendor client is imported here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from dbrouter.backends.kernel.agno_tables import TABLES
from dbrouter.backends.kernel.tenant_tables import physical_names
from dbrouter.backends.secrets import SecretUrl

DEADLINE = 30.0
"""Seconds a call may take on a database before it raises `Unavailable`."""


def refusal(what: str, do: str) -> PydanticCustomError:
    """A validation error that says what is wrong and what to do; neither may hold the value that was given."""
    # The texts go in as context: a brace in them must not be read as a placeholder.
    return PydanticCustomError("refused", "{what}; {do}", {"what": what, "do": do})


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word that was probably meant, if one is near enough, in whatever case."""
    known = {each.lower(): each for each in words}
    return next((known[each] for each in difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)), None)


def one_reading(url: SecretUrl) -> SecretUrl:
    """The URL, if it has one `@` before its `?`: behind the first, the rest of a password is taken for the host."""
    address = url.get_secret_value().partition("://")[2].partition("?")[0]
    if address.count("@") > 1:
        raise refusal(
            "there are several @ in this URL, so a part of the password would be read as the host",
            "write an @ in user and password as %40 (and / as %2F, : as %3A), or give host, user and password apart",
        )
    return url


def meant(word: str, words: Iterable[str]) -> str:
    """Advice for a word that is none of `words`: the one probably meant, else all of them."""
    known = list(words)
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else f"use one of {', '.join(known)}"


class Part(BaseModel):
    """A part of the configuration: frozen, closed to unknown keys, silent about its values when it is refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        populate_by_name=True,
        allow_inf_nan=False,
    )


def _known_table(name: str) -> str:
    if name not in TABLES:
        raise refusal(f"there is no table {name!r}", meant(name, TABLES))
    return name


def _distinct(names: dict[str, str]) -> dict[str, str]:
    # Without regard to case, as SQLite and some MySQL servers read names.
    called_alike: dict[str, list[str]] = {}
    for table in TABLES.values():
        called_alike.setdefault(names.get(table.name, table.default_name).lower(), []).append(table.name)
    for same in called_alike.values():
        if len(same) > 1:
            name = names.get(same[0], TABLES[same[0]].default_name)
            raise refusal(f"{' and '.join(same)} would all be called {name!r}", "give each table a name of its own")
    shared = {called.lower() for table, called in physical_names(names).items() if table not in TABLES}
    for table, called in names.items():
        if called.lower() in shared:
            raise refusal(
                f"{table} would be called {called!r}, as a table that tenants share is", "give it another name"
            )
    return names


KnownTable = Annotated[str, AfterValidator(_known_table), WithJsonSchema({"type": "string", "enum": list(TABLES)})]

TableNames = Annotated[
    dict[KnownTable, Annotated[str, Field(min_length=1, max_length=63)]],
    AfterValidator(_distinct),
]
"""Table -> what it is called in this database. Postgres cuts names at 63 bytes."""
