"""When a price applies: judged for a call, and in words. Pure.

A condition is an object with `path` (what is looked at), `op` and `value`; one that has another shape is shown as
it is written, and never judged.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
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
INPUT_TOKENS = "input_tokens"
_TESTS: Mapping[str, Callable[[int, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_LOWER, _UPPER = frozenset({"gt", "gte"}), frozenset({"lt", "lte"})
_PATHS = {"cache_ttl": "cache lifetime"}
_GROUPS = ("image_params.", "video_params.", "audio_params.", "ocr_params.")


def is_tier(condition: Mapping[str, Any]) -> bool:
    """About how many tokens a prompt has: what can be judged for any call that told its usage."""
    value = condition.get("value")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return condition.get("path") == INPUT_TOKENS and condition.get("op") in _TESTS and is_number


def holds(tier: Mapping[str, Any], input_tokens: int) -> bool:
    """`tier` is one of which `is_tier` is true. Cached tokens are part of the prompt."""
    return _TESTS[tier["op"]](input_tokens, tier["value"])


def closeness(tiers: Iterable[Mapping[str, Any]]) -> tuple[float, float]:
    """Greater where the tiers say more exactly how long a prompt is: a higher beginning, then a lower end."""
    bounds = list(tiers)
    begins = [float(tier["value"]) for tier in bounds if tier["op"] in _LOWER]
    ends = [float(tier["value"]) for tier in bounds if tier["op"] in _UPPER]
    return max(begins, default=float("-inf")), -min(ends, default=float("inf"))


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
