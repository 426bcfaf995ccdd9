"""The page on which a person puts an entry of the ledger right."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.booking import CORRECT, MOST_USD, correct, net_of, refund
from accounts.measures import write_exactly
from accounts.models import LedgerEntry
from accounts.money import usd_of
from gateway.core.admin_base import Select, TextInput
from gateway.core.refusals import InvalidField

_REFUND, _CORRECTION, _OF_OPERATOR = "refund", "correction", "operator"
_ACTS = [
    (_REFUND, "Refund: the team is given back this amount, and we bear it"),
    (_CORRECTION, "Correction: the attempt cost the team this much more, or less with a minus"),
    (_OF_OPERATOR, "Correction: it cost us this much more, or less with a minus"),
]


class BookingForm(forms.Form):
    """An amount that a person books, and why."""

    amount_usd = forms.DecimalField(
        label="Amount, USD",
        decimal_places=10,
        min_value=-MOST_USD,
        max_value=MOST_USD,
        widget=TextInput,
        help_text="Above 0: the provider is owed more than was booked. The operator bears it; no team is charged.",
    )
    note = forms.CharField(
        label="Reason",
        max_length=LedgerEntry._meta.get_field("note").max_length,
        widget=TextInput,
        help_text="Stands in the ledger.",
    )

    def book(self, act: Callable[..., LedgerEntry], **about: Any) -> LedgerEntry | None:
        """What was booked; None where it cannot be, which is said at its field."""
        if not self.is_valid():
            return None
        try:
            return act(**about, **{name: self.cleaned_data[name] for name in ("amount_usd", "note")})
        except InvalidField as fault:
            self.add_error(fault.field if fault.field in self.fields else None, fault.message)
            return None


class CorrectionForm(BookingForm):
    field_order = ("act", "amount_usd", "note")

    act = forms.ChoiceField(label="What to book", choices=_ACTS, widget=Select)

    def __init__(self, data: QueryDict | None) -> None:
        super().__init__(data)
        self.fields[
            "amount_usd"
        ].help_text = "Of a correction, by the price list: the team is charged by its factor."
        self.fields["note"].help_text = "Stands in the ledger and on the receipt, which the team can read."

    def save(self, entry: LedgerEntry) -> LedgerEntry | None:
        act = self.data.get("act")
        if act == _REFUND:
            return self.book(refund, entry=entry)
        return self.book(correct, entry=entry, is_operators=act == _OF_OPERATOR)


def may_correct(request: HttpRequest) -> bool:
    return request.user.has_perm(CORRECT)


def show_correction(model_admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    """Raises Http404, PermissionDenied."""
    if not may_correct(request) or not model_admin.has_view_permission(request):
        raise PermissionDenied
    entry = get_object_or_404(LedgerEntry.objects.attempts(), pk=pk)
    form = CorrectionForm(request.POST or None)
    back = reverse("admin:accounts_ledgerentry_change", args=[entry.pk])
    if request.method == "POST" and (made := form.save(entry)):
        charged = write_exactly(made.charged_usd)
        messages.success(request, f"Booked: the team is charged {charged} USD by a new entry.")
        return HttpResponseRedirect(back)
    net = net_of(entry)
    context = model_admin.admin_site.each_context(request) | {
        "title": f"Put right what {entry.request_id} cost",
        "opts": model_admin.opts,
        "entry": entry,
        "form": form,
        "back": back,
        "charged": write_exactly(usd_of(net.charge)),
        "borne": write_exactly(usd_of(net.loss)),
    }
    return TemplateResponse(request, "admin/accounts/correction.html", context)
