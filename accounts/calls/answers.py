"""The log as views answer it, for a team's people and for staff alike."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.calls.finding import sought
from accounts.calls.log import read_log, read_news
from accounts.models import Team
from gateway.core.refusals import InvalidField


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the log is looked at: the names of its addresses; `shows_team` where it is of several."""

    template: str
    page: str
    news: str
    receipt: str
    shows_team: bool = False


def show_log(
    request: HttpRequest,
    desk: Desk,
    team: Team | None,
    teams: list[int] | None,
    context: dict[str, object] | None = None,
) -> HttpResponseBase:
    """What cannot be asked is named; `q` leads to a request of any of `teams` (None: of all)."""
    problem, asked = "", request.GET.get("q", "").strip()
    if asked:
        try:
            return redirect(desk.receipt, sought(asked, teams))
        except InvalidField as fault:
            problem = fault.message
    if clean := _without_empty(request):
        return redirect(f"{request.path}?{clean}")
    found = read_log(request.GET, team)
    told: dict[str, object] = {
        "team": team,
        "log": found,
        "sought": asked,
        "problem": problem or found.problem,
        "page": reverse(desk.page),
        "news": reverse(desk.news),
        "receipt_page": desk.receipt,
        "shows_team": desk.shows_team,
    }
    status = 404 if problem else 400 if found.problem else 200
    return render(request, desk.template, (context or {}) | told, status=status)


def show_news(request: HttpRequest, desk: Desk, team: Team | None) -> HttpResponse:
    """The rows that came since a page, or since the news before; 304 where they are the same again."""
    try:
        found = read_news(request.GET, team)
    except InvalidField as fault:
        return HttpResponse(fault.message, status=400, content_type="text/plain; charset=utf-8")
    if request.headers.get("If-None-Match") == found.etag:
        answer: HttpResponse = HttpResponseNotModified()
    else:
        context = {"rows": found.rows, "receipt_page": desk.receipt, "shows_team": desk.shows_team}
        answer = render(request, "requests/rows.html", context)
    answer["ETag"], answer["X-Next"] = found.etag, found.next
    return answer


def _without_empty(request: HttpRequest) -> str:
    """The query without what says nothing, as forms send it; empty where all of it says something."""
    pairs = [(name, value) for name, values in request.GET.lists() for value in values]
    kept = [(name, value) for name, value in pairs if value.strip()]
    return urlencode(kept) if kept and len(kept) < len(pairs) else ""
