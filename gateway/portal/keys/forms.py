"""The forms of keys: what is said of one when it is made, changed and rotated."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils import timezone

from accounts import limits
from accounts.acting import Acting
from accounts.fields import limit_field, words_field
from accounts.floors import FLAGS
from accounts.models import Key, Team
from accounts.restrictions import LISTS
from accounts.rights import Right
from accounts.scopes import MANAGEMENT, MEANT, SCOPES, check_scopes
from gateway.core.refusals import InvalidField

_MINE, _OF_ACCOUNT = "mine", "account:"


def _lines() -> forms.Textarea:
    return forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})


class TermsForm(forms.Form):
    """What may be said of a key when it is made and later, in the words of a person. `basic` fields are not folded."""

    basic: Sequence[str] = ()

    name = forms.CharField(
        max_length=100,
        help_text="What will use the key, so that everyone can tell it from others: “billing service, production”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    model_patterns = words_field("model_patterns", widget=_lines())
    requests_per_minute = limit_field("requests_per_minute")
    concurrency = limit_field("concurrency")
    may_search_elsewhere = forms.BooleanField(
        label="May search elsewhere",
        required=False,
        help_text="A program may ask for its vendor's own web search while a model of another vendor answers. Select "
        "this to let that vendor's search stand in for it, at its price.",
    )
    timeout_ms = forms.IntegerField(
        label="Deadline in milliseconds",
        required=False,
        min_value=1,
        max_value=limits.TIMEOUT_MAX_MS,
        help_text="How long a call of the key is waited for, over all attempts: a whole answer to its end, a stream "
        "until it begins. A request may ask for less. Leave it empty to wait for as long as each request says.",
    )
    expires_on = forms.DateField(
        label="Expires on",
        required=False,
        help_text="The key stops working when this day begins, in UTC. Leave it empty if it should never expire.",
        # The one form that a browser reads into such a field, whatever the site writes elsewhere.
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    denied_model_patterns = words_field("denied_model_patterns", widget=_lines())
    provider_patterns = words_field("provider_patterns", widget=_lines())
    denied_provider_patterns = words_field("denied_provider_patterns", widget=_lines())
    surfaces = words_field("surfaces", widget=_lines())
    ip_ranges = words_field("ip_ranges", widget=_lines())
    regions = words_field("regions", widget=_lines())
    quantizations = words_field("quantizations", widget=_lines())
    zero_retention = forms.BooleanField(
        label="Zero data retention only",
        required=False,
        help_text="Calls go only where nothing of them is kept once they are answered.",
    )
    no_data_collection = forms.BooleanField(
        label="No data collection",
        required=False,
        help_text="Calls go only where nothing of them is used for the provider's own ends, such as training.",
    )
    project = forms.ChoiceField(
        required=False,
        help_text="The project that every call of the key is counted for, whatever the call itself names.",
    )

    def __init__(self, data: QueryDict | None, *, team: Team, **options: Any) -> None:
        super().__init__(data, **options)
        self._projects = {project.slug: project for project in team.projects.all()}
        is_open = [slug for slug, each in self._projects.items() if each.archived_at is None]
        bound = self.initial.get("project")
        shown = [slug for slug in self._projects if slug in {bound, *is_open}]
        choices = [("", "As each call says"), *((slug, self._projects[slug].name) for slug in shown)]
        cast("forms.ChoiceField", self.fields["project"]).choices = choices

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
        values["project"] = self._projects.get(values["project"])
        return values | {"expires_at": datetime.combine(day, time(), UTC) if day else None}

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

    def focus_first_error(self) -> None:
        name = next((field.name for field in self if field.errors), None)
        if name:
            self.fields[name].widget.attrs["autofocus"] = True


class KeyForm(TermsForm):
    """What a new key is issued from."""

    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=list(SCOPES.items()),
        initial=sorted(MEANT[Key.Scope.INFERENCE]),
        widget=forms.CheckboxSelectMultiple,
        help_text="A program that calls models needs the first two and no more. A feed reader or a calendar needs feed "
        "alone: its key is part of an address, so it can do nothing else.",
    )
    owner = forms.ChoiceField(
        label="Whose it is",
        required=False,
        help_text="A key of your own stops working when you leave the team. A service account's key and the team's own "
        "keep working.",
    )

    basic = ("name", "scopes")
    field_order = ("name", "scopes", "owner", "project")

    def __init__(self, data: QueryDict | None, *, acting: Acting) -> None:
        super().__init__(data, team=acting.team)
        self._person = acting.person
        self._is_own = not acting.may(Right.KEYS)
        if self._is_own:
            del self.fields["owner"]
            scopes = [(scope, label) for scope, label in SCOPES.items() if scope != MANAGEMENT]
            cast("forms.ChoiceField", self.fields["scopes"]).choices = scopes
            return
        open_accounts = acting.team.service_accounts.filter(is_active=True)
        self._accounts = {account.slug: account for account in open_accounts}
        choices = [("", "The team's own"), (_MINE, "Mine")]
        choices += [(f"{_OF_ACCOUNT}{slug}", account.name) for slug, account in self._accounts.items()]
        cast("forms.ChoiceField", self.fields["owner"]).choices = choices

    def clean_scopes(self) -> list[str]:
        scopes: list[str] = self.cleaned_data["scopes"]
        try:
            check_scopes(scopes)
        except InvalidField:
            raise forms.ValidationError("A feed key is part of addresses, so feed stands alone.") from None
        return scopes

    def terms(self) -> dict[str, Any]:
        """Without the numbers that were left empty: those are as the team has them."""
        values = super().terms()
        owner = _MINE if self._is_own else str(values.pop("owner"))
        terms = {name: value for name, value in values.items() if value is not None}
        if owner == _MINE:
            terms["owner"] = self._person
        elif owner:
            terms["service_account"] = self._accounts[owner.removeprefix(_OF_ACCOUNT)]
        return terms


class ChangeForm(TermsForm):
    """What may change of a key. It remembers what its page showed: only what the person changed since then counts."""

    basic = ("name", "model_patterns", "requests_per_minute", "concurrency", "expires_on", "project")

    def __init__(self, data: QueryDict | None, *, key: Key) -> None:
        super().__init__(data, team=key.team, initial=_shown(key))
        for field in self.fields.values():
            field.show_hidden_initial = True

    @property
    def told(self) -> Sequence[tuple[str, str]]:
        """What is said of the key besides its name, for those who only look."""
        said = ((str(field.label), field.initial) for field in self if field.name != "name")
        return [(label, _in_words(value)) for label, value in said if value]

    def changes(self) -> dict[str, Any]:
        """Of `terms`, what the person changed."""
        changed = {_TERMS.get(name, name) for name in self.changed_data}
        return {name: value for name, value in self.terms().items() if name in changed}


def _in_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return "yes" if value is True else str(value)


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
        "timeout_ms": key.timeout_ms,
        "expires_on": key.expires_at.astimezone(UTC).date() if key.expires_at else None,
        "project": key.project.slug if key.project else "",
        **{term: getattr(key, term) for term in (*LISTS, *FLAGS)},
    }


class RotationForm(forms.Form):
    """How long both keys work."""

    hours = forms.TypedChoiceField(
        label="The old key keeps working for",
        coerce=int,
        choices=[(0, "no time at all"), (1, "an hour"), (24, "a day"), (168, "a week"), (720, "30 days")],
        initial=24,
    )
