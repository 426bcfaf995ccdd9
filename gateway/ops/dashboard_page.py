"""The dashboard of staff: what all teams use, and what waits for somebody. Each part by the right to what it is of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import AccessRequest, Budget
from accounts.usage.rollups import UTC_ZONE
from accounts.usage.times import WHOLE_MONTH
from gateway.core.locales import write_day, write_month
from gateway.core.reader import current
from gateway.ops.dashboard import (
    MEASURES,
    PERIODS,
    SPLITS,
    Asked,
    Figures,
    Parts,
    Step,
    budgets_queue,
    read_figures,
    requests_queue,
)
from gateway.portal.overview.chart import chart_of_one
from gateway.portal.overview.figures import compare, write_spread
from gateway.portal.overview.measures import Measure
from gateway.public.amounts import Amount
from gateway.web.admin_site import OF_DASHBOARD, may_view
from providers.models import Incident

_KEPT_S = 30
_BEFORE = "the time before"
_OPEN_MOST = 20
_KNOWN: Mapping[str, Mapping[str, Any]] = {"period": PERIODS, "by": SPLITS, "measure": MEASURES}


@require_safe
def show_dashboard(request: HttpRequest) -> HttpResponse:
    """400 where a parameter could not be used, with the page by the others. Raises PermissionDenied."""
    seen = [part for part in OF_DASHBOARD if may_view(request, part)]
    if not seen:
        raise PermissionDenied
    asked, faults = read_asked(request.GET)
    at = timezone.now()
    context: dict[str, Any] = admin.site.each_context(request) | {"title": "Dashboard", "faults": faults}
    if "accounts.ledgerentry" in seen:
        key = f"dashboard-{urlencode(asdict(asked))}"
        figures: Figures = cache.get_or_set(key, lambda: read_figures(asked, at), _KEPT_S)  # type: ignore[assignment]
        context |= _told(asked, figures)
    if "accounts.budget" in seen:
        context["budgets"] = budgets_queue(_rows(request, Budget), at)
    if "accounts.accessrequest" in seen:
        context["requests"] = requests_queue(_rows(request, AccessRequest))
    if "providers.incident" in seen:
        context["incidents"] = _open_incidents(_rows(request, Incident), at)
        context["sees_incidents"] = True
    return TemplateResponse(request, "admin/dashboard.html", context, status=400 if faults else 200)


def read_asked(query: QueryDict) -> tuple[Asked, Sequence[str]]:
    """What the address asks for, and what of it could not be used, in sentences."""
    usual = asdict(Asked())
    faults = [f"{name[:40]!r} is no parameter of this page." for name in query if name not in usual]
    for name, known in _KNOWN.items():
        word = query.get(name)
        if word in known:
            usual[name] = word
        elif word is not None:
            faults.append(f"{name} is {str(word)[:40]!r}; use any of {', '.join(known)}.")
    return Asked(**usual), faults


def _told(asked: Asked, figures: Figures) -> dict[str, Any]:
    measure = MEASURES[asked.measure]
    return {
        "asked": asked,
        "figures": figures,
        "measure": measure,
        "period": PERIODS[asked.period],
        "by": SPLITS[asked.by][0],
        "switches": list(_switches(asked)),
        "tiles": [_tile(each, figures) for each in MEASURES.values()],
        "chart": _chart(asked, figures),
        "steps": [(when(step), measure.write(measure.value(step.used))) for step in figures.steps],
        "columns": [each.label for each in MEASURES.values()],
        "lines": [
            {
                "name": line.name,
                "amounts": [each.write(each.value(line.parts.now)) for each in MEASURES.values()],
                "change": _change(measure, line.parts),
            }
            for line in figures.lines
        ],
        "log": _log_address(),
    }


def _switches(asked: Asked) -> Iterator[tuple[str, Sequence[tuple[str, str, bool]]]]:
    """What each is for; the label and the address of each choice, and whether it is that."""
    for name, title in (("period", "Period"), ("measure", "Measure"), ("by", "Split by")):
        chosen = asdict(asked)[name]
        yield (
            title,
            [
                (_label(each), f"?{urlencode(asdict(replace(asked, **{name: word})))}", word == chosen)
                for word, each in _KNOWN[name].items()
            ],
        )


def _label(choice: Any) -> str:
    return choice[0] if isinstance(choice, tuple) else str(choice.label)


def _tile(measure: Measure, figures: Figures) -> dict[str, Any]:
    """Of times the median, where enough calls were looked at for one; what is compared are averages."""
    parts = figures.parts
    average, change = measure.write(measure.value(parts.now)), _change(measure, parts)
    told = {"label": measure.label, "amount": average, "aside": "", "change": change}
    if spread := figures.spreads.get(measure.name):
        told["amount"] = Amount(measure.write(spread.median).text, f"{average.text} on average")
        told["aside"] = write_spread(measure, spread)
        told["change"] = f"on average {average.text}, {change}"
    return told


def _change(measure: Measure, parts: Parts) -> str:
    """Against as long a time before, in words."""
    return compare(measure, measure.value(parts.whole), measure.value(parts.before), _BEFORE)


def _chart(asked: Asked, figures: Figures) -> Mapping[str, Any]:
    measure, period = MEASURES[asked.measure], PERIODS[asked.period]
    steps = [(int(step.begins.timestamp()), step.used) for step in figures.steps]
    # What is each team's own is of no zone: it is labelled as that of UTC is.
    zone = UTC_ZONE if figures.steps[0].is_own else str(current().zone)
    return chart_of_one(measure, "All teams", steps, period.bucket, zone)


def when(step: Step) -> str:
    """What is each team's own is of no zone."""
    here = current()
    if not step.is_own:
        return here.write_instant(step.begins)
    return (write_month if step.bucket == WHOLE_MONTH else write_day)(step.begins.date(), here.locale)


def _rows(request: HttpRequest, model: type[Model]) -> Any:
    """Those that the person's lists of them have."""
    return admin.site._registry[model].get_queryset(request)


def _open_incidents(rows: QuerySet[Incident], at: datetime) -> Sequence[Incident]:
    found = rows.exclude(ended_at__lte=at).filter(began_at__lte=at).order_by("-began_at")
    return list(found.select_related("provider", "offering__model", "offering__provider")[:_OPEN_MOST])


def _log_address() -> str:
    """The log of all teams; the ledger where there is none."""
    for name in ("admin:accounts_ledgerentry_log", "admin:accounts_ledgerentry_changelist"):
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""
