"""A server that only the environment names is seen to as well: whether it keeps conditions on writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dbrouter.backends.kernel.errors import Unavailable
from dbrouter.backends.kernel.ops import Scan
from dbrouter.backends.kernel.running import finish
from dbrouter.backends.objects.endpoints import endpoint_of, server_of
from dbrouter.backends.objects.settings import ObjectsSettings
from dbrouter.backends.objects.store import ObjectsStore
from tests.backends.backend import Backend
from tests.backends.known import named
from tests.backends.places import Place
from tests.objects.between import between
from tests.objects.test_clouds import opened, put

NAMED_BY = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (*NAMED_BY, "AWS_ALLOW_HTTP", "AZURE_STORAGE_USE_EMULATOR", "AZURE_USE_EMULATOR"):
        monkeypatch.delenv(each, raising=False)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"])
def test_a_server_of_the_environments_that_keeps_no_conditions_is_refused(
    name: str, fresh_place: Callable[[Backend], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = fresh_place(named("s3"))
    with between(place.url) as way:
        way.stripped = ("if-match", "if-none-match")
        monkeypatch.setenv(name, way.url)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        store = opened(place, endpoint=None)
        with pytest.raises(Unavailable, match="If-None-Match"):
            finish(store.execute(put("s1")))
        finish(store.close())
    monkeypatch.delenv(name)
    assert finish(opened(place).execute(Scan(table="sessions"))).records == []


def test_the_endpoint_of_the_settings_goes_before_every_variable(
    fresh_place: Callable[[Backend], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = fresh_place(named("s3"))
    with between(place.url) as elsewhere:
        for each in NAMED_BY[:3]:
            monkeypatch.setenv(each, elsewhere.url)
        store = opened(place)
        finish(store.execute(put("s1")))
        finish(store.close())
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("url", "said", "server"),
    [
        ("s3://bucket", {}, None),
        ("az://bucket", {}, None),
        ("s3://bucket", {"AZURE_ENDPOINT": "https://else"}, None),
        ("s3://bucket", {"AWS_ENDPOINT_URL": ""}, None),
        ("s3://bucket", {"AWS_ENDPOINT": "https://one", "AWS_ENDPOINT_URL_S3": "https://two"}, "https://two"),
        ("s3://bucket", {"AWS_Endpoint": "https://one"}, "https://one"),
        ("az://bucket", {"AZURE_STORAGE_ENDPOINT": "https://one"}, "https://one"),
        ("az://bucket", {"AZURE_ENDPOINT": "https://one"}, "https://one"),
        ("az://bucket", {"AZURE_STORAGE_USE_EMULATOR": "true"}, "emulator at its usual port"),
    ],
)
def test_the_server_that_is_spoken_to(
    url: str, said: dict[str, str], server: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    settings = ObjectsSettings(url=url)
    assert server_of(settings) == server
    assert server_of(settings) == endpoint_of(settings) or "emulator" in str(server)


@pytest.mark.parametrize("endpoint", ["https://given", None])
def test_what_the_settings_name_is_the_server(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://else")
    settings = ObjectsSettings(url="s3://bucket", endpoint=endpoint)
    assert server_of(settings) == (endpoint or "https://else")
    finish(ObjectsStore(settings).close())
