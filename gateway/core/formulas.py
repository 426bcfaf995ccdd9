"""What spreadsheet programs would compute, quoted on the way out and unquoted on the way in. Pure."""

from typing import Any

# What they take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def quote_formula(value: Any) -> Any:
    """A text that a spreadsheet program would compute, so that it is read as the text that it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def unquote_formula(value: Any) -> Any:
    """What was quoted on the way out as it was."""
    if isinstance(value, str) and value[:1] == "'" and value[1:].startswith(_FORMULA):
        return value[1:]
    return value
