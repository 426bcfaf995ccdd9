"""What each key and each member of a team gets, on its page: told, set and removed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from accounts.allowances import remove_allowance, set_allowance
from accounts.models import Allowance, Team
from gateway.core.refusals import InvalidField
from gateway.portal.ending import Ending, ask_first
from gateway.portal.subjects import page_of, read_pk


@dataclass(frozen=True, slots=True)
class AllowanceLine:
    """An allowance as people read it."""

    id: int
    whose: str
    what: str
    amount: str
    most: str
    """Empty: there is no ceiling, and the team may remove it."""


def allowances_of(team: Team) -> Sequence[AllowanceLine]:
    return [_line(row) for row in team.allowances.all()]


def _line(row: Allowance) -> AllowanceLine:
    window = "" if row.window == Allowance.Window.NONE else f" {row.get_window_display()}"
    amount = row.amount if row.amount is not None else row.most
    what = f"{row.get_unit_display()}{window}"
    return AllowanceLine(
        row.pk, row.get_whose_display().capitalize(), what, row.written(amount), row.written(row.most)
    )


class AllowanceForm(forms.Form):
    """One of the same measure is changed."""

    prefix = "allowance"

    whose = forms.ChoiceField(label="Who gets it", choices=Allowance.Whose.choices)
    unit = forms.ChoiceField(label="What", choices=Allowance.Unit.choices, initial=Allowance.Unit.USD)
    window = forms.ChoiceField(
        label="In which time",
        choices=Allowance.Window.choices,
        initial=Allowance.Window.MONTH,
        help_text="Calls at once count at any time.",
    )
    amount = forms.DecimalField(
        label="How much",
        decimal_places=10,
        max_digits=23,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def save(self, team: Team) -> bool:
        """False: it cannot be, and is said at its field."""
        given = self.cleaned_data
        if given["unit"] == Allowance.Unit.CONCURRENCY:
            given["window"] = Allowance.Window.NONE
        try:
            set_allowance(team=team, **given)
        except InvalidField as fault:
            self.add_error(fault.field if fault.field in self.fields else None, fault.message)
            return False
        return True


def remove_from(request: HttpRequest, team: Team, text: str) -> HttpResponse:
    """By one of the team's owners. Asks first; POST removes it."""
    found = get_object_or_404(team.allowances.all(), pk=read_pk(text))
    if request.method != "POST":
        says = [
            f"Who comes new to {team.name} gets no {found} any more.",
            "Those that there are keep theirs: each is changed or removed by itself.",
        ]
        ending = Ending(
            f"Remove {found}?",
            says,
            f"Remove {found}",
            page_of(team),
            call="allowance_destroy",
            ids=[found.pk],
        )
        return ask_first(request, team, ending)
    try:
        remove_allowance(allowance=found)
    except InvalidField as fault:
        messages.error(request, fault.message)
    else:
        messages.success(
            request, f"Who comes new gets no {found} any more. Those that there are keep theirs."
        )
    return redirect(page_of(team))
