"""Texts of one line: names that reach mail, HTTP headers or logs begin no second one there, nor turn what follows."""

import logging
import unicodedata
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

REFUSAL = "One line without control characters, please."
# Controls, lone surrogates, and what Unicode too ends a line or a paragraph by.
_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They turn the direction of all text after them, other people's included.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_one_line(text: str) -> bool:
    return text.isprintable() or not any(map(_is_more, text))


def as_one_line(text: str) -> str:
    """For texts that were taken before such were refused, or that others wrote: what is more is escaped."""
    if text.isprintable():
        return text
    return "".join(_escaped(letter) if _is_more(letter) else letter for letter in text)


class LineFormatter(logging.Formatter):
    """A record is one line, whatever it quotes; only a traceback has more."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        return as_one_line(super().formatMessage(record))


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def _is_more(letter: str) -> bool:
    return letter in _TURNING or unicodedata.category(letter) in _CATEGORIES


class OneLineTexts:
    """For a model: each of its fields for one line holds one line, whichever way the value comes in."""

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        errors: dict[str, Any] = {}
        try:
            super().clean_fields(exclude=exclude)  # type: ignore[misc]
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        for name in self._names_of_lines():
            text = getattr(self, name)
            if name in errors or name in (exclude or ()) or not isinstance(text, str):
                continue
            if not is_one_line(text):
                errors[name] = [ValidationError(REFUSAL, code="one_line")]
        if errors:
            raise ValidationError(errors)

    @classmethod
    def _names_of_lines(cls) -> list[str]:
        fields = cls._meta.fields  # type: ignore[attr-defined]
        return [field.name for field in fields if isinstance(field, models.CharField)]
