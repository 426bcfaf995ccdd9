"""The forms of alert channels."""

from django import forms
from django.http import QueryDict

from accounts.alerts import channels
from accounts.alerts.kinds import FOR_TEAMS, KINDS
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
