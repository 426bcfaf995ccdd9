"""What the fields of working rows may hold, so that a bad value is refused where it is typed."""

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Model

from catalogue import words as words_known

WORD_LIMIT = 200

slug_shape = RegexValidator(
    r"^[a-z0-9][a-z0-9._:+-]*\Z",
    "Lower-case letters, digits, dots, dashes, underscores, colons and plus signs.",
)
organisation_shape = RegexValidator(r"^[a-z0-9][a-z0-9-]*\Z", "Lower-case letters, digits and dashes.")
colour_shape = RegexValidator(r"^#[0-9a-f]{6}\Z", "Six lower-case hex digits after a #.")
country_shape = RegexValidator(r"^[A-Z]{2}\Z", "Two capital letters, such as GB.")
currency_shape = RegexValidator(r"^[A-Z]{3}\Z", "Three capital letters, such as USD.")
quantization_shape = RegexValidator(r"^[a-z0-9][a-z0-9_.-]*\Z", "One lower-case word, such as fp8 or int4.")
plan_shape = RegexValidator(r"^[a-z0-9][a-z0-9_-]*\Z", "One lower-case word, such as standard or batch.")

_region_shape = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_name_shape = re.compile(r"[^\s/](?:\S*[^\s/])?")


def refuse_nul(value: str) -> None:
    """PostgreSQL cannot store NUL; refused everywhere, so that a catalogue can move."""
    if "\x00" in value:
        raise ValidationError("NUL characters are not allowed.", code="nul")


def check_name(value: str) -> None:
    """A name that clients may send as `model`: printable, without spaces, such as @cf/meta/llama."""
    if not value.isprintable() or not _name_shape.fullmatch(value):
        raise ValidationError(
            "Printable characters without spaces, such as gpt-6.2-sol or @cf/meta/llama; no slash at either end.",
            code="name",
        )


def check_words(value: Any) -> None:
    """A list of words: strings without spaces, none of them twice."""
    if not _are_words(value):
        raise ValidationError("A list of words, such as text image.", code="words")
    if len(set(value)) != len(value):
        raise ValidationError("A word appears twice.", code="words")


def check_regions(value: Any) -> None:
    """A list of words as clouds spell their regions."""
    if _are_words(value) and not all(map(_region_shape.fullmatch, value)):
        raise ValidationError(
            "Lower-case letters, digits and dashes, such as global, eu or us-east-1.", code="regions"
        )


def check_conditions(value: Any) -> None:
    """A list of objects, each saying when a price applies."""
    if not isinstance(value, list) or not all(isinstance(condition, dict) for condition in value):
        raise ValidationError("A list of objects, such as [{}].", code="conditions")
    refuse_nul(_texts(value))


def settle_words(row: Model, columns: Iterable[str]) -> None:
    """Take the marks off words that are meant though nobody knows them. Raises ValidationError for others."""
    lists = {name: words for name in columns if _are_words(words := getattr(row, name))}
    strange = [name for name, words in lists.items() if words_known.unknown(name, words)]
    before = (
        type(row)._default_manager.filter(pk=row.pk).values(*strange).first() if strange and row.pk else None
    )
    faults = {}
    for name in strange:
        settled, told = words_known.settle(name, lists[name], (before or {}).get(name) or ())
        setattr(row, name, settled)
        if told:
            faults[name] = told
    if faults:
        raise ValidationError(faults)


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_word, value))


def _is_word(word: object) -> bool:
    return isinstance(word, str) and 0 < len(word) <= WORD_LIMIT and word.isprintable() and " " not in word


def _texts(value: Any) -> str:
    """All strings inside nested JSON, joined."""
    if isinstance(value, dict):
        return "".join(str(key) + _texts(item) for key, item in value.items())
    if isinstance(value, list):
        return "".join(map(_texts, value))
    return value if isinstance(value, str) else ""
