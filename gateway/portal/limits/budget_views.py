"""A budget's own page: changing it, raising it for a while, removing it."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.budgeting import end_raise, remove_budget
from accounts.models import Budget
from accounts.subject_rows import Owner
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting
from gateway.portal.ending import Ending, ask_first, at_stake
from gateway.portal.limits.budget_forms import ChangeBudgetForm, RaiseForm
from gateway.portal.limits.budgets import budget_lines, budget_text
from gateway.portal.limits.lines import SAVED
from gateway.portal.sent import Sent
from gateway.portal.subjects import changeable, page_after


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def budget(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    """`form` says which is sent: `terms` or `raise`."""
    here, found = acting(request), _changeable(request, id)
    sent = Sent(request)
    terms = ChangeBudgetForm(sent.to("terms"), budget=found)
    more = RaiseForm(sent.to("raise"))
    saved = (terms.is_valid() and terms.save()) or (more.is_valid() and more.save(found))
    if saved:
        messages.success(request, SAVED)
        return redirect(page_after(request, found))
    # A form has put into it what cannot be.
    found = _changeable(request, id)
    context = {
        "budget": found,
        "line": budget_lines([found], here)[0],
        "terms": terms,
        "raise_form": more,
        "is_raised": bool(found.raise_usd),
        "team": here.team,
        "back": page_after(request, found),
        "key": request.POST.get("key") or request.GET.get("key") or "",
    }
    return render(request, "portal/budget.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def stop_raise(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Asks first; POST takes back what it was raised by."""
    found = _changeable(request, id)
    if request.method != "POST":
        return _ask_whether_raised(request, found)
    end_raise(budget=found)
    messages.success(request, f"{budget_text(found)} is not raised any more. Calls obey within a second.")
    return redirect(page_after(request, found))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Asks first; POST removes it, and leads back to the page that shows it."""
    found = _changeable(request, id)
    back = page_after(request, found)
    if request.method != "POST":
        return _ask(request, found, back)
    try:
        remove_budget(budget=found)
    except InvalidField as fault:
        messages.error(request, fault.message)
    else:
        messages.success(request, f"{budget_text(found)} is removed. Calls go on without it within a second.")
    return redirect(back)


def _ask_whether_raised(request: HttpRequest, budget: Budget) -> HttpResponse:
    here = acting(request)
    line = budget_lines([budget], here)[0]
    refuses = (
        "calls are refused until it begins anew" if budget.refuses else "calls go on, and people are told"
    )
    says = [
        f"Within a second “{line.whose}” has {line.amount} again, no more. Where more than that is spent, {refuses}.",
        "It can be raised again.",
    ]
    ending = Ending(
        f"End the raise of {line.amount}?",
        says,
        "End the raise",
        page_after(request, budget),
        call="budget_end_raise",
        ids=[budget.pk],
        key=str(request.GET.get("key", "")),
        facts=[("Whose", line.whose), ("Spent of it", line.spent), ("Left with the raise", line.free)],
    )
    return ask_first(request, here.team, ending)


def _ask(request: HttpRequest, budget: Budget, back: str) -> HttpResponse:
    here = acting(request)
    line = budget_lines([budget], here)[0]
    says = [
        "Within a second calls go on without this budget, whatever they cost.",
        "Other budgets and limits that apply to them still count.",
        "What was spent stays in the ledger, in usage and in statements.",
    ]
    ending = Ending(
        f"Remove the budget of {line.amount}?",
        says,
        f"Remove {line.amount}",
        back,
        call="budget_destroy",
        ids=[budget.pk],
        key=str(request.GET.get("key", "")),
        facts=[
            ("Whose", line.whose),
            ("Spent of it", line.spent),
            ("Left", line.free),
            *at_stake(cast("Owner", budget.subject_row)),
        ],
    )
    return ask_first(request, here.team, ending)


def _changeable(request: HttpRequest, text: str) -> Budget:
    found: Budget = changeable(request, Budget.objects.all(), text)
    return found
