"""The model's refusals in the words of a configuration file: which line, what, what to do, never which value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dbrouter.backends.settings import meant
from dbrouter.config.capable import KINDS
from dbrouter.config.checks import keys_at
from dbrouter.config.findings import Findings
from dbrouter.config.settings import (
    AgentOSRoutes,
    ComponentRoutes,
    Database,
    SessionStateSettings,
    Settings,
    TraceSettings,
)
from dbrouter.config.tenancy_settings import (
    CatalogSettings,
    LimitSettings,
    TenancySettings,
    TenantComponents,
    TenantSettings,
)
from dbrouter.config.tree import Branch, Leaf, Path, at, plain, written

DATABASES: Mapping[str, type[BaseModel]] = {
    get_args(each.model_fields["kind"].annotation)[0]: each for each in get_args(get_args(Database)[0])
}
"""Kind -> the model of such a database."""
_PARTS: Mapping[str, type[BaseModel]] = {
    "agentos": AgentOSRoutes,
    "traces": TraceSettings,
    "session_state": SessionStateSettings,
    "tenancy": TenancySettings,
}
_NEEDED = {
    "int": ("a whole number is needed", "write digits only"),
    "float": ("a number is needed", "write digits, and a point if needed"),
    "finite": ("a finite number is needed", "write digits, and a point if needed"),
    "bool": ("true or false is needed", "write true or false"),
    "string": ("a text is needed", "put the value in quotes"),
    "path": ("the name of a file is needed", "put the value in quotes"),
    "secret": ("a text is needed", "put the value in quotes"),
    "list": ("a list is needed", "write [one, two]"),
    "dict": ("a mapping is needed", "write `key: value` lines below the key"),
    "model": ("a mapping is needed", "write `key: value` lines below the key"),
}
"""The start of pydantic's error type -> what, do."""
_KEY = "[key]"
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def validated(tree: Branch, findings: Findings) -> Settings | None:
    """The settings, or nothing and the reasons in `findings`."""
    try:
        return Settings.model_validate(plain(tree))
    except ValidationError as error:
        # pydantic's error holds the values that were given; only this list without them leaves this function.
        refusals = error.errors(include_url=False, include_input=False)
    for refusal in refusals:
        _tell(refusal, tree, findings)
    return None


def _tell(refusal: ErrorDetails, tree: Branch, findings: Findings) -> None:
    path, context = _path(refusal["loc"], tree), refusal.get("ctx", {})
    match refusal["type"]:
        case "missing":
            if findings.incomplete:
                return
            what, do = f"{path[-1]} is missing", "add it"
        case "extra_forbidden":
            what, do = f"unknown key {path[-1]!r}", meant(path[-1], _keys(path[:-1], tree))
        case "union_tag_not_found":
            if findings.incomplete:
                return
            what, do = "kind is missing", f"add kind: {', '.join(KINDS[:-1])} or {KINDS[-1]}"
        case "union_tag_invalid":
            path = (*path, "kind")
            node = at(tree, path)[1]
            word = str(node.data) if isinstance(node, Leaf) else ""
            what, do = f"{written(node)} is not a kind of database of this version", meant(word, KINDS)
        case "refused":
            what, do = context["what"], context["do"]
        case "literal_error":
            what, do = "this value is not known here", f"write {context['expected']}"
        case "string_pattern_mismatch" if path[-1] == "namespace":
            what, do = "this cannot be a namespace", "use lower-case letters, digits and _, at most 63"
        case "string_pattern_mismatch":
            what, do = "this cannot be the name of a database", "use letters, digits, - and _"
        case "string_too_short" | "too_short":
            what, do = "this is empty", "give it a value"
        case "string_too_long":
            what, do = "this is too long", f"use at most {context['max_length']} characters"
        case other:
            what, do = _value_refused(other, context)
    place, _ = at(tree, path)
    findings.add(place, path, what, do)


def _value_refused(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    bounds = [f"{word} {context[bound]:g}" for bound, word in _BOUNDS.items() if bound in context]
    if bounds:
        return "this number is out of range", f"use {' and '.join(bounds)}"
    return _NEEDED.get(kind.partition("_")[0], ("this value does not fit here", "see docs/configuration.md"))


def _path(loc: tuple[int | str, ...], tree: Branch) -> Path:
    """The keys in the file: without pydantic's own marks for a key and for the kind of a database."""
    match loc:
        case ("databases", name, kind, *rest) if kind != _KEY:
            loc = ("databases", name, *rest)
        case ("tenants", name, *rest):
            # pydantic writes a name's lone surrogates as other characters.
            loc = ("tenants", next((each for each in keys_at(tree, ("tenants",)) if _lossy(each) == name), name), *rest)
        case _:
            pass
    return tuple(str(each) for each in loc if each != _KEY)


def _lossy(name: str) -> str:
    return name.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _keys(path: Path, tree: Branch) -> list[str]:
    """The keys that may stand at this path."""
    model: type[BaseModel] | None = None
    match path:
        case ():
            model = Settings
        case ("databases", _):
            kind = at(tree, (*path, "kind"))[1]
            model = DATABASES.get(str(kind.data)) if isinstance(kind, Leaf) else None
        case ("agents" | "teams" | "workflows", _):
            model = ComponentRoutes
        case ("tenants", _):
            model = TenantSettings
        case ("tenancy", "limits") | ("tenants", _, "limits"):
            model = LimitSettings
        case ("tenancy", "components"):
            model = TenantComponents
        case ("tenancy", "catalog"):
            model = CatalogSettings
        case (part,):
            model = _PARTS.get(part)
        case _:
            model = None
    if model is None:
        return []
    keys = [field.alias or name for name, field in model.model_fields.items()]
    return ["include", *keys] if model is Settings else keys
