"""The patterns by which a key names models that it may call: ids, aliases, or shell patterns such as anthropic/*."""

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from gateway.core.refusals import InvalidField

PATTERNS_MAX = 100
_LENGTH_MAX = 200
_SET = re.compile(r"\[!?[^\[\]]+\]")
_BRACKETS = frozenset("[]")
_SETS = frozenset("[]?")

read_names: Callable[[], Iterable[str]] = tuple
"""Ids and aliases that there are. The catalogue, which knows them, puts itself here."""
read_slugs: Callable[[], Iterable[str]] = tuple
"""Of the providers that there are, likewise."""


def matches_any(names: Iterable[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def check_patterns(patterns: Sequence[object], field: str = "model_patterns") -> None:
    """Raises InvalidField for what could never match, or would match more than it says."""
    if len(patterns) > PATTERNS_MAX:
        raise InvalidField(field, f"{field} holds more than {PATTERNS_MAX} patterns.")
    what = (
        "a provider's slug, or a pattern such as 'acme-*'"
        if "provider" in field
        else "a model's id or alias, or a pattern such as 'anthropic/*'"
    )
    for pattern in patterns:
        if fault := _fault_of(pattern):
            message = f"{field} holds {str(pattern)[:_LENGTH_MAX]!r}, which {fault}; each is {what}."
            raise InvalidField(field, message)


def is_within(pattern: str, wider: str) -> bool:
    """Whether all that `pattern` matches is matched by `wider` too; False where that cannot be seen."""
    if wider in {pattern, "*"}:
        return True
    if _SETS.isdisjoint(pattern):
        # A text, or stars: a star stands for itself where only stars can match it.
        return fnmatchcase(pattern, wider) and ("*" not in pattern or _SETS.isdisjoint(wider))
    return False


def warn_of(
    models: Sequence[str],
    providers: Sequence[str] = (),
    *,
    names: Iterable[str] | None = None,
    slugs: Iterable[str] | None = None,
) -> list[str]:
    """Sentences for whoever sets them: a pattern may outlive what it is for, or come before it, so it is no error.

    `names` and `slugs` are those that there are, where they were read already.
    """
    asked = (
        ("model", models, names, read_names),
        ("provider", providers, slugs, read_slugs),
    )
    return [
        f"No {what} matches '{each}' now."
        for what, patterns, known, read in asked
        for each in _unmatched(patterns, known, read)
    ]


def _unmatched(
    patterns: Sequence[str], known: Iterable[str] | None, read: Callable[[], Iterable[str]]
) -> list[str]:
    if not patterns:
        return []
    names = list(read() if known is None else known)
    return [each for each in patterns if not matches_any(names, [each])]


def _fault_of(pattern: object) -> str:
    """The end of a sentence; empty where nothing is wrong."""
    if not isinstance(pattern, str) or not pattern:
        return "is not text"
    if len(pattern) > _LENGTH_MAX:
        return f"is longer than {_LENGTH_MAX} characters"
    if not pattern.isprintable() or " " in pattern:
        return "has spaces or characters that cannot be seen"
    if "," in pattern:
        return "has a comma; give each pattern by itself"
    if pattern.startswith("/") or pattern.endswith("/") or "//" in pattern:
        return "has a slash with nothing beside it"
    if not _BRACKETS.isdisjoint(_SET.sub("", pattern)):
        return "has a bracket without its other half"
    return ""
