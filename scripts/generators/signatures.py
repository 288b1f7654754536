"""A method's signature as source text: read from agno's and from ours, brought together, written down again."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import functools
import importlib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from inspect import Parameter as Kind
from types import FunctionType, ModuleType
from typing import Any, cast

from generators.outcome import Stale

AGNO_TYPES = ("dbrouter.router.agno_types", "dbrouter.router.agno_tracing")
"""The modules through which agno's names reach our code."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A type as source text. names: what it must import, name -> module. vague: it has a bare `List` or `Dict`."""

    text: str
    names: tuple[tuple[str, str], ...]
    vague: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `annotation` and `default` are source text, `None` where there is none."""

    name: str
    kind: Any
    annotation: Annotation | None
    default: str | None


@dataclass(frozen=True, slots=True)
class Signature:
    """A method without its body. values: what its defaults must import, name -> module."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: Annotation | None
    doc: str | None
    values: dict[str, str]

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name."""
        return next((each for each in self.parameters if each.name == name), None)


def read(function: Callable[..., Any]) -> Signature:
    """The signature of a method as its source has it, in today's spelling (`X | None`, `dict[str, Any]`)."""
    plain = cast("FunctionType", inspect.unwrap(function))
    node = ast.parse(textwrap.dedent(inspect.getsource(plain))).body[0]
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        raise Stale(f"{plain.__qualname__} is not a plain method")
    module = importlib.import_module(plain.__module__)
    names = _Names(module)
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args][1:]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    parameters = [
        names.parameter(each, Kind.POSITIONAL_OR_KEYWORD, default)
        for each, default in zip(positional, defaults, strict=True)
    ]
    if arguments.vararg:
        raise Stale(f"{plain.__qualname__} takes *{arguments.vararg.arg}; a face passes everything by name")
    parameters += [
        names.parameter(each, Kind.KEYWORD_ONLY, default)
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        parameters.append(names.parameter(arguments.kwarg, Kind.VAR_KEYWORD, None))
    doc = inspect.getdoc(plain)
    return Signature(
        name=node.name,
        parameters=tuple(parameters),
        returns=names.annotation(node.returns),
        doc=doc.strip().splitlines()[0] if doc else None,
        values=names.values,
    )


def united(agno: Signature | None, ours: Signature, *, where: str) -> Signature:
    """The signature of agno, with what ours has beside it at its end. `Stale` if ours cannot take what agno passes."""
    if agno is None:
        return ours
    takes_any = any(each.kind is Kind.VAR_KEYWORD for each in ours.parameters)
    parameters: list[Parameter] = []
    for each in agno.parameters:
        mine = ours.parameter(each.name)
        if mine is None and not takes_any:
            raise Stale(f"{where}: agno passes `{each.name}`, the family method does not take it")
        parameters.append(replace(each, annotation=_clearer(each.annotation, mine.annotation if mine else None)))
    extras = [
        each for each in ours.parameters if agno.parameter(each.name) is None and each.kind is not Kind.VAR_KEYWORD
    ]
    for extra in extras:
        if extra.default is None:
            raise Stale(f"{where}: agno does not know `{extra.name}`, so it needs a default")
    named = any(each.kind is Kind.KEYWORD_ONLY for each in parameters)
    placed = [replace(each, kind=Kind.KEYWORD_ONLY) if named else each for each in extras]
    placed.sort(key=lambda each: each.kind is Kind.KEYWORD_ONLY)
    last = [each for each in parameters if each.kind is Kind.VAR_KEYWORD]
    parameters = [each for each in parameters if each.kind is not Kind.VAR_KEYWORD] + placed + last
    return replace(
        agno,
        parameters=tuple(parameters),
        returns=_clearer(agno.returns, ours.returns),
        doc=ours.doc or agno.doc,
        values=agno.values | (ours.values if extras else {}),
    )


def _clearer(theirs: Annotation | None, ours: Annotation | None) -> Annotation | None:
    """The annotation of agno, unless it has none or leaves open what ours says."""
    return ours if ours is not None and (theirs is None or theirs.vague) else theirs


class _Names:
    """Turns annotations and defaults of one module into text, and notes where their names come from."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._imports = _imports(module)
        self.values: dict[str, str] = {}

    def parameter(self, node: ast.arg, kind: Any, default: ast.expr | None) -> Parameter:
        return Parameter(node.arg, kind, self.annotation(node.annotation), self.default(default))

    def annotation(self, node: ast.expr | None) -> Annotation | None:
        if node is None:
            return None
        spelling = _Modern()
        modern = ast.fix_missing_locations(cast("ast.expr", spelling.visit(node)))
        origins = ((name, self._origin(name)) for name in sorted(_names_in(modern)))
        names = tuple((name, origin) for name, origin in origins if origin is not None)
        return Annotation(ast.unparse(modern), names, spelling.vague)

    def default(self, node: ast.expr | None) -> str | None:
        if node is None:
            return None
        try:
            return repr(ast.literal_eval(node))
        except ValueError:
            return self._imported_value(node)

    def _imported_value(self, node: ast.expr) -> str:
        """The text of a default that is an object of agno's: a sentinel or an enum member."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):
            raise Stale(f"{self._module.__name__}: cannot write the default {ast.unparse(node)}")
        value = getattr(self._module, root.id)
        for name, each in vars(importlib.import_module(AGNO_TYPES[0])).items():
            if each is value:
                self.values[name] = AGNO_TYPES[0]
                root.id = name
                return ast.unparse(node)
        raise Stale(f"{root.id} of {self._module.__name__} is a default; export it from {AGNO_TYPES[0]}")

    def _origin(self, name: str) -> str | None:
        if hasattr(builtins, name):
            return None
        module = self._imports.get(name, self._module.__name__)
        if module.split(".")[0] != "agno":
            # agno still writes `typing.Sequence`.
            return "collections.abc" if module == "typing" and hasattr(collections.abc, name) else module
        for exporting in AGNO_TYPES:
            if hasattr(importlib.import_module(exporting), name):
                return exporting
        raise Stale(f"{name} of {module} is in a signature; export it from {AGNO_TYPES[0]}")


@functools.cache
def _imports(module: ModuleType) -> dict[str, str]:
    """Every name that a module imports, also only for typing -> the module it comes from."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: node.module for alias in node.names}
    return found


def _names_in(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


_GENERICS = {"Dict": "dict", "List": "list", "Set": "set", "Tuple": "tuple", "FrozenSet": "frozenset", "Type": "type"}
_BARE = {"list": "list[Any]", "dict": "dict[str, Any]", "tuple": "tuple[Any, ...]", "set": "set[Any]"}


class _Modern(ast.NodeTransformer):
    """`Optional[X]` -> `X | None`, `Union[A, B]` -> `A | B`, `Dict` -> `dict`, bare generics filled with `Any`."""

    def __init__(self) -> None:
        self.vague = False

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if name == "Literal":
            return node
        if name == "Optional":
            return _joined([cast("ast.expr", self.visit(node.slice)), ast.Constant(None)])
        if name == "Union":
            members = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return _joined([cast("ast.expr", self.visit(each)) for each in members])
        value = ast.Name(_GENERICS.get(name, name)) if name else node.value
        if isinstance(node.slice, ast.Tuple):
            inside: ast.expr = ast.Tuple([cast("ast.expr", self.visit(each)) for each in node.slice.elts])
        else:
            inside = cast("ast.expr", self.visit(node.slice))
        return ast.Subscript(value, inside)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        name = _GENERICS.get(node.id, node.id)
        self.vague |= name in _BARE
        return ast.parse(_BARE.get(name, name), mode="eval").body

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str):  # a name in quotes
            return cast("ast.expr", self.visit(ast.parse(node.value, mode="eval").body))
        return node


def _joined(members: list[ast.expr]) -> ast.expr:
    """`A | B | None`, each member once and `None` last."""
    flat: list[ast.expr] = []
    for member in members:
        flat += _members(member)
    unique = {ast.unparse(each): each for each in flat}
    nothing = unique.pop("None", None)
    ordered = [*unique.values(), *([nothing] if nothing else [])]
    result = ordered[0]
    for each in ordered[1:]:
        result = ast.BinOp(result, ast.BitOr(), each)
    return result


def _members(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_members(node.left), *_members(node.right)]
    return [node]
