"""Every kind is tested on something, and what is tested is a kind."""

from __future__ import annotations

from collections import Counter

import pytest

from dbrouter.router.opening import STORES
from scripts.servers import IN_FRONT, STARTERS
from tests.backends.backend import Backend
from tests.backends.known import BACKENDS, NAMED, named, of_kind


@pytest.mark.parametrize("kind", STORES)
def test_every_kind_has_a_backend_that_all_suites_run_on(kind: str) -> None:
    assert of_kind(kind), f"add tests/backends/{kind}.py"


def test_every_backend_is_of_a_kind_that_a_configuration_can_name() -> None:
    assert [each.name for each in NAMED if each not in BACKENDS] == []


def test_no_two_backends_have_one_name() -> None:
    assert [name for name, count in Counter(each.name for each in BACKENDS).items() if count > 1] == []
    assert all(named(each.name) is each for each in BACKENDS)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda each: each.name)
def test_its_server_can_be_started(backend: Backend) -> None:
    assert backend.server is None or backend.server in {*STARTERS, *IN_FRONT}


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda each: each.name)
def test_its_settings_name_its_kind_and_send_nothing(backend: Backend) -> None:
    # Nobody answers there.
    assert backend.settings("http://127.0.0.1:9", "nowhere")["kind"] == backend.kind


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda each: each.name)
def test_its_rows_can_be_read_by_others_unless_its_process_holds_them(backend: Backend) -> None:
    assert backend.one_store or backend.rows is not None
