"""The forms of the portal."""

import re
from datetime import UTC, date, datetime, time, timedelta

from django import forms
from django.utils import timezone

from accounts import limits
from accounts.models import Key
from accounts.patterns import check_patterns
from accounts.services import KeyTerms
from gateway.core.refusals import InvalidField


class KeyForm(forms.Form):
    """What a new key is issued from, in the words of a person."""

    name = forms.CharField(
        max_length=100,
        help_text="What will use this key, such as “billing service, production”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        choices=Key.Scope.choices,
        initial=Key.Scope.INFERENCE,
        help_text="A program that calls models needs inference, and no more. A feed reader or a calendar needs feed: "
        "its key stands in an address, so it reads the catalogue and does nothing else.",
    )
    model_patterns = forms.CharField(
        label="Models",
        required=False,
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
    expires_on = forms.DateField(
        label="Expires on",
        required=False,
        help_text="When this day begins, in UTC. Empty: never.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    optional = ("model_patterns", "requests_per_minute", "concurrency", "expires_on")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("Only printable characters.")
        return name

    def clean_model_patterns(self) -> list[str]:
        patterns = [word for word in re.split(r"[\s,]+", self.cleaned_data["model_patterns"]) if word]
        try:
            check_patterns(patterns)
        except InvalidField as fault:
            raise forms.ValidationError(
                fault.message.replace("model_patterns holds", "This list holds")
            ) from None
        return patterns

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        today = timezone.now().date()
        if day is not None and day <= today:
            raise forms.ValidationError(
                f"This day has begun. Choose {today + timedelta(days=1)} or a later one."
            )
        return day

    def terms(self) -> KeyTerms:
        values = self.cleaned_data
        day: date | None = values["expires_on"]
        return KeyTerms(
            scope=values["scope"],
            model_patterns=values["model_patterns"],
            requests_per_minute=values["requests_per_minute"],
            concurrency=values["concurrency"],
            expires_at=datetime.combine(day, time(), UTC) if day else None,
        )

    @property
    def basic_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in self.optional]

    @property
    def optional_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name in self.optional]

    @property
    def has_optional_answers(self) -> bool:
        """Whether the folded part holds something to see: an answer or an error."""
        return any(field.errors or field.value() for field in self.optional_fields)

    def focus_first_error(self) -> None:
        name = next((field.name for field in self if field.errors), None)
        if name:
            self.fields[name].widget.attrs["autofocus"] = True
