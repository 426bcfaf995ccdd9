"""Limits in the portal: those that a key's calls meet, those of a team and of each of its own, and setting them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from django import forms
from django.http import QueryDict

from accounts.acting import Acting
from accounts.limiting import set_limit
from accounts.limits import AMOUNT_MAX, PUBLISHED
from accounts.models import Key, Limit, Team
from accounts.models.subject import KINDS
from accounts.rights import Right
from accounts.standings import stand_limits
from accounts.subject_rows import Owner, may_set, subject_columns
from gateway.core.locales import write_number
from gateway.core.reader import current
from gateway.core.refusals import InvalidField
from gateway.core.store.interface import Standing
from gateway.portal.subjects import SubjectChoice, name_owner, page_of, subject_value

_SPANS = ((3600, "hour"), (60, "minute"), (1, "second"))
SAVED = "Saved. Calls obey within a second."


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
    """Of one of which whoever looks has to ask for more."""
    used: str = ""
    left_percent: int | None = None
    """None: unknown."""
    page: str = ""
    """Of whom it is for."""
    change: str = ""
    """Where whoever looks may change it."""
    pk: int | None = None
    terms: Mapping[str, Any] = field(default_factory=dict)
    """As forms name them."""


def limit_text(limit: Limit) -> str:
    """Such as 600 requests a minute, as whoever reads the page writes numbers."""
    return str(limit).replace(f"{limit.amount:,}", _written(limit.amount), 1)


def _written(count: int) -> str:
    return write_number(count, current().locale)


def subjects_of_key(key: Key) -> dict[str, int | None]:
    """Whom its calls count for, by kind; other projects, that a call may name, are their team's."""
    return {
        "key": key.lineage_id,
        "member": getattr(key, "member_id", None),
        "service_account": key.service_account_id,
        "project": key.project_id,
        "team": key.team_id,
    }


def limits_of_key(key: Key, acting: Acting) -> Sequence[LimitLine]:
    """All that its calls meet, its own first."""
    found = Limit.objects.for_subjects(subjects_of_key(key)).with_subjects()
    rows = sorted(found, key=lambda row: KINDS.index(row.subject_kind))
    return [*limit_lines(rows, acting, key), *ceilings_of_keys(key.team)]


def limits_of(subject: Owner, acting: Acting) -> Sequence[LimitLine]:
    """Its own alone."""
    return limit_lines(Limit.objects.filter(**subject_columns(subject)).with_subjects(), acting)


def limit_lines(limits: Iterable[Limit], acting: Acting, key: Key | None = None) -> Sequence[LimitLine]:
    """As whoever acts may have them; `key` is the one on whose page they are."""
    rows = list(limits)
    standings = stand_limits(rows)
    return [_line(row, standings.get(row.pk), acting, key) for row in rows]


def _line(limit: Limit, standing: Standing | None, acting: Acting, key: Key | None) -> LimitLine:
    subject: Any = key if key is not None and limit.key_id else limit.subject_row
    may_change = may_set(acting, subject)
    is_here = may_change and (key is None or limit.key_id is not None)
    left = None if standing is None else max(0, standing.remaining)
    page = page_of(subject)
    return LimitLine(
        "This key" if key is not None and limit.key_id else name_owner(subject),
        limit_text(limit),
        "" if left is None else _written(left),
        "" if standing is None or standing.reset_s <= 0 else _how_long(standing.reset_s),
        _written(limit.most) if limit.most is not None else "",
        limit.set_by,
        limit.pk if is_here and limit.most is None else None,
        limit.pk if acting.may(Right.ASK) and not (may_change and _may_be_more(limit, acting.team)) else None,
        "" if left is None else _written(max(0, limit.amount - left)),
        None if left is None else min(100, left * 100 // limit.amount),
        page,
        _form_of(limit, page) if is_here else "",
        limit.pk,
        {
            "subject": subject_value(subject),
            "unit": limit.unit,
            "window": limit.window,
            "amount": limit.amount,
        },
    )


def _how_long(seconds: float) -> str:
    """Such as 6 minutes, rounded up: whoever waits that long waits enough."""
    one, name = next((each for each in _SPANS if seconds > each[0]), _SPANS[-1])
    count = ceil(seconds / one)
    return f"{_written(count)} {name}{'' if count == 1 else 's'}"


def _may_be_more(limit: Limit, team: Team) -> bool:
    """Without staff: whoever may set it may raise it themselves."""
    most = [] if limit.most is None else [limit.most]
    for name, measure in PUBLISHED.items():
        ceiling: int | None = getattr(team, f"key_{name}_most")
        if limit.key_id and ceiling and measure == (limit.unit, limit.window):
            most.append(ceiling)
    return not most or limit.amount < min(most)


def _form_of(limit: Limit, page: str) -> str:
    """With it filled in."""
    return f"{page}{'&' if '?' in page else '?'}limit={limit.pk}#set-limit"


def ceilings_of_keys(team: Team) -> Sequence[LimitLine]:
    """Of each single key."""
    each = f"Every key of {team.name}"
    rates = [
        (team.key_requests_per_minute_most, "requests a minute"),
        (team.key_concurrency_most, "calls at once"),
    ]
    return [
        LimitLine(each, f"{_written(most)} {what}", allowed=_written(most), set_by="staff")
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

    def __init__(
        self, data: QueryDict | None, *, subjects: Iterable[Owner], shown: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(shown or {}))
        self.offer(subjects)


def shown_limit(lines: Iterable[LimitLine], named: str) -> dict[str, Any]:
    """What a form shows where the address names one of these limits that whoever looks may change; else nothing."""
    for line in lines:
        if line.change and str(line.pk) == named:
            return dict(line.terms)
    return {}
