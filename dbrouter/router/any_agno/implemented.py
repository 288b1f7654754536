"""Which methods of agno's interface a class really has.

agno's classes override most methods of the interface, and many of those overrides only say that they are not there, or
answer nothing. What counts is the body: a method is there if it can return, and uses the object it belongs to.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any, cast

from dbrouter.router.agno_types import AsyncBaseDb, BaseDb


@cache
def implements(cls: type, method: str) -> bool:
    """Whether the class has a method of this name that does something."""
    defined = _definitions(cls, method)
    return _next_does_something(method, defined)


def is_asynchronous(cls: type) -> bool:
    """Whether calls of its methods are awaited."""
    return issubclass(cls, AsyncBaseDb)


def bases_of(cls: type) -> type[Any]:
    """The interface of agno's that the class implements."""
    return AsyncBaseDb if is_asynchronous(cls) else BaseDb


def signature_of(cls: type, method: str) -> inspect.Signature:
    """The signature of a method, without the object it belongs to."""
    whole = inspect.signature(getattr(cls, method))
    return whole.replace(parameters=[*whole.parameters.values()][1:])


def _definitions(cls: type, method: str) -> Iterator[Callable[..., Any]]:
    """The definition that counts; below it those that it may defer to."""
    for each in cls.__mro__:
        if each in (BaseDb, AsyncBaseDb):
            return
        if method in vars(each):
            yield vars(each)[method]


def _next_does_something(method: str, defined: Iterator[Callable[..., Any]]) -> bool:
    first = next(defined, None)
    return first is not None and _does_something(first, method, defined)


def _does_something(found: Any, method: str, below: Iterator[Callable[..., Any]]) -> bool:
    plain = inspect.unwrap(getattr(found, "__func__", found))
    if not isinstance(plain, FunctionType):
        # Not a plain method (built in, or an object that can be called): nobody can look into it.
        return callable(plain)
    if isinstance(found, staticmethod | classmethod):
        return _can_return(plain.__code__)
    if _defers(plain.__code__, method):
        return _next_does_something(method, below)
    return _can_return(plain.__code__) and _uses_itself(plain.__code__)


def _can_return(code: CodeType) -> bool:
    """Whether it ever comes to an end without an error."""
    return any(each.opname.startswith("RETURN_") and each.opname != "RETURN_GENERATOR" for each in dis.Bytecode(code))


def _uses_itself(code: CodeType) -> bool:
    """Whether it ever looks at the object that it belongs to: what does not cannot reach a database."""
    if code.co_argcount == 0:
        return True
    return _loads(code, code.co_varnames[0])


def _loads(code: CodeType, name: str) -> bool:
    for each in dis.Bytecode(code):
        value: Any = each.argval
        loaded = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,)
        if "LOAD" in each.opname and name in loaded:
            return True
    inner = (each for each in code.co_consts if isinstance(each, CodeType) and name in each.co_freevars)
    return any(_loads(each, name) for each in inner)


def _defers(code: CodeType, method: str) -> bool:
    """Whether it is a call of the method below it, with whatever around it."""
    return "super" in code.co_names and method in code.co_names
