"""The forms of what a person is mailed, and of how they read times and numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from zoneinfo import available_timezones

from django import forms
from django.http import QueryDict

from accounts.alerts.kinds import KINDS, WEEKLY, Concerns, Kind
from accounts.alerts.people import choices_of, choose
from accounts.models import User
from gateway.core.locales import HOUSE, LOCALES, Locale, write_day, write_usd

_USUAL, _MAIL, _NONE = "", "mail", "none"
_CHOICES: dict[str, bool | None] = {_USUAL: None, _MAIL: True, _NONE: False}
_UNASKED = {
    Concerns.OWNERS: "owners, and whom it names",
    Concerns.PEOPLE: "whom it names, else owners",
    Concerns.MANAGERS: "owners and admins",
}
_TITLES: Mapping[str, str] = {
    "budget": "Money",
    "spend": "Money",
    "statement": "Money",
    "key": "Keys",
    "keys": "Keys",
    "credential": "Keys",
    "model": "Models",
    "request": "Access",
    "invitation": "Access",
    "channel": "Alert channels",
    "digest": "Once a week",
}
_ORDER = (
    "Once a week",
    *dict.fromkeys(title for title in _TITLES.values() if title != "Once a week"),
    "Other",
)
_SAMPLE = (Decimal("1234.5"), date(2026, 12, 31))
_CONTINENTS = frozenset(
    {
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    }
)


@dataclass(frozen=True, slots=True)
class Group:
    """Kinds of mail that belong together."""

    title: str
    fields: Sequence[forms.BoundField]
    duties: Sequence[str]
    """What cannot be turned off, for whom it concerns."""


class NotificationsForm(forms.Form):
    """For each kind of which somebody chooses, whether they are mailed."""

    def __init__(self, data: QueryDict | None, *, person: User) -> None:
        self._person = person
        super().__init__(data)
        words = {value: word for word, value in _CHOICES.items()}
        for name, chosen in choices_of(person).items():
            kind = KINDS[name]
            choices = [(_USUAL, "As usual"), (_MAIL, "Mail me"), (_NONE, "Never")]
            self.fields[name] = forms.ChoiceField(
                label=kind.label,
                required=False,
                choices=choices[:2] if kind.is_required else choices,
                initial=words[chosen],
                help_text=_hint(kind),
            )

    def save(self) -> None:
        choose(self._person, {name: _CHOICES[self.cleaned_data[name]] for name in self.changed_data})

    def groups(self) -> Iterator[Group]:
        """By what comes before the dot of a kind."""
        found: dict[str, list[forms.BoundField]] = {}
        for field in self:
            found.setdefault(_TITLES.get(field.name.partition(".")[0], "Other"), []).append(field)
        for title in sorted(found, key=_ORDER.index):
            duties = [KINDS[field.name].label for field in found[title] if KINDS[field.name].is_required]
            yield Group(title, found[title], duties)


class ReadingForm(forms.ModelForm):  # type: ignore[type-arg]
    """Zone and locale. An empty one follows the team's, or is as Gatehouse writes."""

    time_zone = forms.ChoiceField(label="Time zone", required=False)
    locale = forms.ChoiceField(label="Numbers, money and dates", required=False)

    class Meta:
        model = User
        fields = ["time_zone", "locale"]

    def __init__(self, data: QueryDict | None, *, person: User) -> None:
        super().__init__(data, instance=person)
        zones, places = self.fields["time_zone"], self.fields["locale"]
        assert isinstance(zones, forms.ChoiceField)  # noqa: S101
        assert isinstance(places, forms.ChoiceField)  # noqa: S101
        kept = person.time_zone
        named = (
            []
            if not kept or any(kept == each for _, group in _zones() for each, _ in group)
            else [(kept, kept)]
        )
        zones.choices = [("", "That of the team, else UTC"), ("UTC", "UTC"), *named, *_zones()]
        zones.help_text = "Pages tell times in it, with UTC beside them, and your week begins in it."
        places.choices = [("", _sample(HOUSE)), *((tag, _sample(each)) for tag, each in LOCALES.items())]
        places.help_text = (
            "The words stay English. What you type is read as before: 1234.5, and times in UTC."
        )

    def keep(self) -> None:
        self.instance.save(update_fields=["time_zone", "locale"])


@cache
def _zones() -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """By continent."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        continent, _, place = name.partition("/")
        if place and continent in _CONTINENTS:
            found.setdefault(continent, []).append((name, name.replace("_", " ")))
    return [(continent, tuple(zones)) for continent, zones in found.items()]


def _sample(locale: Locale) -> str:
    amount, day = _SAMPLE
    return f"{locale.label}: {write_usd(amount, locale)}, {write_day(day, locale)}"


def _hint(kind: Kind) -> str:
    if not kind.by_mail:
        return "As usual: nobody."
    if kind.name == WEEKLY:
        return (
            "On Monday at 8 in your time zone, unless there is nothing to tell. As usual: owners and admins."
        )
    return f"{'Always' if kind.is_required else 'As usual'}: {_UNASKED[kind.concerns]}."
