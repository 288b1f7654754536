"""The JSON Schema of a configuration file, for editors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from dbrouter.config.settings import Settings

DRAFT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE: dict[str, Any] = {"type": "string", "pattern": r"\$\{", "description": "a reference such as ${NAME}"}
"""What may stand in place of a number, a truth value or a choice: a text with a reference in it."""
INCLUDE: dict[str, Any] = {
    "description": "A file, or several, to read first; later ones win, and this file wins over all of them.",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}
_TYPED = {"integer", "number", "boolean"}
_NAMES = ("properties", "$defs")
"""Keys whose own keys are names and not words of JSON Schema."""


def json_schema() -> dict[str, Any]:
    """The schema as JSON values, with each key's meaning in `description`."""
    made = _tidied(Settings.model_json_schema(by_alias=True, mode="validation"))
    made["properties"] = {"include": INCLUDE, **made["properties"]}
    # What an included file brings along is not in the file that an editor looks at.
    made.pop("required", None)
    for part in made["$defs"].values():
        if "const" in part["properties"].get("kind", {}):
            part["required"] = ["kind", *part.get("required", [])]
    return {"$schema": DRAFT, "title": "dbrouter.yaml", **{key: made[key] for key in made if key != "title"}}


def schema_text() -> str:
    """The schema as the text of a file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidied(value: Any) -> Any:
    """The same without titles and nulls, and with references allowed where a text is not."""
    if isinstance(value, list):
        return [_tidied(each) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    here = cast("dict[str, Any]", value)
    kept = {
        key: _named(each) if key in _NAMES else each if key == "propertyNames" else _tidied(each)
        for key, each in here.items()
        if key != "title" and not (key == "default" and (each is None or "const" in here))
    }
    return _referable(_not_null(kept))


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _tidied(each) for name, each in value.items()}


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """An optional value is a key left out, not a null."""
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if len(choices) != 1:
        return schema
    return {**choices[0], **{key: each for key, each in schema.items() if key != "anyOf"}}


def _referable(schema: dict[str, Any]) -> dict[str, Any]:
    closed = schema.get("type") in _TYPED or "pattern" in schema or ("enum" in schema and "default" in schema)
    if not closed or "anyOf" in schema:
        return schema
    said = {key: schema[key] for key in ("description", "default") if key in schema}
    return {**said, "anyOf": [{key: each for key, each in schema.items() if key not in said}, REFERENCE]}
