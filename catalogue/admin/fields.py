"""Form fields that take what curators type: words, moments and prices per million."""

import re
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from catalogue.models.shapes import check_words
from catalogue.words import MEANT, VOCABULARY
from gateway.core.admin_base import TextInput

_BETWEEN_WORDS = re.compile(r"[\s,;]+")


class ChosenWords(forms.Widget):
    """Known words to tick, folded where some are ticked or many rows stand below each other, and a line for others.

    All are sent under one name.
    """

    def __init__(self, column: str, *, is_folded: bool = False) -> None:
        super().__init__()
        self._is_folded = is_folded
        self._name, self._known = VOCABULARY[column]
        self._other = TextInput({"placeholder": f"another {self._name}"})

    def value_from_datadict(self, data: Any, _files: Any, name: str) -> str | None:
        if name not in data:
            return None
        values = data.getlist(name) if hasattr(data, "getlist") else [data[name]]
        return " ".join(value for value in map(str, values) if value.strip())

    def value_omitted_from_data(self, data: Any, _files: Any, name: str) -> bool:  # noqa: ARG002
        """A form without a tick sends nothing but the line."""
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        id_ = (attrs or {}).get("id", f"id_{name}")
        words = [word for word in _BETWEEN_WORDS.split(str(value or "")) if word]
        ticks = format_html_join(
            "",
            '<label><input type="checkbox" name="{}" value="{}" id="{}_{}"{}> {}</label>',
            (
                (name, word, id_, place, mark_safe(" checked") if word in words else "", word)
                for place, word in enumerate(self._known)
            ),
        )
        other = " ".join(word for word in words if word not in self._known)
        line = self._other.render(
            name, other, {**(attrs or {}), "id": id_, "aria-label": f"Another {self._name}"}, renderer
        )
        chosen = ", ".join(words) or "choose"
        return format_html(
            '<details class="words"{}><summary>{}</summary><div class="ticks">{}</div></details>{}',
            "" if words or self._is_folded else mark_safe(" open"),
            chosen,
            ticks,
            line,
        )


class WordsField(forms.JSONField):
    """A list of words, typed with commas or spaces between; a JSON list is understood too."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return []
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return super().to_python(value)
        return list(dict.fromkeys(word for word in _BETWEEN_WORDS.split(value) if word))

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return ", ".join(value)
        return value if isinstance(value, str) else super().prepare_value(value)

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ARG002
        return data

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True


class MomentInput(TextInput):  # type: ignore[misc]
    """One line instead of a date and a time; midnight is written as the day alone."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"placeholder": "2026-03-01 or 2026-03-01 14:30", **(attrs or {})})

    def format_value(self, value: Any) -> str | None:
        if not isinstance(value, datetime):
            return str(value) if value else None
        return f"{value:%Y-%m-%d}" if value.time() == time.min else value.isoformat(" ")[:26]


class MomentField(forms.DateTimeField):
    """An instant in UTC: a day, which is its first moment, a day and a time, or the word now."""

    widget = MomentInput
    input_formats = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
    default_error_messages = {"invalid": "Write 2026-03-01 or 2026-03-01 14:30, in UTC, or now."}

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, str) and value.strip().lower() == "now":
            return timezone.now()
        try:
            moment = super().to_python(value)
            return moment.astimezone(UTC) if moment else None
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class PriceInput(TextInput):  # type: ignore[misc]
    """A price, and a box to say that it is meant, where somebody asks: ticked, it is the mark before the price."""

    asks = False

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        return f"{MEANT}{text}" if text and data.get(f"{name}-meant") else text

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        is_meant = isinstance(value, str) and value.startswith(MEANT)
        line: SafeString = super().render(
            name, value.removeprefix(MEANT) if is_meant else value, attrs, renderer
        )
        if not self.asks and not is_meant:
            return line
        box = '{}<label class="meant"><input type="checkbox" name="{}-meant"{}> It is meant</label>'
        return format_html(box, line, name, mark_safe(" checked") if is_meant else "")


class PriceField(forms.DecimalField):
    """An amount of money that may be so odd that it has to be meant."""

    widget = PriceInput
    is_meant = False

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=Decimal(0), max_digits=20, decimal_places=10, **options)

    def to_python(self, value: Any) -> Any:
        text = value.strip() if isinstance(value, str) else value
        if isinstance(text, str) and text.startswith(MEANT):
            self.is_meant, text = True, text.removeprefix(MEANT)
        return super().to_python(text)


class PerMillionField(PriceField):
    """USD for a million tokens. Empty: no price."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, required=False)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"inputmode": "decimal", "size": 8}


class CuratorFields:
    """Mixed into pages and inlines: moments and lists of words get the fields above."""

    folds_words = False

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if isinstance(db_field, models.DateTimeField):
            return db_field.formfield(form_class=MomentField, widget=MomentInput)
        if check_words in db_field.validators:
            is_chosen = db_field.name in VOCABULARY
            widget = ChosenWords(db_field.name, is_folded=self.folds_words) if is_chosen else TextInput()
            return db_field.formfield(form_class=WordsField, widget=widget)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(db_field, models.TextField | models.JSONField) and field is not None:
            field.widget.attrs["rows"] = 3 if isinstance(db_field, models.TextField) else 1
        return field
