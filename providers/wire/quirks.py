"""Departures from a wire format that some providers have: each is declared once, in the file that obeys it."""

from collections.abc import Mapping

_declared: dict[str, str] = {}


def quirk(name: str, meaning: str) -> str:
    """Declare it: `name` is what a provider's row keeps, `meaning` what staff read beside it.

    Raises ValueError where another file has declared that name.
    """
    if name in _declared:
        raise ValueError(f"The quirk '{name}' is declared twice.")
    _declared[name] = meaning
    return name


def declared_quirks() -> Mapping[str, str]:
    """Of all files that were imported so far, in the order of their meanings: see providers.operations.registry."""
    return dict(sorted(_declared.items(), key=lambda each: each[1]))
