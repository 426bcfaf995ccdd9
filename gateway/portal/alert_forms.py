"""The forms of alert channels, and of what a person is mailed."""

from collections.abc import Iterator

from django import forms
from django.http import QueryDict

from accounts.alerts import channels
from accounts.alerts.kinds import FOR_TEAMS, KINDS, Concerns, Kind
from accounts.alerts.people import choices_of, choose
from accounts.models import AlertChannel, Team, User
from gateway.core.refusals import InvalidField


class ChannelForm(forms.Form):
    """What may be said of a channel when it is made and later."""

    name = forms.CharField(
        max_length=100,
        help_text="What it is, such as “on-call, production”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    address = forms.CharField(
        max_length=1_000,
        help_text="An https URL, or for mail one or more addresses. It is kept encrypted, and pages show its end only.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    kinds = forms.MultipleChoiceField(
        label="Alerts",
        required=False,
        choices=[(name, KINDS[name].label) for name in FOR_TEAMS],
        widget=forms.CheckboxSelectMultiple,
        help_text="None: all of them.",
    )

    def refuse(self, fault: InvalidField) -> None:
        self.add_error(fault.field if fault.field in self.fields else None, fault.message)


class NewChannelForm(ChannelForm):
    kind = forms.ChoiceField(choices=AlertChannel.Kind.choices, help_text="A webhook is for a program.")

    field_order = ("name", "kind", "address", "kinds")

    def make(self, team: Team, person: User) -> tuple[AlertChannel, str] | None:
        """The channel with its secret; None where it cannot be, which the form then says."""
        try:
            return channels.make_channel(team=team, created_by=person, **self.cleaned_data)
        except InvalidField as fault:
            self.refuse(fault)
            return None


class ChangeChannelForm(ChannelForm):
    """Only what the person changed counts."""

    is_active = forms.BooleanField(
        label="Switched on", required=False, help_text="Off: nothing goes there, and nothing is kept for it."
    )

    def __init__(self, data: QueryDict | None, *, channel: AlertChannel) -> None:
        self.channel = channel
        shown = {"name": channel.name, "kinds": channel.kinds, "is_active": channel.is_active}
        super().__init__(data, initial=shown)
        address = self.fields["address"]
        address.required, address.label = False, "New address"
        address.help_text = f"Empty: it stays {channel.shown}."

    def save(self) -> bool:
        changes = {name: self.cleaned_data[name] for name in self.changed_data}
        try:
            channels.change_channel(channel=self.channel, changes=changes)
        except InvalidField as fault:
            self.refuse(fault)
            return False
        return True


_USUAL, _MAIL, _NONE = "", "mail", "none"
_CHOICES: dict[str, bool | None] = {_USUAL: None, _MAIL: True, _NONE: False}
_UNASKED = {
    Concerns.OWNERS: "owners, and whom it names",
    Concerns.PEOPLE: "whom it names, else owners",
}


class NotificationsForm(forms.Form):
    """For each kind that teams have, whether a person is mailed."""

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

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """By what comes before the dot of a kind."""
        titles = {
            "budget": "Money",
            "spend": "Money",
            "statement": "Money",
            "key": "Keys",
            "credential": "Keys",
            "model": "Models",
            "channel": "Alert channels",
        }
        found: dict[str, list[forms.BoundField]] = {}
        for field in self:
            title = titles.get(field.name.partition(".")[0], "Other")
            found.setdefault(title, []).append(field)
        yield from found.items()


def _hint(kind: Kind) -> str:
    if not kind.by_mail:
        return "As usual: nobody."
    return f"{'Always' if kind.is_required else 'As usual'}: {_UNASKED[kind.concerns]}."
