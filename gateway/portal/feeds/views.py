"""The page of feeds: addresses to subscribe to, and the team's keys for them."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.acting import Acting, check_may_issue
from accounts.models import Key, Team
from accounts.rights import Right
from accounts.shown_once import ShownSecret, keep_secret, take_secret
from catalogue.published.reading import read_now
from gateway.core.links import origin_of
from gateway.core.refusals import InvalidField, Refused
from gateway.portal.acting import acting, checked
from gateway.portal.feeds.addresses import feed_lines
from gateway.portal.feeds.forms import FeedKeyForm, NarrowForm
from gateway.portal.listing import PAGE_SIZE, keys_of, row_of, why_stopped


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def feeds(request: HttpRequest) -> HttpResponse:
    """Who belongs to the team looks; POST makes a key for feeds."""
    here = acting(request)
    if request.method == "POST":
        checked(here, Right.CALL)
    form = FeedKeyForm(request.POST if request.method == "POST" else None, acting=here)
    if request.method == "POST" and form.is_valid() and _issue(request, here, form):
        return redirect(_same_page(request, here.team))
    team = here.team
    narrow = NarrowForm(request.GET, reading=read_now())
    keys = keys_of(team).filter(scope=Key.Scope.FEED)
    page = Paginator(keys, PAGE_SIZE).get_page(request.GET.get("page"))
    at, new = timezone.now(), _new_key(request, here)
    context = {
        "team": team,
        "rights": here.rights,
        "is_open": team.state is Team.State.ACTIVE,
        "why_stopped": why_stopped(team),
        "new": new,
        "feeds": list(feed_lines(origin_of(request), narrow.chosen, new.text if new else "")),
        "narrow": narrow,
        "page": page,
        "rows": [row_of(key, at, here) for key in page],
        "form": form,
        "scopes": ["feed"],
    }
    return render(request, "portal/feeds.html", context)


def _new_key(request: HttpRequest, here: Acting) -> ShownSecret | None:
    # A HEAD request shows nobody anything, so it must not use up the one look.
    if request.method != "GET" or here.is_viewing_as:
        return None
    return take_secret(request.session, team=here.team, is_for_feeds=True)


def _issue(request: HttpRequest, here: Acting, form: FeedKeyForm) -> bool:
    """False where it cannot be, which the form says."""
    if stopped := why_stopped(here.team):
        form.add_error(None, stopped)
        return False
    terms = form.terms()
    try:
        check_may_issue(here, terms)
        key, text = services.issue_key(team=here.team, created_by=here.person, **terms)
    except (InvalidField, Refused) as refusal:
        form.add_error(None, refusal.message)
        return False
    keep_secret(request.session, key, text)
    return True


def _same_page(request: HttpRequest, team: Team) -> str:
    """Narrowed as it was, at the new key."""
    asked = request.GET.copy()
    asked["team"] = team.slug
    return f"{reverse('portal:feeds')}?{asked.urlencode()}#new"
