"""Setting limits of a key or a team, and removing them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.limiting import remove_limit
from accounts.models import Limit
from gateway.core.refusals import InvalidField
from gateway.portal.limits import LimitForm
from gateway.portal.subjects import changeable, page_after
from gateway.portal.views import save_of_key


@never_cache
@login_required
@require_POST
def set_of_key(request: HttpRequest, public_id: str) -> HttpResponse:
    return save_of_key(request, public_id, limit_form=LimitForm(request.POST))


@never_cache
@login_required
@require_POST
def remove(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    """Back to the page that shows it."""
    limit = changeable(request, Limit.objects.all(), id)
    back = page_after(request, limit)
    try:
        remove_limit(limit=limit)
    except InvalidField as fault:
        messages.error(request, fault.message)
    else:
        messages.success(request, f"{limit} is removed. Calls go on without it within a second.")
    return redirect(back)
