"""The page on which attempts are priced anew: what would differ by team, and then a click that books it."""

import hashlib
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.booking import CORRECT
from accounts.ledger_names import read_names
from accounts.measures import write_exactly
from accounts.models import LedgerEntry
from accounts.money import usd_of
from gateway.core.admin_base import TextInput
from gateway.ops.repricing import Range, Repricing, count_attempts, reprice

MOST_ATTEMPTS = 20_000
"""Looked at in one request: the command takes more."""
_RIGHTS = (CORRECT, "accounts.view_ledgerentry")
_INSTANTS = ["%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M:%S"]


def _instant(label: str, help_text: str) -> forms.DateTimeField:
    return forms.DateTimeField(label=label, help_text=help_text, input_formats=_INSTANTS, widget=TextInput)


def _name(label: str, length: int, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=length, required=False, help_text=help_text, widget=TextInput
    )


class RepricingForm(forms.Form):
    since = _instant("From", "In UTC, such as 2026-11-01 or 2026-11-01 14:30.")
    until = _instant("Until", "In UTC. What began at that instant or later is left out.")
    model = _name("Model", 200, "Its id. Empty: all.")
    provider = _name("Provider", 60, "Its slug. Empty: all.")
    upstream_name = _name("Name at the provider", 200, "Of one offering. Empty: all.")
    note = _name("Reason", 200, "Needed to book: it stands in every entry, which teams can read.")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not self.errors and given["since"] >= given["until"]:
            self.add_error("until", "This is not after the beginning.")
        if not self.errors and count_attempts(self.asked, MOST_ATTEMPTS + 1) > MOST_ATTEMPTS:
            self.add_error(
                "until",
                f"More than {MOST_ATTEMPTS:,} attempts began then. Choose less, or use manage.py reprice.",
            )
        return given

    @property
    def asked(self) -> Range:
        given = self.cleaned_data
        since, until = given["since"].astimezone(UTC), given["until"].astimezone(UTC)
        return Range(since, until, given["model"], given["provider"], given["upstream_name"])


@require_http_methods(["GET", "HEAD", "POST"])
def show_repricing(request: HttpRequest) -> HttpResponse:
    """POST looks; with `act=book` it books what the page showed, and nothing else. Raises PermissionDenied."""
    if not request.user.has_perms(_RIGHTS):
        raise PermissionDenied
    form = RepricingForm(request.POST or None)
    told: dict[str, Any] = {"title": "Price attempts anew", "form": form}
    if request.method == "POST" and form.is_valid():
        found = reprice(form.asked, applies=False)
        shown = _digest(form.asked, found)
        if request.POST.get("act") == "book" and _may_book(request, form, found, shown):
            return _book(request, form)
        left = list(found.left.items())
        told |= {"found": found, "left": left, "rows": _rows(found), "shown": shown, "asked": str(form.asked)}
    context = admin.site.each_context(request) | told
    return TemplateResponse(request, "admin/accounts/repricing.html", context)


def _may_book(request: HttpRequest, form: RepricingForm, found: Repricing, shown: str) -> bool:
    """False: the form or a message says why not."""
    if not form.cleaned_data["note"]:
        form.add_error("note", "Say why: whoever reads the ledger later will ask.")
    elif request.POST.get("shown") != shown:
        messages.warning(request, "Nothing was booked: it is not what the page showed any more. Look again.")
    else:
        return bool(found.teams)
    return False


def _book(request: HttpRequest, form: RepricingForm) -> HttpResponse:
    booked = reprice(form.asked, applies=True, note=form.cleaned_data["note"])
    count = sum(each.attempts for each in booked.teams.values())
    messages.success(
        request, f"Booked. Attempts that are priced anew: {count:,}; teams: {len(booked.teams):,}."
    )
    kind = LedgerEntry.Kind.REPRICE
    return redirect(f"{reverse('admin:accounts_ledgerentry_changelist')}?kind__exact={kind}")


def _rows(found: Repricing) -> Sequence[dict[str, Any]]:
    names = read_names((team, 0) for team in found.teams)
    rows = [
        {
            "team": names.team(team),
            "attempts": f"{each.attempts:,}",
            "before": write_exactly(usd_of(each.before.charge)),
            "after": write_exactly(usd_of(each.after.charge)),
            "more": _signed(each.after.charge - each.before.charge),
            "borne": _signed(each.after.loss - each.before.loss),
        }
        for team, each in found.teams.items()
    ]
    return sorted(rows, key=lambda row: row["team"])


def _digest(asked: Range, found: Repricing) -> str:
    """Of all that the page shows."""
    teams = [(team, each.attempts, each.before, each.after) for team, each in sorted(found.teams.items())]
    return hashlib.sha256(repr((asked, teams)).encode()).hexdigest()


def _signed(units: int) -> str:
    return f"{'+' if units > 0 else ''}{write_exactly(usd_of(units))}"
