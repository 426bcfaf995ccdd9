"""Turns Gemini's subset of OpenAPI schemas into JSON Schema.

Source: https://ai.google.dev/api/caching#Schema.
"""

from collections.abc import Mapping
from typing import Any

from providers.formats.gemini.members import camel

_COUNTS = frozenset(
    {"maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties", "maximum", "minimum"}
)
_REFERENCES = {"ref": "$ref", "defs": "$defs"}
_ONE = frozenset({"items", "additionalProperties", "not"})
_MANY = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_DEEPEST = 50
_NAMED = frozenset({"properties", "defs", "$defs"})


def json_schema(schema: Any, depth: int = 0) -> Any:
    """Anything that is JSON Schema already stays as it is, and so does what lies too deep for any model."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return schema
    read: dict[str, Any] = {}
    for sent, value in schema.items():
        name = camel(sent)
        if value is not None:
            read[_REFERENCES.get(name, name)] = _member(name, value, depth + 1)
    _order(read)
    _allow_null(read)
    if "example" in read:
        read["examples"] = [read.pop("example")]
    if read.get("format") == "enum":
        del read["format"]
    return read


def _member(name: str, value: Any, depth: int) -> Any:
    if name == "type" and isinstance(value, str):
        return value.lower()
    if name in _COUNTS and isinstance(value, str):
        # 64-bit integers are strings in Google's JSON.
        return int(value) if value.isdecimal() else value
    if name in _ONE:
        return json_schema(value, depth)
    if name in _MANY and isinstance(value, list):
        return [json_schema(item, depth) for item in value]
    if name in _NAMED and isinstance(value, Mapping):
        return {key: json_schema(item, depth) for key, item in value.items()}
    return value


def _order(read: dict[str, Any]) -> None:
    """Elsewhere the order in which properties stand is the order in which they are written."""
    order, properties = read.pop("propertyOrdering", None), read.get("properties")
    if not isinstance(order, list) or not isinstance(properties, dict):
        return
    named = {name: properties[name] for name in order if isinstance(name, str) and name in properties}
    read["properties"] = named | properties


def _allow_null(read: dict[str, Any]) -> None:
    if not read.pop("nullable", False):
        return
    if "type" in read:
        types = read["type"] if isinstance(read["type"], list) else [read["type"]]
        read["type"] = [*types, "null"]
    elif isinstance(read.get("anyOf"), list):
        read["anyOf"] = [*read["anyOf"], {"type": "null"}]
    if isinstance(read.get("enum"), list):
        read["enum"] = [*read["enum"], None]
