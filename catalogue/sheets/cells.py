"""How a cell is read: understood as what it says, or refused with what is allowed. None is guessed. Pure.

A cell is a text, or what a workbook holds: a number, a truth value, a day or an instant. Empty is None or a text
without anything in it.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from import_export import widgets

from catalogue.instants import EARLIEST, SHAPE, date_text, parse_instant
from catalogue.words import written

YES = ("true", "yes", "y", "x", "on", "1")
NO = ("false", "no", "n", "off", "0")
SINCE_EVER = EARLIEST
"""What the start of a price that has none is read as."""
EVER, NOW = "ever", "now"
_SHOWN = 40
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_WITH_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?", re.ASCII)
_BETWEEN_WORDS = re.compile(r"[\s,;]+")


def is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def shown(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


class Cell(widgets.Widget):  # type: ignore[misc]
    """One column's way of reading and writing. `clean` raises ValueError with a sentence that names the value."""

    empty: Any = None
    """What an empty cell says."""
    has_decimal_comma = False
    """Whether numbers of this file are written as 1.234,5; workbooks' own numbers need no form."""

    def clean(self, value: Any, row: Any = None, **_options: Any) -> Any:  # noqa: ARG002
        return self.empty if is_empty(value) else self.read(value)

    def read(self, value: Any) -> Any:
        raise NotImplementedError

    def render(self, value: Any, obj: Any = None, **_options: Any) -> str:  # noqa: ARG002
        return "" if value is None else self.write(value)

    def write(self, value: Any) -> str:
        return str(value)


class TextCell(Cell):
    """A text, without blanks around it where it is one line."""

    empty = ""

    def __init__(self, empty: str = "", *, is_one_line: bool = True) -> None:
        super().__init__()
        self.empty, self._is_one_line = empty, is_one_line

    def read(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            kind = "a truth value" if isinstance(value, bool) else "a number, a date or a time"
            raise ValueError(
                f"{shown(value)} is {kind} in the workbook: format the cell as text and type it again."
            )
        text = str(value)
        return text.strip(" \t") if self._is_one_line else text


class ChoiceCell(TextCell):
    def __init__(self, choices: Sequence[str], empty: str = "") -> None:
        super().__init__(empty)
        self.choices = [choice for choice in choices if choice]

    def read(self, value: Any) -> str:
        text = super().read(value)
        if text not in self.choices:
            raise ValueError(f"{shown(value)} is none of {', '.join(self.choices)}.")
        return text


class FlagCell(Cell):
    """Yes or no. Empty is unknown where that may be, and refused where it may not."""

    def __init__(self, *, may_be_unknown: bool) -> None:
        super().__init__()
        self._may_be_unknown = may_be_unknown

    def clean(self, value: Any, row: Any = None, **_options: Any) -> bool | None:  # noqa: ARG002
        if is_empty(value):
            if self._may_be_unknown:
                return None
            raise ValueError("It is empty: write yes or no.")
        return self.read(value)

    def read(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word not in YES and word not in NO:
            unknown = "; empty is unknown" if self._may_be_unknown else ""
            raise ValueError(
                f"{shown(value)} is neither yes ({', '.join(YES)}) nor no ({', '.join(NO)}){unknown}."
            )
        return word in YES

    def write(self, value: Any) -> str:
        return "yes" if value else "no"


class AmountCell(Cell):
    """An exact decimal number."""

    def __init__(self, empty: Decimal | None = None) -> None:
        super().__init__()
        self.empty = empty

    def read(self, value: Any) -> Decimal:
        if isinstance(value, bool | date):
            raise ValueError(f"{shown(value)} is not a number.")
        if isinstance(value, int):
            return Decimal(value)
        if isinstance(value, float):
            if not math.isfinite(value):
                raise ValueError(f"{shown(value)} is not a number.")
            return Decimal(repr(value))
        return self._read_text(str(value).strip())

    def write(self, value: Any) -> str:
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text

    def _read_text(self, text: str) -> Decimal:
        if self.has_decimal_comma:
            if _WITH_COMMA.fullmatch(text):
                return Decimal(text.replace(".", "").replace(",", "."))
            raise ValueError(
                f"{shown(text)} is not a number: write 1234,5 or 1.234,5, for the file has decimal commas."
            )
        if _PLAIN.fullmatch(text):
            return Decimal(text)
        way_out = ", or say that the file has decimal commas" if _WITH_COMMA.fullmatch(text) else ""
        raise ValueError(
            f"{shown(text)} is not a number: write digits with a point, such as 1234.5{way_out}."
        )


class CountCell(AmountCell):
    """A whole number, in digits alone."""

    def __init__(self, empty: int | None = None) -> None:
        super().__init__()
        self.empty = empty

    def read(self, value: Any) -> Any:
        try:
            number = super().read(value)
        except ValueError:
            raise self._not_whole(value) from None
        exponent = number.as_tuple().exponent
        is_typed = not isinstance(value, float)
        if number != number.to_integral_value() or (is_typed and isinstance(exponent, int) and exponent):
            raise self._not_whole(value)
        return int(number)

    def write(self, value: Any) -> str:
        return str(value)

    def _not_whole(self, value: Any) -> ValueError:
        form = "128000 or 128.000" if self.has_decimal_comma else "128000"
        return ValueError(
            f"{shown(value)} is not a whole number: write its digits alone, such as {form}, without a fraction."
        )


class DayCell(Cell):
    """A day."""

    def read(self, value: Any) -> date:
        if isinstance(value, datetime) and value.time() == time.min:
            return value.date()
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return (
                date.fromisoformat(str(value).strip())
                if len(str(value).strip()) == len("2026-03-01")
                else _no_day()
            )
        except ValueError:
            raise ValueError(f"{shown(value)} is not a day: write it as 2026-03-01.") from None

    def write(self, value: Any) -> str:
        return str(value.isoformat())


class InstantCell(Cell):
    """A day or an instant, by the one rule that the catalogue has for them."""

    def read(self, value: Any) -> datetime:
        try:
            return parse_instant(value.isoformat() if isinstance(value, date) else str(value).strip())
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{shown(value)} is not an instant: {SHAPE}.") from error

    def write(self, value: Any) -> str:
        return date_text(value) or ""


class StartCell(InstantCell):
    """When a price begins: empty, or `now`, is when it is written; `ever` is a price that has no beginning."""

    def read(self, value: Any) -> datetime | None:  # type: ignore[override]  # None is now
        word = str(value).strip().lower()
        if word == NOW:
            return None
        return SINCE_EVER if word == EVER else super().read(value)

    def render(self, value: Any, obj: Any = None, **_options: Any) -> str:  # noqa: ARG002
        return EVER if value is None else self.write(value)


class WordsCell(Cell):
    """A list of words with blanks, commas or semicolons between; unknown ones with the mark that they are meant."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self._column = column

    @property
    def empty(self) -> list[str]:
        return []

    def read(self, value: Any) -> list[str]:
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is not a list of words, such as text image.")
        return [word for word in _BETWEEN_WORDS.split(value) if word]

    def write(self, value: Any) -> str:
        return " ".join(written(self._column, value or ()))


class SomeWordsCell(WordsCell):
    """Words of these alone; none: all."""

    def __init__(self, column: str, known: Sequence[str]) -> None:
        super().__init__(column)
        self.known = known


class ConditionsCell(Cell):
    """A list of objects as JSON."""

    @property
    def empty(self) -> list[Any]:
        return []

    def read(self, value: Any) -> Any:
        try:
            return json.loads(str(value))
        except ValueError:
            example = '[{"path": "input_tokens", "op": "gt", "value": 200000}]'
            raise ValueError(
                f"{shown(value)} is not JSON: write a list of objects, such as {example}."
            ) from None

    def write(self, value: Any) -> str:
        return json.dumps(value) if value else ""


class NamedCell(Cell):
    """A row by its name, among those that were looked up before; an unknown one is refused by name."""

    def __init__(self, kind: str, attribute: str) -> None:
        super().__init__()
        self.kind, self._attribute = kind, attribute
        self.rows: Mapping[str, Any] = {}

    def read(self, value: Any) -> Any:
        name = str(value).strip()
        if name not in self.rows:
            raise ValueError(f"There is no {self.kind} {shown(name)}.")
        return self.rows[name]

    def write(self, value: Any) -> str:
        return str(getattr(value, self._attribute))


class ProjectCell(NamedCell):
    """A project by its team, a slash and its own name."""

    def write(self, value: Any) -> str:
        return f"{value.team.slug}/{value.slug}"


def _no_day() -> date:
    raise ValueError
