"""The class that a path names, and whether its constructor takes the arguments that are given."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dbrouter.backends.secrets import masked
from dbrouter.backends.settings import meant
from dbrouter.router.agno_types import AsyncBaseDb, BaseDb

_VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong with a class or its arguments. key: where it stands, below the database."""

    key: tuple[str, ...]
    what: str
    do: str


def found(path: str) -> type[Any] | Wrong:
    """The class of this path, or what is wrong with the path."""
    module, _, name = path.rpartition(".")
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        what = f"{module} cannot be imported: {masked(str(error)) or type(error).__name__}"
        do = "install what it needs" if _exists(error, module) else "write the class with its module"
        return Wrong(key=("class",), what=what, do=do)
    except Exception as error:  # noqa: BLE001  # the module's own code runs here, and may fail in any way
        what = f"{module} cannot be imported: {type(error).__name__}: {masked(str(error))}"
        return Wrong(key=("class",), what=what, do="see to it that it can be imported by itself")
    cls = getattr(loaded, name, None)
    if cls is None:
        named = [each for each, value in vars(loaded).items() if _is_a_db(value)]
        do = meant(name, named) if named else "write the class with its module"
        return Wrong(key=("class",), what=f"{module} has no {name}", do=do)
    if not _is_a_db(cls):
        what = f"{path} is not a database class of agno's"
        return Wrong(key=("class",), what=what, do="name a subclass of agno.db.base.BaseDb or AsyncBaseDb")
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        what = f"{path} is not complete: it leaves {', '.join(missing)} to subclasses"
        return Wrong(key=("class",), what=what, do="name a class that agno could use")
    return cast("type[Any]", cls)


def wrong_arguments(cls: type[Any], args: Mapping[str, Any]) -> Iterator[Wrong]:
    """What is wrong with the arguments of the constructor, as far as its signature says. No value is told."""
    parameters = {**inspect.signature(cls).parameters}
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    named = {name: each for name, each in parameters.items() if each.kind not in _VARIABLE}
    for name in args:
        if name in named and named[name].kind is inspect.Parameter.POSITIONAL_ONLY:
            what = f"{cls.__name__} takes {name} only by its position"
            yield Wrong(key=("args", name), what=what, do="name a subclass that takes it by name")
        elif name not in named and not takes_any:
            yield Wrong(key=("args", name), what=f"{cls.__name__} has no argument {name!r}", do=meant(name, named))
    for name, each in named.items():
        if each.default is each.empty and name not in args:
            yield Wrong(key=("args",), what=f"{cls.__name__} needs {name}", do=f"add args.{name}")


def _is_a_db(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseDb | AsyncBaseDb) and value not in (BaseDb, AsyncBaseDb)


def _exists(error: ImportError, module: str) -> bool:
    """Whether the module itself is there, and what it imports is not."""
    return not (isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."))
