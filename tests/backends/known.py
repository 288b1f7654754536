"""Every backend that the suites run on: whatever the files of this folder name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from dbrouter.router.opening import STORES
from tests.backends.backend import Backend


def _named_in(module: str) -> tuple[Backend, ...]:
    named: tuple[Backend, ...] = getattr(import_module(f"tests.backends.{module}"), "BACKENDS", ())
    return named


NAMED: tuple[Backend, ...] = tuple(
    backend
    for file in sorted(Path(__file__).parent.glob("*.py"))
    if file != Path(__file__)
    for backend in _named_in(file.stem)
)
"""All that the files name, in their order."""

BACKENDS = tuple(each for each in NAMED if each.kind in STORES)
"""Those that a configuration can name; `tests/conformance/test_backends.py` fails while there are others."""


def is_flavour(backend: Backend) -> bool:
    """Whether another backend of its kind comes before it: the same driver, of which suites then run their core."""
    return of_kind(backend.kind)[0] is not backend


def of_kind(kind: str) -> tuple[Backend, ...]:
    """The flavours of one kind."""
    return tuple(each for each in BACKENDS if each.kind == kind)


def named(name: str) -> Backend:
    """The backend of this name."""
    return next(each for each in BACKENDS if each.name == name)
