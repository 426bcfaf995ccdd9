"""Setting budgets of a key, and a budget's own page: changing it, raising it for a while, removing it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.budgeting import end_raise, remove_budget
from accounts.models import Budget
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting
from gateway.portal.budget_forms import BudgetForm, ChangeBudgetForm, RaiseForm
from gateway.portal.budgets import budget_line
from gateway.portal.subjects import changeable, page_after
from gateway.portal.views import SAVED, save_of_key


@never_cache
@login_required
@require_POST
def set_of_key(request: HttpRequest, public_id: str) -> HttpResponse:
    return save_of_key(request, public_id, budget_form=BudgetForm(request.POST))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def budget(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    """`form` says which is sent: `terms` or `raise`."""
    found = _changeable(request, id)
    wanted = str(request.POST.get("form", "")) if request.method == "POST" else ""
    terms = ChangeBudgetForm(request.POST if wanted == "terms" else None, budget=found)
    more = RaiseForm(request.POST if wanted == "raise" else None)
    saved = (terms.is_valid() and terms.save()) or (more.is_valid() and more.save(found))
    if saved:
        messages.success(request, SAVED)
        return redirect(page_after(request, found))
    # A form has put into it what cannot be.
    found = _changeable(request, id)
    context = {
        "budget": found,
        "line": budget_line(found),
        "terms": terms,
        "raise_form": more,
        "is_raised": bool(found.raise_usd),
        "team": acting(request).team,
        "back": page_after(request, found),
        "key": request.POST.get("key") or request.GET.get("key") or "",
    }
    return render(request, "portal/budget.html", context)


@never_cache
@login_required
@require_POST
def stop_raise(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    found = _changeable(request, id)
    end_raise(budget=found)
    messages.success(request, f"{found} is not raised any more. Calls obey within a second.")
    return redirect(page_after(request, found))


@never_cache
@login_required
@require_POST
def remove(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    found = _changeable(request, id)
    back = page_after(request, found)
    try:
        remove_budget(budget=found)
    except InvalidField as fault:
        messages.error(request, fault.message)
    else:
        messages.success(request, f"{found} is removed. Calls go on without it within a second.")
    return redirect(back)


def _changeable(request: HttpRequest, text: str) -> Budget:
    found: Budget = changeable(request, Budget.objects.all(), text)
    return found
