"""The overview of a team, its sheet, and the first steps of a team that has called nothing yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from accounts.acting import Acting
from accounts.models import Team
from accounts.rights import Right
from accounts.usage.answers import told_to, write_instant
from accounts.usage.reader import Row, one_instant
from accounts.usage.sheet import send_sheet
from catalogue.published.reading import read_now
from gateway.boot.greeting import curl_line
from gateway.core.links import base_url_of
from gateway.portal.acting import acting, acting_everywhere, choose
from gateway.portal.eyes.permitted import ANY_MODEL
from gateway.portal.keys.forms import KeyForm
from gateway.portal.listing import why_stopped
from gateway.portal.overview.budgets import bars_of
from gateway.portal.overview.chart import chart_data, columns_of, lines_of, total_of
from gateway.portal.overview.figures import HEIGHT, WIDTH, figures_of, write_spread
from gateway.portal.overview.filters import form_of
from gateway.portal.overview.medians import Spreads, read_spreads
from gateway.portal.overview.notices import SHOWN, notices_of, used_lately, watched
from gateway.portal.overview.periods import Span, span_of
from gateway.portal.overview.question import SPLITS, Asked, Fault, read_question, settled
from gateway.portal.overview.start import Start, has_begun, start_of
from gateway.portal.overview.switches import chips_of, switches_of
from gateway.portal.overview.usage import Used, find_used, put_together, question_of

_CHART = "HX-Request"
_WHOLE = "HX-History-Restore-Request"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("portal:overview" if request.user.is_authenticated else "account_login")


@never_cache
@login_required
@require_safe
@gzip_page
def overview(request: HttpRequest) -> HttpResponse:
    """400 where a parameter could not be used, with the page by the others. htmx gets what switches change; what a form
    sent is written as links write it.
    """
    if (query := settled(request.GET)) is not None:
        return redirect(f"{request.path}?{query}")
    everywhere = acting_everywhere(request)
    if not everywhere:
        return render(request, "portal/no_team.html")
    here = choose(request, everywhere)
    asked, faults = _asked(request, here.team)
    is_part = _CHART in request.headers and _WHOLE not in request.headers
    context = {"team": here.team, "rights": here.rights, "faults": faults}
    context |= _part(asked) if is_part else _whole(request, here, asked)
    template = "portal/overview_usage.html" if is_part else "portal/overview.html"
    # htmx shows nothing of a refusal.
    response = render(request, template, context, status=400 if faults and not is_part else 200)
    patch_vary_headers(response, [_CHART])
    return response


@never_cache
@login_required
@require_safe
def sheet(request: HttpRequest) -> HttpResponseBase:
    """The same numbers, of all groups and steps. Raises BadRequest."""
    here = acting(request)
    asked, faults = _asked(request, here.team)
    if faults:
        raise BadRequest(" ".join(fault.message for fault in faults))
    question = question_of(asked, _span(asked))
    return send_sheet(question, [asked.by] if asked.column else [], told_to(is_operator=False))


@never_cache
@login_required
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The steps, for whoever waits for them to be done; 204 while no more are than `done` says."""
    here = acting(request)
    steps = start_of(here.team)
    if request.GET.get("done") == str(steps.done):
        return HttpResponse(status=204)
    return render(request, "portal/overview_start.html", _start(request, here, steps))


def _asked(request: HttpRequest, team: Team) -> tuple[Asked, Sequence[Fault]]:
    today = timezone.now().astimezone(ZoneInfo(team.usage_zone)).date()
    return read_question(request.GET, team, today)


def _span(asked: Asked) -> Span:
    return span_of(asked.period, asked.team.usage_zone, timezone.now().timestamp())


def _read(asked: Asked, span: Span, at: datetime) -> tuple[Used, Sequence[Row]]:
    """What is asked for, and what was used lately."""
    with one_instant(asked.team.pk, asked.team) as reader:
        found = find_used(reader, asked, span)
        lately = reader.read(used_lately(asked.team.pk, at))
    return put_together(asked, span, found), lately


def _part(asked: Asked) -> dict[str, Any]:
    used, lately = _read(asked, _span(asked), timezone.now())
    return _usage(asked, used, lately)


def _whole(request: HttpRequest, here: Acting, asked: Asked) -> dict[str, Any]:
    """With budgets and notices; of a team that has called nothing ever, with its first steps."""
    span, reading = _span(asked), read_now()
    watch = watched(here, reading)
    used, lately = _read(asked, span, reading.at)
    is_new = not (used.total["calls"] or used.before["calls"] or lately or has_begun(here.team))
    notices = notices_of(here, reading, watch, lately)
    context = _usage(asked, used, lately) | {
        "bars": bars_of(here.team, reading.at.timestamp()),
        "notices": notices[:SHOWN],
        "more_notices": max(0, len(notices) - SHOWN),
        "why_stopped": why_stopped(here.team),
    }
    return context | _start(request, here, start_of(here.team)) if is_new else context


def _usage(asked: Asked, used: Used, lately: Sequence[Row]) -> dict[str, Any]:
    spreads = read_spreads(asked, used)
    return {
        "asked": asked,
        "used": used,
        "figures": figures_of(asked, used, spreads),
        "spread": _spread_text(asked, spreads),
        "spark": {"width": WIDTH, "height": HEIGHT},
        "switches": switches_of(asked),
        "form": form_of(asked, lately),
        "chips": chips_of(asked),
        "chart": chart_data(asked, used),
        "columns": columns_of(asked),
        "lines": lines_of(asked, used),
        "total": total_of(asked, used),
        "split": SPLITS[asked.by],
        "api": asked.for_api(write_instant(used.span.low), write_instant(used.span.high), used.span.zone),
    }


def _spread_text(asked: Asked, spreads: Spreads) -> str:
    """Of the measure that the chart shows, where there is one."""
    spread = spreads.now.get(asked.measure.name)
    if spread is None:
        return ""
    return f"{asked.measure.write(spread.median).text} {write_spread(asked.measure, spread)}"


def _start(request: HttpRequest, here: Acting, steps: Start) -> dict[str, Any]:
    curl = curl_line(base_url_of(request), None, model=ANY_MODEL)
    makes_key = here.may(Right.CALL) and not steps.has_key
    first_key = KeyForm(None, acting=here) if makes_key else None
    return {"team": here.team, "rights": here.rights, "curl": curl, "steps": steps, "first_key": first_key}
