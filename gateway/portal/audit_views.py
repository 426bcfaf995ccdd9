"""What was done in a team, for those of it who may know: a page that is narrowed as the API is, and a file."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.auditing.exporting import send_lines
from accounts.auditing.filters import BOUNDS, LISTS, read_cursor, read_filters
from accounts.auditing.telling import tell_all
from accounts.management_view import joined_lists
from accounts.models import AuditEntry
from accounts.rights import Right
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting_everywhere, acting_with

_PAGE = 50


@never_cache
@login_required
@require_safe
def entries(request: HttpRequest) -> HttpResponseBase:
    """The newest first. What cannot be asked for is named, and the rest is shown."""
    here = acting_with(request, Right.AUDIT)
    asked = joined_lists(request.GET)
    shown, problem, status = AuditEntry.objects.filter(team=here.team), "", 200
    try:
        shown = read_filters(asked).narrow(shown)
        if "after" in asked:
            shown = shown.before(read_cursor("after", asked["after"]))
    except InvalidField as fault:
        shown, problem, status = shown.none(), fault.message, 400
    if asked.get("format") == "jsonl" and not problem:
        audit.record_event("audit.exported", team=here.team, row=here.team)
        return send_lines(shown)
    found = list(shown.newest_first()[: _PAGE + 1])
    page = found[:_PAGE]
    kept = {name: asked[name] for name in (*LISTS, *_BOUND_NAMES) if asked.get(name)} | {
        "team": here.team.slug
    }
    context: dict[str, Any] = {
        "team": here.team,
        "teams": [each.team for each in acting_everywhere(request) if each.may(Right.AUDIT)],
        "lines": list(zip(page, tell_all(page), strict=True)),
        "asked": {name.translate(_PLAIN): value for name, value in kept.items()},
        "query": urlencode(kept),
        "older": page[-1].pk if len(found) > _PAGE else None,
        "problem": problem,
    }
    return _rendered(request, context, status)


_BOUND_NAMES = tuple(f"effective_at[{bound}]" for bound in BOUNDS)
_PLAIN = str.maketrans({"[": "_", "]": ""})
"""Templates cannot say brackets."""


def _rendered(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    return render(request, "portal/audit.html", context, status=status)
