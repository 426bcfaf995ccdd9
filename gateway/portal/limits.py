"""Limits in the portal: those that a key's calls meet, those of a team and of each of its own, and setting them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django import forms
from django.http import QueryDict

from accounts.acting import Acting
from accounts.limiting import set_limit
from accounts.limits import AMOUNT_MAX
from accounts.models import Key, Limit, Team
from accounts.models.subject import KINDS
from accounts.standings import stand_limits
from accounts.subject_rows import Owner, may_set, subject_columns
from gateway.core.refusals import InvalidField
from gateway.core.store.interface import Standing
from gateway.portal.subjects import SubjectChoice, name_owner
from gateway.proxy.admission.standing import go_duration


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit as people read it."""

    whose: str
    amount: str
    left: str = ""
    """Now, where it is known."""
    whole_in: str = ""
    allowed: str = ""
    """What staff allow, where they said it."""
    set_by: str = ""
    id: int | None = None
    """Of one that whoever looks may remove."""
    row: int | None = None
    """Of one of which more can be asked for."""


def subjects_of_key(key: Key) -> dict[str, int | None]:
    """Whom its calls count for, by kind; other projects, that a call may name, are their team's."""
    return {
        "key": key.lineage_id,
        "member": getattr(key, "member_id", None),
        "service_account": key.service_account_id,
        "project": key.project_id,
        "team": key.team_id,
    }


def limits_of_key(key: Key, *, may_remove: bool) -> Sequence[LimitLine]:
    """All that its calls meet, its own first."""
    found = Limit.objects.for_subjects(subjects_of_key(key)).with_subjects()
    rows = sorted(found, key=lambda row: KINDS.index(row.subject_kind))
    return [*_lines(rows, lambda row: may_remove and row.key_id is not None), *_ceilings(key.team)]


def limits_of_team(acting: Acting) -> Sequence[LimitLine]:
    """Of the team, its people, programs and projects; those of keys are on their own pages."""
    rows = Limit.objects.for_team(acting.team).filter(key__isnull=True).with_subjects()
    lines = _lines(rows, lambda row: may_set(acting, row.subject_row))
    return [*lines, *_ceilings(acting.team)]


def limits_of(subject: Owner, *, may_remove: bool) -> Sequence[LimitLine]:
    """Its own alone."""
    return _lines(Limit.objects.filter(**subject_columns(subject)).with_subjects(), lambda _: may_remove)


def _lines(limits: Iterable[Limit], may_remove: Callable[[Limit], bool]) -> Sequence[LimitLine]:
    rows = list(limits)
    standings = stand_limits(rows)
    return [_line(row, standings.get(row.pk), may_remove=may_remove(row)) for row in rows]


def _line(limit: Limit, standing: Standing | None, *, may_remove: bool) -> LimitLine:
    return LimitLine(
        "This key" if limit.key_id else name_owner(limit.subject_row),
        str(limit),
        "" if standing is None else f"{max(0, standing.remaining):,}",
        "" if standing is None or standing.reset_s <= 0 else go_duration(standing.reset_s).decode(),
        f"{limit.most:,}" if limit.most is not None else "",
        limit.set_by,
        limit.pk if may_remove and limit.most is None else None,
        limit.pk,
    )


def _ceilings(team: Team) -> Sequence[LimitLine]:
    """Of each single key."""
    each = f"Every key of {team.name}"
    rates = [
        (team.key_requests_per_minute_most, "requests a minute"),
        (team.key_concurrency_most, "calls at once"),
    ]
    return [
        LimitLine(each, f"{most:,} {what}", allowed=f"{most:,}", set_by="staff")
        for most, what in rates
        if most
    ]


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


class TeamLimitForm(SubjectChoice, LimitForm):
    field_order = ("subject", "unit", "window", "amount")

    def __init__(self, data: QueryDict | None, *, subjects: Iterable[Owner]) -> None:
        super().__init__(data)
        self.offer(subjects)
