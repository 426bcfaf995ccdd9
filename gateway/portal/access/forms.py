"""Forms of access requests: one for each kind of thing that is asked for, and what who decides says."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from django import forms
from django.http import QueryDict

from accounts.access_requests import ask
from accounts.access_terms import LIST_OF, REASON_LENGTH, is_higher
from accounts.acting import Acting
from accounts.limits import AMOUNT_MAX
from accounts.models import AccessRequest, Budget, Key, Limit
from accounts.models.subject import SubjectModel
from accounts.money import plain
from accounts.rights import Role
from accounts.subject_rows import name_subject
from gateway.core.refusals import InvalidField, Refused
from gateway.portal.subjects import name_owner

_KEYS_OFFERED = 500


class AskForm(forms.Form):
    """Why, and until when; each kind says what."""

    kind = ""

    reason = forms.CharField(
        label="Why",
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Whoever decides reads it.",
    )
    until = forms.DateTimeField(
        required=False,
        help_text="In UTC. It ends by itself then; empty: it does not.",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    field_order = ("role", "model", "provider", "key", "row", "amount", "raise_usd", "until", "reason")

    def __init__(self, data: QueryDict | None, *, acting: Acting, named: Mapping[str, str]) -> None:
        """`named` is what the address fills in."""
        super().__init__(data, initial=dict(named.items()))
        self._acting = acting
        self.prepare()

    def prepare(self) -> None:
        """Offer what the team has."""

    def asked(self) -> dict[str, Any]:
        """As the service takes it."""
        raise NotImplementedError

    def save(self) -> AccessRequest | None:
        """None: it cannot be, and is said at its field."""
        until: datetime | None = self.cleaned_data["until"]
        try:
            return ask(
                kind=self.kind,
                asked=self.asked(),
                reason=self.cleaned_data["reason"],
                until=until.astimezone(UTC) if until else None,
                by=self._acting,
            )[0]
        except (InvalidField, Refused) as fault:
            field = getattr(fault, "field", None)
            self.add_error(field if field in self.fields else None, fault.message)
            return None

    def offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast("forms.ChoiceField", self.fields[name]).choices = choices


class RoleAskForm(AskForm):
    kind = "role"

    role = forms.ChoiceField(label="Which role")

    def prepare(self) -> None:
        now = self._acting.membership.role if self._acting.membership else Role.VIEWER
        self.offer("role", [(role.value, role.value) for role in Role if is_higher(role, now)])

    def asked(self) -> dict[str, Any]:
        return {"role": self.cleaned_data["role"]}


class _ListedAskForm(AskForm):
    key = forms.ChoiceField(
        required=False, help_text="Only keys that list what they may reach need it by themselves."
    )

    def prepare(self) -> None:
        keys = Key.objects.for_team(self._acting.team).filter(revoked_at__isnull=True, is_playground=False)
        offered = keys.order_by("name")[:_KEYS_OFFERED]
        named = [(key.public_id, f"{key.name} (sk-gw-{key.public_id}-…)") for key in offered]
        self.offer("key", [("", f"All of {self._acting.team.name}"), *named])

    def asked(self) -> dict[str, Any]:
        given = {self.kind: self.cleaned_data[self.kind].strip()}
        return given | ({"key": self.cleaned_data["key"]} if self.cleaned_data["key"] else {})


class ModelAskForm(_ListedAskForm):
    kind = "model"

    model = forms.CharField(
        label="Which model", max_length=200, help_text="Its id, or a pattern such as anthropic/*."
    )


class ProviderAskForm(_ListedAskForm):
    kind = "provider"

    provider = forms.CharField(label="Which provider", max_length=200, help_text="Its slug, such as openai.")


class _RowAskForm(AskForm):
    row = forms.ChoiceField(label="Which one")

    def rows(self) -> Any:
        raise NotImplementedError

    def prepare(self) -> None:
        self._rows = {str(row.pk): row for row in self.rows().for_team(self._acting.team).with_subjects()}
        self.offer("row", [(pk, f"{row}: {name_owner(row.subject_row)}") for pk, row in self._rows.items()])

    def subject(self) -> dict[str, Any]:
        row: SubjectModel = self._rows[self.cleaned_data["row"]]
        subject = row.subject_row
        return {"subject": row.subject_kind, "subject_id": name_subject(subject)}


class LimitAskForm(_RowAskForm):
    kind = "limit"

    amount = forms.IntegerField(label="How much it should be", min_value=1, max_value=AMOUNT_MAX)

    def rows(self) -> Any:
        return Limit.objects.all()

    def asked(self) -> dict[str, Any]:
        row: Limit = self._rows[self.cleaned_data["row"]]
        measure = {"unit": row.unit, "window": row.window}
        return self.subject() | measure | {"amount": self.cleaned_data["amount"]}


class BudgetAskForm(_RowAskForm):
    kind = "budget"

    raise_usd = forms.DecimalField(
        label="How much more, in USD",
        decimal_places=10,
        max_digits=20,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="With an end it is a raise for that long; without, the budget itself becomes higher.",
    )

    def rows(self) -> Any:
        return Budget.objects.all()

    def asked(self) -> dict[str, Any]:
        row: Budget = self._rows[self.cleaned_data["row"]]
        return self.subject() | {"window": row.window, "raise_usd": plain(self.cleaned_data["raise_usd"])}


FORMS: Mapping[str, type[AskForm]] = {
    form.kind: form for form in (RoleAskForm, ModelAskForm, ProviderAskForm, LimitAskForm, BudgetAskForm)
}
FILLED_IN = frozenset({*LIST_OF, "role", "key", "row", "amount", "raise_usd"})
"""What addresses of the page may say."""


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(choices=[("grant", "Grant"), ("decline", "Decline")])
    note = forms.CharField(required=False, max_length=REASON_LENGTH)
