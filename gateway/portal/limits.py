"""Limits in the portal: those that a key's calls meet, those of a team, and setting them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.http import QueryDict

from accounts.limiting import set_limit
from accounts.limits import AMOUNT_MAX
from accounts.models import Key, Limit, Membership, Team
from accounts.models.subject import KINDS
from accounts.subject_rows import BY_OWNERS, Owner
from gateway.core.refusals import InvalidField

_WHOSE = {"service_account": "Service account", "project": "Project"}


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit as people read it."""

    whose: str
    amount: str
    allowed: str = ""
    """What staff allow, where they said it."""
    set_by: str = ""
    id: int | None = None
    """Of one that whoever looks may remove."""


def limits_of_key(key: Key) -> Sequence[LimitLine]:
    """All that its calls meet, its own first; those of other projects, that a call may name, are their team's."""
    subjects = {
        "key": key.lineage_id,
        "member": getattr(key, "member_id", None),
        "service_account": key.service_account_id,
        "project": key.project_id,
        "team": key.team_id,
    }
    found = Limit.objects.for_subjects(subjects).with_subjects()
    rows = sorted(found, key=lambda row: KINDS.index(row.subject_kind))
    lines = [_line(row, "This key" if row.key_id else "", may_remove=row.key_id is not None) for row in rows]
    return [*lines, *_ceilings(key.team)]


def limits_of_team(team: Team, *, is_owner: bool) -> Sequence[LimitLine]:
    """Of the team, its people, programs and projects; those of keys are on their own pages."""
    rows = Limit.objects.for_team(team).filter(key__isnull=True).with_subjects()
    lines = [_line(row, may_remove=is_owner or row.subject_kind not in BY_OWNERS) for row in rows]
    return [*lines, *_ceilings(team)]


def _line(limit: Limit, whose: str = "", *, may_remove: bool) -> LimitLine:
    return LimitLine(
        whose or name_owner(limit.subject_row),
        str(limit),
        f"{limit.most:,}" if limit.most is not None else "",
        limit.set_by,
        limit.pk if may_remove and limit.most is None else None,
    )


def name_owner(row: Any) -> str:
    if isinstance(row, Team):
        return f"All of {row.name}"
    if isinstance(row, Membership):
        return str(row.user)
    kind = _WHOSE.get(row._meta.model_name.replace("serviceaccount", "service_account"), "Key")
    return f"{kind} {row.name}"


def _ceilings(team: Team) -> Sequence[LimitLine]:
    """Of each single key."""
    each = f"Every key of {team.name}"
    rates = [
        (team.key_requests_per_minute_most, "requests a minute"),
        (team.key_concurrency_most, "calls at once"),
    ]
    return [LimitLine(each, f"{most:,} {what}", f"{most:,}", "staff") for most, what in rates if most]


class LimitForm(forms.Form):
    """A limit: one of the same unit and window is changed."""

    prefix = "limit"

    unit = forms.ChoiceField(label="What", choices=Limit.Unit.choices)
    window = forms.ChoiceField(
        label="In which time",
        choices=Limit.Window.choices,
        initial=Limit.Window.MINUTE,
        help_text="Calls at once count at any time.",
    )
    amount = forms.IntegerField(label="How much", min_value=1, max_value=AMOUNT_MAX)

    def save(self, subject: Owner) -> bool:
        """False: it cannot be, and is said at its field."""
        given = self.cleaned_data
        if given["unit"] == Limit.Unit.CONCURRENCY:
            given["window"] = Limit.Window.NONE
        try:
            set_limit(subject=subject, unit=given["unit"], window=given["window"], amount=given["amount"])
        except InvalidField as fault:
            self.add_error(fault.field if fault.field in self.fields else "amount", fault.message)
            return False
        return True


class TeamLimitForm(LimitForm):
    """With whose it is: what owners decide is not among the choices of others."""

    subject = forms.ChoiceField(label="Whose")

    field_order = ("subject", "unit", "window", "amount")

    def __init__(self, data: QueryDict | None, *, team: Team, is_owner: bool) -> None:
        super().__init__(data)
        rows: list[Owner] = [*team.service_accounts.all(), *team.projects.filter(archived_at__isnull=True)]
        if is_owner:
            rows = [team, *team.memberships.select_related("user").order_by("user__username"), *rows]
        self._subjects = {f"{row._meta.model_name}-{row.pk}": row for row in rows}
        choices = [(value, name_owner(row)) for value, row in self._subjects.items()]
        cast("forms.ChoiceField", self.fields["subject"]).choices = choices

    @property
    def chosen(self) -> Owner:
        return self._subjects[self.cleaned_data["subject"]]
