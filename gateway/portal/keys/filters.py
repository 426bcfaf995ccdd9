"""What of a team's keys its page shows: a search and filters, all of them in the address."""

from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from accounts.acting import Acting
from accounts.models import Key

_OF_ACCOUNT = "account:"


class KeyFilterForm(forms.Form):
    q = forms.CharField(
        label="Search",
        required=False,
        max_length=100,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": "a name or an id", "autocomplete": "off"}
        ),
    )
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), ("active", "Active"), ("expired", "Expired"), ("revoked", "Revoked")],
    )
    owner = forms.ChoiceField(label="Whose", required=False)
    scope = forms.ChoiceField(
        label="What it may do", required=False, choices=[("", "Any"), *Key.Scope.choices]
    )

    playground = forms.ChoiceField(required=False, choices=[("", ""), ("all", "")], widget=forms.HiddenInput)
    """`all`: keys of the playground's past visits, too."""

    def __init__(self, data: QueryDict, *, acting: Acting) -> None:
        super().__init__(data, auto_id="filter_%s")
        self._acting = acting
        accounts = acting.team.service_accounts.order_by("name")
        owners = [("", "Anybody's"), ("mine", "Mine"), ("people", "People's"), ("team", "The team's own")]
        owners += [(f"{_OF_ACCOUNT}{each.slug}", each.name) for each in accounts]
        cast("forms.ChoiceField", self.fields["owner"]).choices = owners

    @property
    def chosen(self) -> dict[str, Any]:
        """What is asked for, without what cannot be."""
        return {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}

    @property
    def query(self) -> str:
        """As addresses say it."""
        return urlencode(self.chosen)

    @property
    def shows_playground(self) -> bool:
        return "playground" in self.chosen

    @property
    def is_narrow(self) -> bool:
        """Whether fewer keys are asked for than there are."""
        return bool(self.errors) or bool(self.chosen.keys() - {"playground"})

    @property
    def turned(self) -> str:
        """The query that shows what is hidden of the playground, or hides it again."""
        other = {name: value for name, value in self.chosen.items() if name != "playground"}
        return urlencode(other if self.shows_playground else {**other, "playground": "all"})

    def narrow(self, keys: QuerySet[Key]) -> QuerySet[Key]:
        """By what is asked for, as far as it is valid."""
        chosen = self.chosen
        if text := chosen.get("q"):
            # PostgreSQL fails on a NUL, which the field refuses.
            bare = text.removeprefix("sk-gw-").partition("-")[0]
            keys = keys.filter(Q(name__icontains=text) | Q(public_id__startswith=bare or text))
        if state := chosen.get("state"):
            keys = keys.filter(_in_state(state))
        if scope := chosen.get("scope"):
            keys = keys.filter(scope=scope)
        return keys.filter(self._of(chosen["owner"])) if "owner" in chosen else keys

    def _of(self, owner: str) -> Q:
        if owner == "mine":
            return Q(owner=self._acting.person)
        if owner == "people":
            return Q(owner__isnull=False)
        if owner == "team":
            return Q(owner__isnull=True, service_account__isnull=True)
        return Q(service_account__slug=owner.removeprefix(_OF_ACCOUNT))


def _in_state(state: str) -> Q:
    is_over = Q(expires_at__lte=timezone.now())
    if state == "revoked":
        return Q(revoked_at__isnull=False)
    return Q(revoked_at__isnull=True) & (is_over if state == "expired" else ~is_over)
