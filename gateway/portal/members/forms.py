"""Forms about who belongs to a team: a role, an invitation, and what becomes of keys."""

from typing import Any, cast

from django import forms
from django.http import QueryDict

from accounts.acting import Acting
from accounts.memberships import KeysThen, live_keys_of, people_of
from accounts.models import Membership
from accounts.rights import Right, Role

_MEANING = {
    Role.OWNER: "Owner: may all of this",
    Role.ADMIN: "Admin: all keys, members and provider keys",
    Role.MEMBER: "Member: keys of their own",
    Role.VIEWER: "Viewer: looks, and calls nothing",
}
_REVOKE, _TEAM, _MEMBER = "revoke", "team", "member:"


def _roles(acting: Acting) -> list[tuple[str, str]]:
    """Those that they may give."""
    given = [role for role in _MEANING if role is not Role.OWNER or acting.may(Right.OWNERS)]
    return [(role.value, _MEANING[role]) for role in given]


class RoleForm(forms.Form):
    role = forms.ChoiceField()

    def __init__(self, data: QueryDict | None, *, acting: Acting, role: str = Role.MEMBER) -> None:
        super().__init__(data, initial={"role": role})
        cast("forms.ChoiceField", self.fields["role"]).choices = _roles(acting)


class InvitationForm(RoleForm):
    prefix = "invitation"

    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        help_text="They join by a link that works once, for a week; with an account of theirs, or with a new one.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    hands_on = forms.BooleanField(
        label="I will pass the link on myself",
        required=False,
        help_text="No mail is sent: the link is shown to you once. Whoever has it can join.",
    )

    field_order = ("email", "role", "hands_on")


class KeysForm(forms.Form):
    """What becomes of somebody's keys; without a field where they have none."""

    keys = forms.ChoiceField(label="What becomes of the keys")

    def __init__(self, data: QueryDict | None, *, membership: Membership) -> None:
        super().__init__(data)
        self.held = list(live_keys_of(membership))
        if not self.held:
            del self.fields["keys"]
            return
        others = people_of(membership.team, Right.CALL).exclude(pk=membership.user_id).order_by("username")
        self._people = {f"{_MEMBER}{person.pk}": person for person in others.filter(is_active=True)}
        choices = [("", "Choose"), (_REVOKE, "Revoke them: calls with them are refused within a second")]
        choices += [(_TEAM, "Hand them over to the team")]
        choices += [(value, f"Hand them over to {person}") for value, person in self._people.items()]
        cast("forms.ChoiceField", self.fields["keys"]).choices = choices

    @property
    def then(self) -> KeysThen | None:
        return read_fate(self.cleaned_data["keys"], self._people) if self.held else None


def read_fate(chosen: str, people: dict[str, Any]) -> KeysThen:
    """Of a choice in one of these forms."""
    if chosen == _REVOKE:
        return KeysThen("revoke")
    return KeysThen("team") if chosen == _TEAM else KeysThen("member", people[chosen])


class FateForm(forms.Form):
    """What becomes of one key that was left behind."""

    keys = forms.ChoiceField(label="What becomes of it")

    def __init__(self, data: QueryDict | None, *, acting: Acting) -> None:
        super().__init__(data)
        people = people_of(acting.team, Right.CALL).filter(is_active=True).order_by("username")
        self._people = {f"{_MEMBER}{person.pk}": person for person in people}
        choices = [("", "Choose"), (_REVOKE, "Revoke it"), (_TEAM, "Hand it over to the team")]
        choices += [(value, f"Hand it over to {person}") for value, person in self._people.items()]
        cast("forms.ChoiceField", self.fields["keys"]).choices = choices

    @property
    def then(self) -> KeysThen:
        return read_fate(self.cleaned_data["keys"], self._people)
