"""Parameters of addresses as form fields: each says what may come, and what is wrong with what came."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from catalogue import instants
from catalogue.pricing.mix import SHAPE, USUAL, Mix, read_mix
from gateway.core.errors import ApiError

_BETWEEN_WORDS = re.compile(r"[,\s{}]+")
_PRICE = re.compile(r"\d{1,12}(\.\d{1,20})?")
_TEXT_LIMIT = 200
_BRACKETS = "[]"
MOST_WORDS = 100
"""Of one parameter. Each is a condition of its own, and SQLite nests at most 1,000 of them."""


def refuse(name: str, message: str, *, code: str = "invalid_value", **facts: Any) -> ApiError:
    """The refusal of one parameter; `facts` (what came, what is allowed) go into the published error shape."""
    return ApiError(message, code=code, param=name, extra={"param": name, **facts})


def without_brackets(query: QueryDict) -> QueryDict:
    """The same with `endpoints[]=a&endpoints[]=b`, as many clients write arrays, under its plain name."""
    if not any(name.endswith(_BRACKETS) for name in query):
        return query
    plain = QueryDict(mutable=True)
    for name, values in query.lists():
        for value in values:
            plain.appendlist(name.removesuffix(_BRACKETS), value)
    plain._mutable = False  # as Django does where it makes one
    return plain


class ValuesWidget(forms.Widget):
    """All values of a name in the query; None where it is absent."""

    def value_from_datadict(self, data: Any, _files: Any, name: str) -> list[str] | None:
        return data.getlist(name) if name in data else None


class ParameterField(forms.Field):
    """One value. `schema` describes it in the API document. Refuses with a sentence that goes on after the name."""

    widget = ValuesWidget
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    facts: dict[str, Any] = {}
    """What may come, for the answer to what may not."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False)
        self.schema = self.schema | options

    def clean(self, value: list[str] | None) -> Any:
        if value is None:
            return None
        if len(value) > 1:
            raise wrong(f"takes one value, not {len(value)}.", provided=value, **self.facts)
        text = value[0]
        if not text.strip() or "\x00" in text:
            raise wrong("has no value; leave it out instead.", provided=text, **self.facts)
        return self.read(text)

    def read(self, text: str) -> Any:
        """Raises ValidationError, made by `wrong`."""
        if len(text) > _TEXT_LIMIT:
            raise wrong(f"is longer than {_TEXT_LIMIT} characters.", provided=text[:_TEXT_LIMIT])
        return text


class ChoiceField(ParameterField):
    def __init__(self, *choices: str, **options: Any) -> None:
        super().__init__(enum=list(choices), **options)
        self.choices = choices
        self.facts = {"allowed": list(choices)}

    def read(self, text: str) -> str:
        if text not in self.choices:
            raise _not_among(self.choices, text)
        return text


class FlagField(ChoiceField):
    """true or false."""

    def __init__(self) -> None:
        super().__init__("true", "false")
        self.schema = {"type": "boolean"}

    def read(self, text: str) -> str:
        return super().read(text.lower())

    def clean(self, value: list[str] | None) -> bool | None:
        word = super().clean(value)
        return None if word is None else word == "true"


class CountField(ParameterField):
    """A whole number inside its bounds."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(type="integer", minimum=least, maximum=most, **options)
        self.least, self.most = least, most
        self.facts = {"minimum": least, "maximum": most}

    def read(self, text: str) -> int:
        is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(self.most))
        if is_number and self.least <= int(text) <= self.most:
            return int(text)
        raise wrong(
            f"must be a whole number from {self.least} to {self.most}, not {text[:_TEXT_LIMIT]!r}.",
            provided=text[:_TEXT_LIMIT],
            **self.facts,
        )


class PriceField(ParameterField):
    """USD for one single unit, as the list writes prices."""

    schema = {"type": "string", "pattern": _PRICE.pattern, "example": "0.000003"}

    def read(self, text: str) -> Decimal:
        if _PRICE.fullmatch(text) and text.isascii():
            return Decimal(text)
        raise wrong(
            f"must be USD for one token in plain notation, such as 0.000003, not {text[:_TEXT_LIMIT]!r}.",
            provided=text[:_TEXT_LIMIT],
        )


class MixField(ParameterField):
    """Parts of input, cached and output tokens."""

    schema = {"type": "string", "example": "3:1", "default": str(USUAL), "description": f"{SHAPE}."}

    def read(self, text: str) -> Mix:
        try:
            return read_mix(text)
        except ValueError:
            raise wrong(
                f"must be {SHAPE}, not {text[:_TEXT_LIMIT]!r}.", provided=text[:_TEXT_LIMIT]
            ) from None


class InstantField(ParameterField):
    """A day or an instant."""

    schema = {"type": "string", "example": "2026-03-01", "description": f"{instants.SHAPE}."}

    def read(self, text: str) -> datetime:
        try:
            instant = instants.parse_instant(text)
        except (ValueError, OverflowError):
            raise wrong(
                f"must be {instants.SHAPE}, not {text[:_TEXT_LIMIT]!r}.", provided=text[:_TEXT_LIMIT]
            ) from None
        if not instants.EARLIEST <= instant <= instants.LATEST:
            years = f"{instants.EARLIEST.year} to {instants.LATEST.year}"
            raise wrong(f"must lie in the years {years}.", provided=text[:_TEXT_LIMIT])
        return instant


class WordsField(forms.Field):
    """A list: repeated keys, commas and spaces alike. With `allowed`, any other word is refused."""

    widget = ValuesWidget

    def __init__(self, *allowed: str, **options: Any) -> None:
        super().__init__(required=False)
        self.allowed = allowed
        item = {"type": "string", "minLength": 1} | ({"enum": list(allowed)} if allowed else {})
        self.schema = {"type": "array", "items": item} | options

    def clean(self, value: list[str] | None) -> list[str] | None:
        if value is None:
            return None
        words = list(dict.fromkeys(word for text in value for word in _BETWEEN_WORDS.split(text) if word))
        if not words:
            raise wrong("has no value; leave it out instead.", provided=value)
        if len(words) > MOST_WORDS:
            raise wrong(f"takes at most {MOST_WORDS} words, not {len(words)}.", maximum=MOST_WORDS)
        for word in words:
            if "\x00" in word or (self.allowed and word not in self.allowed):
                raise _not_among(self.allowed, word)
        return words


def read_parameter(query: QueryDict, name: str, field: forms.Field) -> Any:
    """One parameter by itself. Raises ApiError."""
    try:
        return field.clean(field.widget.value_from_datadict(query, {}, name))
    except ValidationError as error:
        raise refusal_of(name, error) from None


def refusal_of(name: str, error: ValidationError) -> ApiError:
    """Of the first thing that was wrong with that parameter."""
    first = error.error_list[0]
    return refuse(name, f"{name} {first.message}", **(first.params or {}))


def wrong(message: str, **facts: Any) -> ValidationError:
    """`facts` (what came, what is allowed) go into the answer."""
    return ValidationError(message, params=facts)


def _not_among(allowed: Sequence[str], word: str) -> ValidationError:
    shown = word[:_TEXT_LIMIT]
    message = f"must be one of {', '.join(allowed)}, not {shown!r}." if allowed else f"cannot be {shown!r}."
    return wrong(message, provided=shown, allowed=list(allowed))
