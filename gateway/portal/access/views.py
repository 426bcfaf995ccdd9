"""Access requests of a team: asking for more, and the list of what was asked with what was decided."""

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access_requests as services
from accounts.acting import Acting
from accounts.models import AccessRequest, Team
from accounts.rights import Right
from gateway.core.reader import current
from gateway.core.refusals import InvalidField, Refused
from gateway.portal.access.forms import FILLED_IN, FORMS, DecisionForm
from gateway.portal.acting import acting, acting_with, person_of
from gateway.portal.ending import Ending, ask_first
from gateway.public.management_calls import ASKED

_PAGE = 50
_TONES = {"open": "info", "granted": "good", "declined": "bad"}


@never_cache
@login_required
@require_safe
def access_requests(request: HttpRequest) -> HttpResponse:
    """One's own, or for those who decide all of the team."""
    here = acting(request)
    page = Paginator(_rows(here), _PAGE).get_page(request.GET.get("page"))
    context = {
        "team": here.team,
        "rights": here.rights,
        "page": page,
        "lines": [_line(each, here) for each in page],
        "kinds": [(kind, AccessRequest.Kind(kind).label.lower()) for kind in FORMS],
    }
    return render(request, "portal/access_requests.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """`kind` says for what; other parameters fill the form in, such as `row` of a limit or a budget."""
    here = acting_with(request, Right.ASK)
    kind = request.GET.get("kind", "")
    if kind not in FORMS:
        raise Http404("There is no such kind of request.")
    named = {name: value for name, value in request.GET.dict().items() if name in FILLED_IN}
    form = FORMS[kind](request.POST if request.method == "POST" else None, acting=here, named=named)
    if form.is_valid() and (made := form.save()):
        who = "an owner or admin of the team" if made.decider == AccessRequest.Decider.TEAM else "staff"
        messages.success(request, f"Asked. {who.capitalize()} will decide, and you are told by mail.")
        return redirect(_address(here.team))
    context = {
        "team": here.team,
        "form": form,
        "kind": kind,
        "label": AccessRequest.Kind(kind).label.lower(),
        "back": _address(here.team),
        "sample": {"kind": kind, "asked": ASKED[kind]},
    }
    return render(request, "portal/ask.html", context)


@never_cache
@login_required
@require_POST
def decide(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    here, found = _found(request, id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say whether you grant or decline it, in at most 1,000 characters.")
        return redirect(_address(here.team))
    grants, note = form.cleaned_data["decision"] == "grant", form.cleaned_data["note"]
    try:
        services.decide(request=found, grants=grants, by=here, note=note)
    except (InvalidField, Refused) as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{'Granted' if grants else 'Declined'}: {found.summary}.")
    return redirect(_address(here.team))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Asks first; after POST nobody decides it any more."""
    here, found = _found(request, id)
    if request.method != "POST":
        says = ["Nobody decides it any more. Nothing else changes, and you can ask again."]
        return _ask_whether(request, found, act="Withdraw", call="access_request_destroy", says=says)
    try:
        services.withdraw(request=found, person=person_of(request))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"Withdrawn: {found.summary}.")
    return redirect(_address(here.team))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Asks first; POST takes back what was granted."""
    here, found = _found(request, id)
    if request.method != "POST":
        says = [
            "What it granted is taken back within a second: calls and pages that need it are refused from then on.",
            "It is not given back by itself: somebody has to ask for it again.",
        ]
        return _ask_whether(request, found, act="End", call="access_request_end", says=says)
    try:
        services.end(request=found, by=here)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"Ended: {found.summary}. Calls obey within a second.")
    return redirect(_address(here.team))


def _ask_whether(
    request: HttpRequest, found: AccessRequest, *, act: str, call: str, says: Sequence[str]
) -> HttpResponse:
    team = acting(request).team
    facts = [("Asked by", str(found.person)), ("State", found.get_state_display().lower())]
    if found.until:
        facts.append(("Ends by itself", current().write_instant(found.until)))
    ending = Ending(
        f"{act} “{found.summary}”?",
        says,
        f"{act} it",
        _address(team),
        call=call,
        ids=[found.public_id],
        facts=facts,
    )
    return ask_first(request, team, ending)


def _rows(here: Acting) -> QuerySet[AccessRequest]:
    rows = here.team.access_requests.of_members().select_related("person", "decided_by")
    return rows if here.may(Right.DECIDE) else rows.filter(person=here.person)


def _found(request: HttpRequest, text: str) -> tuple[Acting, AccessRequest]:
    """Raises Http404, PermissionDenied."""
    here = acting_with(request, Right.ASK)
    # PostgreSQL fails on a NUL.
    return here, get_object_or_404(_rows(here), public_id=text if text.isprintable() else "")


def _line(row: AccessRequest, here: Acting) -> dict[str, object]:
    is_own = here.person is not None and row.person_id == here.person.pk
    is_teams = row.decider == AccessRequest.Decider.TEAM
    decides = here.may(Right.DECIDE) and is_teams and not is_own
    is_open, is_granted = row.state == AccessRequest.State.OPEN, row.state == AccessRequest.State.GRANTED
    return {
        "row": row,
        "tone": _TONES.get(row.state, "neutral"),
        "may_decide": is_open and decides,
        "may_withdraw": is_open and is_own,
        "may_end": is_granted and (is_own or decides),
        "is_staffs": is_open and not is_teams,
    }


def _address(team: Team) -> str:
    return f"{reverse('portal:access-requests')}?team={team.slug}"
