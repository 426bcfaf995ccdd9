"""Fits JSON schemas to what Anthropic takes for strict output: closed objects and few constraints.

What is left out stays readable for the model in the description. Source: platform.claude.com, structured outputs,
and the schema transformation of Anthropic's own SDKs, 2026-11-25.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

_KEPT = frozenset(
    {
        "type",
        "enum",
        "const",
        "description",
        "title",
        "properties",
        "required",
        "items",
        "anyOf",
        "allOf",
        "$ref",
    }
    | {"$defs", "definitions", "additionalProperties", "default", "format", "minItems"}
)
# Who names a schema says nothing of what fits it.
_SILENT = frozenset({"$schema", "$id", "$comment"})
_MOST_TOLD = 20
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)


class OpenSchema(Exception):
    """An object with members of any name, which Anthropic cannot be asked for. `path` such as `properties.tags`."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class SchemaFitter:
    def __init__(self) -> None:
        self._left_out: dict[str, None] = {}

    @property
    def left_out(self) -> str:
        """The keywords that were, each once, in the order in which they came: the first of them, where it is many."""
        return ", ".join(islice(self._left_out, _MOST_TOLD))

    def fit(self, schema: Mapping[str, Any], path: str = "") -> dict[str, Any]:
        """Raises OpenSchema."""
        fitted: dict[str, Any] = {}
        moved: dict[str, Any] = {}
        for name, value in schema.items():
            if name == "oneOf":
                fitted["anyOf"] = self._fit_value("anyOf", value, path)
                self._leave_out("oneOf")
            elif _is_kept(name, value):
                fitted[name] = self._fit_value(name, value, path)
            elif name not in _SILENT:
                moved[name] = value
                self._leave_out(name)
        if moved:
            fitted["description"] = _describe(schema.get("description"), moved)
        if _is_object(schema):
            self._close(fitted, path)
        return fitted

    def _fit_value(self, name: str, value: Any, path: str) -> Any:
        place = f"{path}.{name}".lstrip(".")
        if name in {"properties", "$defs", "definitions"} and isinstance(value, Mapping):
            return {key: self._fit_inner(inner, f"{place}.{key}") for key, inner in value.items()}
        if name in {"anyOf", "allOf"} and isinstance(value, list):
            return [self._fit_inner(inner, place) for inner in value]
        return self._fit_inner(value, place) if name == "items" else value

    def _fit_inner(self, value: Any, path: str) -> Any:
        return self.fit(value, path) if isinstance(value, Mapping) else value

    def _close(self, fitted: dict[str, Any], path: str) -> None:
        """An object that says nothing of further members is closed; one that asks for them cannot be had."""
        if fitted.get("additionalProperties") is False:
            return
        if isinstance(fitted.get("additionalProperties"), Mapping) or not _has_members(fitted):
            raise OpenSchema(path)
        fitted["additionalProperties"] = False
        self._leave_out("additionalProperties")

    def _leave_out(self, name: str) -> None:
        self._left_out[name] = None


def _is_kept(name: str, value: object) -> bool:
    if name == "format":
        return value in _FORMATS
    return value in (0, 1) if name == "minItems" else name in _KEPT


def _is_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema


def _has_members(schema: Mapping[str, Any]) -> bool:
    return any(schema.get(name) for name in ("properties", "anyOf", "allOf", "$ref"))


def _describe(description: object, moved: Mapping[str, Any]) -> str:
    constraints = ", ".join(f"{name}: {value}" for name, value in moved.items())
    return f"{description}\n\n({constraints})" if isinstance(description, str) else f"({constraints})"
