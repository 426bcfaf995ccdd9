"""The forms of the portal."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from accounts import limits
from accounts.fields import words_field
from accounts.models import Key


class TermsForm(forms.Form):
    """What may be said of a key when it is made and later, in the words of a person."""

    name = forms.CharField(
        max_length=100,
        help_text="What uses this key, such as “billing service, production”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    model_patterns = words_field(
        "model_patterns",
        help_text="One a line, such as anthropic/* or demo/chat. Empty: all models.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    requests_per_minute = forms.IntegerField(
        label="Requests a minute",
        required=False,
        min_value=1,
        max_value=limits.LIMIT_MAX,
        help_text="Empty: no limit.",
    )
    concurrency = forms.IntegerField(
        label="Calls at once",
        required=False,
        min_value=1,
        max_value=limits.LIMIT_MAX,
        help_text="Empty: no limit.",
    )
    may_search_elsewhere = forms.BooleanField(
        label="May search elsewhere",
        required=False,
        help_text="Where a program asks for its vendor's web search and another vendor answers, that one's own search "
        "may stand in, at its price.",
    )
    expires_on = forms.DateField(
        label="Expires on",
        required=False,
        help_text="When this day begins, in UTC. Empty: never.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("Only printable characters.")
        return name

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        today = timezone.now().date()
        if day is not None and day <= today and "expires_on" in self.changed_data:
            raise forms.ValidationError(
                f"This day has already begun. Choose {today + timedelta(days=1)} or a later one."
            )
        return day

    def terms(self) -> dict[str, Any]:
        """Every answer, as services take it."""
        values = self.cleaned_data.copy()
        day: date | None = values.pop("expires_on")
        return values | {"expires_at": datetime.combine(day, time(), UTC) if day else None}

    def focus_first_error(self) -> None:
        name = next((field.name for field in self if field.errors), None)
        if name:
            self.fields[name].widget.attrs["autofocus"] = True


class KeyForm(TermsForm):
    """What a new key is issued from."""

    scope = forms.ChoiceField(
        choices=Key.Scope.choices,
        initial=Key.Scope.INFERENCE,
        help_text="A program that calls models needs inference, and no more. A feed reader or a calendar needs feed: "
        "its key stands in an address, so it reads the catalogue and does nothing else.",
    )

    basic = ("name", "scope")
    field_order = basic

    @property
    def basic_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name in self.basic]

    @property
    def optional_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in self.basic]

    @property
    def has_optional_answers(self) -> bool:
        """Whether the folded part holds something to see: an answer or an error."""
        return any(field.errors or field.value() for field in self.optional_fields)


class ChangeForm(TermsForm):
    """What may change of a key. It remembers what its page showed: only what the person changed since then counts."""

    def __init__(self, data: QueryDict | None, *, key: Key) -> None:
        super().__init__(data, initial=_shown(key))
        for field in self.fields.values():
            field.show_hidden_initial = True

    def changes(self) -> dict[str, Any]:
        """Of `terms`, what the person changed."""
        changed = {_TERMS.get(name, name) for name in self.changed_data}
        return {name: value for name, value in self.terms().items() if name in changed}


_TERMS = {"expires_on": "expires_at"}
FIELDS = {term: field for field, term in _TERMS.items()}
"""Of the forms, where they are named otherwise than the terms that they ask for."""


def _shown(key: Key) -> dict[str, Any]:
    return {
        "name": key.name,
        "model_patterns": key.model_patterns,
        "requests_per_minute": key.requests_per_minute,
        "concurrency": key.concurrency,
        "may_search_elsewhere": key.may_search_elsewhere,
        "expires_on": key.expires_at.astimezone(UTC).date() if key.expires_at else None,
    }
