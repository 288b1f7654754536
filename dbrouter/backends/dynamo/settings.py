"""What a DynamoDB database is configured with. No client is imported here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dbrouter.backends.secrets import Password
from dbrouter.backends.settings import DEADLINE, Part, TableNames, refusal

DEFAULT_TABLE = "dbrouter"
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_SECRET = WithJsonSchema({"type": "string", "writeOnly": True})


def _a_table(name: str) -> str:
    if not _TABLE.fullmatch(name):
        raise refusal(
            "this is no name of a DynamoDB table", "use 3 to 255 of letters, digits, underscore, hyphen and dot"
        )
    return name


def _an_endpoint(url: str) -> str:
    scheme, found, rest = url.partition("://")
    if scheme not in ("http", "https") or not found or not rest:
        raise refusal("this is not the URL of an endpoint", "start it with https:// or http://")
    if "@" in rest:
        raise refusal("an endpoint takes no user or password", "give access_key_id and secret_access_key")
    return url


class DynamoSettings(Part):
    """A table of Amazon DynamoDB, which holds all of the database.

    Credentials are those that boto3 finds (environment, profile, role of the machine) where none are given.
    """

    kind: Literal["dynamo"] = "dynamo"
    """The kind of database."""
    table: Annotated[str, AfterValidator(_a_table)] = DEFAULT_TABLE
    """The DynamoDB table. It holds every table of agno's; two databases in one account and region need two names."""
    region: Annotated[str, Field(min_length=1)] | None = None
    """The AWS region; that of the environment or the profile if not given."""
    profile: Annotated[str, Field(min_length=1)] | None = None
    """The profile of the AWS configuration files. Not together with keys."""
    access_key_id: Annotated[str, Field(min_length=1)] | None = None
    """An access key, together with `secret_access_key`. A role of the machine is better than keys in a file."""
    secret_access_key: Annotated[Password | None, _SECRET] = None
    """Its secret, never shown. Write a reference: `${AWS_SECRET_ACCESS_KEY}`."""
    session_token: Annotated[Password | None, _SECRET] = None
    """The token of temporary credentials, never shown."""
    endpoint_url: Annotated[str | None, AfterValidator(lambda url: url and _an_endpoint(url))] = None
    """Another endpoint than Amazon's: a VPC endpoint, or DynamoDB Local."""
    ca_bundle: Path | None = None
    """A file of certificates to trust in place of the built-in ones."""
    create_table: bool = True
    """Whether to create the DynamoDB table, billed on demand, at the first write that finds none."""
    connections: Annotated[int, Field(ge=1)] = 32
    """Connections kept open to the endpoint."""
    connect_timeout: Annotated[float, Field(gt=0)] = 5.0
    """Seconds to wait for a connection to open."""
    deadline: Annotated[float, Field(gt=0)] = DEADLINE
    """Seconds a call may take before it raises `Unavailable`, or `Throttled` if DynamoDB asks to slow down."""
    tables: TableNames = Field(default_factory=dict[str, str])
    """Table -> its name in this database, where it is not agno's default name."""

    @model_validator(mode="after")
    def _one_identity(self) -> DynamoSettings:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            missing = "secret_access_key" if self.secret_access_key is None else "access_key_id"
            raise refusal(f"{missing} is missing", "give access_key_id and secret_access_key, or neither")
        if self.session_token is not None and self.access_key_id is None:
            raise refusal("session_token is given without keys", "give access_key_id and secret_access_key too")
        if self.profile is not None and self.access_key_id is not None:
            raise refusal("profile and access_key_id are both given", "keep one of them")
        return self

    @property
    def calls_at_once(self) -> int:
        """Calls of all tenants together that one process has under way at most."""
        return self.connections

    def shown(self) -> dict[str, Any]:
        """These settings for people: secrets as `***`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
