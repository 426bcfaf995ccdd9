"""Removing a limit."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.limiting import remove_limit
from accounts.models import Limit
from accounts.subject_rows import Owner
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting
from gateway.portal.ending import Ending, ask_first, at_stake
from gateway.portal.limits.lines import limit_text
from gateway.portal.subjects import changeable, name_owner, page_after


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    """Asks first; POST removes it, and leads back to the page that shows it."""
    limit = changeable(request, Limit.objects.all(), id)
    back = page_after(request, limit)
    if request.method != "POST":
        return _ask(request, limit, back)
    try:
        remove_limit(limit=limit)
    except InvalidField as fault:
        messages.error(request, fault.message)
    else:
        messages.success(request, f"{limit_text(limit)} is removed. Calls go on without it within a second.")
    return redirect(back)


def _ask(request: HttpRequest, limit: Limit, back: str) -> HttpResponse:
    whose = name_owner(limit.subject_row)
    says = [
        "Within a second calls go on without this limit. Others that apply to them, and budgets, still count.",
        "Nothing that was counted is lost.",
    ]
    ending = Ending(
        f"Remove the limit of {limit_text(limit)}?",
        says,
        f"Remove {limit_text(limit)}",
        back,
        call="limit_destroy",
        ids=[limit.pk],
        key=str(request.GET.get("key", "")),
        facts=[("Whose", whose), *at_stake(cast("Owner", limit.subject_row))],
    )
    return ask_first(request, acting(request).team, ending)
