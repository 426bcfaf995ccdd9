"""The receipt of one call."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Key
from accounts.receipts import read_receipt
from gateway.portal.acting import teams_here


@never_cache
@login_required
@require_safe
def receipt(request: HttpRequest, request_id: str) -> HttpResponse:
    """Of a request of any of the person's teams; else 404."""
    teams = [team.pk for team in teams_here(request)]
    found = read_receipt(request_id, teams)
    if found is None:
        raise Http404("None of your teams made that request.")
    key = Key.objects.filter(pk=found.first.key_id).first()
    return render(request, "portal/receipt.html", {"receipt": found, "key": key})
