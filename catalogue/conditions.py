"""When a price applies, in words. Pure.

A condition is an object with `path` (what is looked at), `op` and `value`; one that has another shape is shown as
it is written.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_OPERATORS = {
    "eq": "is",
    "ne": "is not",
    "gt": "above",
    "gte": "at least",
    "lt": "below",
    "lte": "up to",
    "in": "is one of",
}
_PATHS = {"cache_ttl": "cache lifetime"}
_GROUPS = ("image_params.", "video_params.", "audio_params.", "ocr_params.")


def in_words(conditions: Iterable[Mapping[str, Any]]) -> str:
    """Such as “input tokens above 200,000”; empty where there is none."""
    return " and ".join(_sentence(condition) for condition in conditions)


def _sentence(condition: Mapping[str, Any]) -> str:
    operator = _OPERATORS.get(str(condition.get("op")))
    if operator is None or not {"path", "value"} <= condition.keys():
        return ", ".join(f"{name} {_value(value)}" for name, value in condition.items())
    return f"{_name(str(condition['path']))} {operator} {_value(condition['value'])}"


def _name(path: str) -> str:
    for group in _GROUPS:
        path = path.removeprefix(group)
    return _PATHS.get(path, path).replace("_", " ").replace(".", " ")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, Mapping):
        return " ".join(f"{name.replace('_', ' ')} {_value(each)}" for name, each in value.items())
    return f"{value:,}" if isinstance(value, int | float) else str(value)
