"""The page on which staff try other weights of a named route on recent calls, before they save them."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.measures import write_exactly
from catalogue.facts import RouteMember
from catalogue.models import Route
from catalogue.models.route_member import TIER_MOST, WEIGHT_MOST, faults_of
from catalogue.published.route_record import conditions_in_words
from gateway.core.admin_base import TextInput
from gateway.ops.route_trial import MOST_CALLS, RouteTrial, members_of, try_route, weighed

_RIGHTS = ("catalogue.view_route", "accounts.view_ledgerentry")
_DAYS_MOST = 30


class MemberTrialForm(forms.Form):
    weight = forms.IntegerField(label="Weight", min_value=0, max_value=WEIGHT_MOST, widget=TextInput)
    tier = forms.IntegerField(label="Tier", min_value=0, max_value=TIER_MOST, widget=TextInput)
    canary_percent = forms.IntegerField(
        label="Canary", min_value=1, max_value=99, required=False, widget=TextInput
    )


class DaysForm(forms.Form):
    days = forms.IntegerField(
        label="Days",
        min_value=1,
        max_value=_DAYS_MOST,
        initial=7,
        widget=TextInput,
        help_text=f"Calls of so many days, the newest {MOST_CALLS:,}.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def show_trial(request: HttpRequest, pk: int) -> HttpResponse:
    """POST tries; nothing is saved. Raises PermissionDenied, Http404."""
    if not request.user.has_perms(_RIGHTS):
        raise PermissionDenied
    route = get_object_or_404(Route.objects.complete(), pk=pk)
    members = members_of(route)
    given = request.POST if request.method == "POST" else None
    days = DaysForm(given)
    forms_of = [_form_of(place, member, given) for place, member in enumerate(members)]
    told: dict[str, Any] = {
        "title": f"Try {route.public_id} on recent calls",
        "route": route,
        "days": days,
        "lines": list(_lines(members, forms_of)),
    }
    if given is not None and all([days.is_valid(), *(form.is_valid() for form in forms_of)]):
        tried = weighed(members, {place: _said(form) for place, form in enumerate(forms_of)})
        if faults := _faults(route, tried):
            told["faults"] = faults
        else:
            trial = try_route(route, tried, at=timezone.now(), days=days.cleaned_data["days"])
            told |= {"trial": trial, "rows": _rows(trial), **_sums(trial)}
    context = admin.site.each_context(request) | told
    return TemplateResponse(request, "admin/catalogue/route_trial.html", context)


def _form_of(place: int, member: RouteMember, given: Any) -> MemberTrialForm:
    initial = {name: getattr(member, name) for name in ("weight", "tier", "canary_percent")}
    form = MemberTrialForm(given, prefix=f"member-{place}", initial=initial)
    for field in form.fields.values():
        field.widget.attrs["aria-label"] = f"{field.label} of {member.model_id}"
    return form


def _said(form: MemberTrialForm) -> tuple[int, int, int | None]:
    given = form.cleaned_data
    return given["weight"], given["tier"], given["canary_percent"]


def _lines(members: Sequence[RouteMember], forms_of: Sequence[MemberTrialForm]) -> Iterator[dict[str, Any]]:
    for member, form in zip(members, forms_of, strict=True):
        calls = conditions_in_words(member) or "for every call"
        yield {"member": member, "form": form, "calls": calls}


def _faults(route: Route, tried: Sequence[RouteMember]) -> Sequence[str]:
    """What the route's own page would say of them."""
    rows = list(route.members.all())
    for row, member in zip(rows, tried, strict=True):
        row.weight, row.tier, row.canary_percent = member.weight, member.tier, member.canary_percent
    return list(faults_of(rows))


def _rows(trial: RouteTrial) -> Sequence[dict[str, Any]]:
    return [
        {
            "model": share.model,
            "provider": share.provider,
            "calls": f"{share.calls:,}",
            "cost": write_exactly(share.cost_usd),
            "calls_then": f"{share.calls_then:,}",
            "cost_then": write_exactly(share.cost_then_usd),
        }
        for share in trial.in_order
    ]


def _sums(trial: RouteTrial) -> dict[str, Any]:
    more = trial.cost_then_usd - trial.cost_usd
    return {
        "cost": write_exactly(trial.cost_usd),
        "cost_then": write_exactly(trial.cost_then_usd),
        "more": f"{'+' if more > 0 else ''}{write_exactly(more)}",
        "left": list(trial.left.items()),
        "refused": list(trial.refused.items()),
    }
