"""What only Azure has: an account with a key or a shared access signature, and what it says of a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Commit, Get, Put
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from dbrouter.testing.conformance.records import session
from scripts.servers import azure
from tests.backends.backend import Backend
from tests.backends.known import named
from tests.backends.places import Place

pytestmark = pytest.mark.backend("azure", mode="special")


@pytest.fixture
def place(fresh_place: Callable[[Backend], Place]) -> Place:
    return fresh_place(named("azure"))


def opened(place: Place, **more: Any) -> ObjectsStore:
    given = {name: value for name, value in place.settings(**more).items() if value is not None}
    return ObjectsStore(ObjectsSettings.model_validate(given))


def signature(rights: str, *, hours: int = 1) -> str:
    """A shared access signature with these rights, for so many hours from now."""
    return generate_account_sas(
        azure.ACCOUNT,
        azure.KEY,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions.from_string(rights),
        datetime.now(UTC) + timedelta(hours=hours),
    )


PUT = Commit(writes=(Put(table="sessions", record=session("s1")),))
GET = Get(table="sessions", key=("s1",))


@pytest.mark.parametrize("before", ["", "?"])
def test_a_shared_access_signature_opens_the_container(place: Place, before: str) -> None:
    store = opened(place, account_key=None, sas_token=before + signature("rwdl"))
    finish(store.execute(PUT))
    assert finish(store.execute(GET)) is not None
    finish(store.close())


def test_a_signature_that_only_reads_is_told_when_it_writes(place: Place) -> None:
    writer = opened(place)
    finish(writer.execute(PUT))
    finish(writer.close())
    store = opened(place, account_key=None, sas_token=signature("rl"))
    assert finish(store.execute(GET)) is not None
    with pytest.raises(Unavailable, match="does not let us in"):
        finish(store.execute(PUT))
    finish(store.close())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"account_key": "d3Jvbmc="}, "does not let us in: AuthorizationFailure"),
        ({"account_key": None, "sas_token": signature("rwdl", hours=-1)}, "does not let us in"),
        ({"account_key": None, "anonymous": True}, "does not let us in"),
        ({"account": "another"}, "does not let us in"),
        ({"account_key": "secret words"}, "cannot be opened: .*Access Key"),
        ({"account": None}, "cannot be opened: .*Account must be specified"),
        ({"account_key": None, "sas_token": "secret words"}, "cannot be opened: .*SAS"),
        ({"url": "az://elsewhere"}, "no such bucket.* ContainerNotFound: The specified container does not exist"),
        ({"url": "az://No_Name"}, "no such bucket.* InvalidResourceName"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_without_secrets(place: Place, settings: dict[str, Any], said: str) -> None:
    store = opened(place, **settings)
    for asked in (store.ping, lambda: store.execute(GET), lambda: store.execute(PUT)):
        with pytest.raises(Unavailable, match=r"let us in|cannot be opened|no such bucket") as raised:
            finish(asked())
        assert not raised.value.retryable
        for secret in (azure.KEY, "secret words", "sig=", "\n"):
            assert secret not in str(raised.value)
    with pytest.raises(Unavailable, match=said):
        finish(store.ping())
    finish(store.close())
