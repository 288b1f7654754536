"""Classes made to measure: a db class overrides what its families can serve and nothing else.

agno finds out what a database can do by asking whether its class overrides a method of the base, so a class that
overrides them all would claim everything and fail at run time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn, TypeVar, cast

from dbrouter import backends
from dbrouter.backends.kernel.errors import RoutingError
from dbrouter.backends.kernel.forking import lock
from dbrouter.router.agno_types import AsyncBaseDb, BaseDb
from dbrouter.router.faces.async_all import ASYNC_FACES
from dbrouter.router.faces.sync_all import SYNC_FACES
from dbrouter.router.families import FAMILY_CLASSES
from dbrouter.router.routes import SCHEMA_VERSIONS

C = TypeVar("C")

UNAWAITED = frozenset(
    name
    for face in ASYNC_FACES.values()
    for name, each in vars(face).items()
    if inspect.isfunction(each) and not inspect.iscoroutinefunction(each)
)
"""What agno calls without awaiting it, on an async database too."""

_ASSEMBLED: dict[tuple[type, frozenset[str], frozenset[str]], type] = {}
_LOCK = lock()


def assembled(cls: type[C], serves: Collection[str] | None, without: frozenset[str] = frozenset()) -> type[C]:
    """`cls` with the faces of these families, all there are if `None`. The same arguments give the same class.

    without: methods that no database of their family has; they stay agno's own, by which agno knows that.

    It is named after `cls`, so that agno's logs and telemetry read as one would expect. `RoutingError` if there is no
    program for a family.
    """
    if serves is None and "_serves" in vars(cls):
        return cls  # made to measure already
    base = cast("type[C]", getattr(cls, "_made_from", cls))
    families = frozenset(FAMILY_CLASSES) if serves is None else frozenset(serves) | {SCHEMA_VERSIONS}
    unknown = sorted(families - set(FAMILY_CLASSES))
    if unknown:
        raise RoutingError(f"no program serves {', '.join(unknown)}; there are {', '.join(FAMILY_CLASSES)}")
    with _LOCK:
        made = _ASSEMBLED.get((base, families, without))
        if made is None:
            made = _ASSEMBLED[base, families, without] = _assemble(base, families, without)
    return cast("type[C]", made)


def _assemble(base: type, families: frozenset[str], without: frozenset[str]) -> type:
    asynchronous = issubclass(base, AsyncBaseDb)
    faces: Mapping[str, type] = ASYNC_FACES if asynchronous else SYNC_FACES
    metaclass = cast("Callable[[str, tuple[type, ...], dict[str, Any]], Any]", type(base))
    bases: tuple[type, ...] = (base, *(face for family, face in faces.items() if family in families))
    named: dict[str, Any] = {
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__doc__": base.__doc__,
        "_made_from": base,
        "_serves": families,
    }
    name_of_it = _named_apart(base.__name__)
    missing: frozenset[str] = metaclass(name_of_it, bases, dict(named)).__abstractmethods__
    family_of = {name: family for family, face in faces.items() for name in vars(face)}
    for name in missing:
        named[name] = _absent(name, family_of.get(name), asynchronous=asynchronous)
    agno: Any = AsyncBaseDb if asynchronous else BaseDb
    # What agno's base does not declare it looks for by name; there `None` is as good as nothing.
    by_name = {name for name in without if name in UNAWAITED or not hasattr(BaseDb, name)}
    named |= {name: getattr(agno, name, None) for name in without if hasattr(agno, name) or name in by_name}
    return cast("type", metaclass(name_of_it, bases, named))


def _named_apart(name: str) -> str:
    """The name, or another one where agno has a class of that name.

    agno's migrations know their classes by `type(db).__name__` alone, and reach for what only those have. Of any other
    they ask for nothing but the stamp, and that is where ours do the work.
    """
    return f"Dbrouter{name}" if name in backends.__all__ else name


def _absent(name: str, family: str | None, *, asynchronous: bool) -> Callable[..., Any]:
    """A method that agno requires of every database, where no family serves it: it says so, in agno's own error."""
    agno: Any = AsyncBaseDb if asynchronous else BaseDb

    def refuse() -> NoReturn:
        if family is None:
            raise NotImplementedError(f"this version of dbrouter does not know {name}; a newer one may")
        raise NotImplementedError(
            f"{name}: {family} are not served here, no database is named for them; "
            f"set agentos.families.{family}, or agentos.db for every family"
        )

    async def absent_async(_: object, *__: object, **___: object) -> NoReturn:
        refuse()

    def absent(_: object, *__: object, **___: object) -> NoReturn:
        refuse()

    theirs = getattr(agno, name)
    stub: Any = absent_async if inspect.iscoroutinefunction(theirs) else absent
    stub.__name__, stub.__qualname__, stub.__doc__ = name, f"{agno.__name__}.{name}", inspect.getdoc(theirs)
    stub.__signature__ = inspect.signature(theirs)
    return cast("Callable[..., Any]", stub)
