"""A value that fits a JSON schema, made from a text: the arguments of tool calls and answers in JSON."""

from collections.abc import Mapping
from typing import Any

_DEEPEST = 8
_PLAIN = {"integer": 1, "number": 1.5, "boolean": True, "null": None}


def example_of(schema: object, text: str) -> Any:
    """The smallest value with every property in it; every string is the text."""
    root = schema if isinstance(schema, Mapping) else {}
    return _example(root, text, root, _DEEPEST)


def _example(schema: Mapping[str, Any], text: str, root: Mapping[str, Any], depth: int) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object":
        return _object(schema, text, root, depth)
    if kind == "array":
        return [_child(schema.get("items"), text, root, depth)] if depth else []
    return _PLAIN.get(kind, text) if isinstance(kind, str) else text


def _object(schema: Mapping[str, Any], text: str, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    if not depth or not isinstance(properties, Mapping):
        return {}
    return {name: _child(child, text, root, depth) for name, child in properties.items()}


def _child(schema: object, text: str, root: Mapping[str, Any], depth: int) -> Any:
    return _example(schema if isinstance(schema, Mapping) else {}, text, root, depth - 1)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow one reference into the schema's own definitions, or take the first alternative."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found: Any = root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part, {}) if isinstance(found, Mapping) else {}
        return found if isinstance(found, Mapping) else {}
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    first = alternatives[0] if isinstance(alternatives, list) and alternatives else schema
    return first if isinstance(first, Mapping) else {}
