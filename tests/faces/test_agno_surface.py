"""The installed agno against the one this package was written for: a new or changed method fails here by its name."""

from __future__ import annotations

import pytest

from tests.faces.surface import frozen, installed

FROZEN = frozen()
INSTALLED = installed()


@pytest.mark.parametrize("method", sorted(FROZEN.keys() | INSTALLED.keys()))
def test_agno_is_the_one_we_know(method: str) -> None:
    """Serve what is new, or decide not to, then run `python -m tests.faces.surface`."""
    assert INSTALLED.get(method) == FROZEN.get(method)
