"""The list of models, a model, a comparison, and who retires when."""

from collections.abc import Sequence
from difflib import get_close_matches
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from catalogue.facts import ModelFacts
from catalogue.published.call_stats import read_call_stats
from catalogue.published.reading import Reading, read_now
from gateway.core.links import base_url_of, origin_of
from gateway.public.access import guarded
from gateway.public.calendar import calendar_of
from gateway.public.comparison import compare as side_by_side
from gateway.public.facts import facts_of
from gateway.public.feeds import model_feeds, retirement_feeds
from gateway.public.history import events_of
from gateway.public.lifetime import relatives, stages
from gateway.public.listing import ModelPage
from gateway.public.members import member_entries
from gateway.public.offerings import offering_entries
from gateway.public.query import COMPARED_MOST, blank_names, read_query
from gateway.public.rows import row_of
from gateway.public.samples import samples

_NEAR = 5
_NAME_SHOWN = 200


@require_safe
@gzip_page
@guarded
def models(request: HttpRequest) -> HttpResponse:
    """The list; 400 where a parameter could not be used, with the list by the others."""
    blank = blank_names(request.GET)
    if blank:
        return redirect(_without(request, blank))
    query = read_query(request.GET)
    context = {"page": ModelPage(query, origin_of(request)), "query": query, "most": COMPARED_MOST}
    return render(request, "catalogue/models.html", context, status=400 if query.faults else 200)


@require_safe
@gzip_page
@guarded
def model(request: HttpRequest, name: str) -> HttpResponse:
    """One model by its id; other names of it lead here."""
    reading = read_now()
    found = reading.find(name)
    if found is None:
        return _unknown(request, name, reading)
    if found.id != name:
        return redirect("public:model", found.id)
    return render(request, "catalogue/model.html", _model_context(request, found, reading))


@require_safe
@gzip_page
@guarded
def compare(request: HttpRequest) -> HttpResponse:
    """Up to four models side by side; names that are unknown, or too many, are said and left out."""
    reading = read_now()
    names = list(dict.fromkeys(word for value in request.GET.getlist("id") for word in value.split()))
    found = list({each.id: each for name in names if (each := reading.find(name))}.values())
    chosen = found[:COMPARED_MOST]
    columns = [(row_of(each, reading), _others(chosen, each)) for each in chosen]
    context = {
        "columns": columns,
        "lines": side_by_side(chosen, reading) if chosen else [],
        "unknown": [name[:_NAME_SHOWN] for name in names if not reading.find(name)],
        "left_out": found[COMPARED_MOST:],
        "chosen": chosen,
        "choosing": f"{reverse('public:models')}?{_ids(chosen)}" if chosen else reverse("public:models"),
        "most": COMPARED_MOST,
    }
    return render(request, "catalogue/compare.html", context)


@require_safe
@gzip_page
@guarded
def retirements(request: HttpRequest) -> HttpResponse:
    context = {"calendar": calendar_of(read_now()), "feeds": retirement_feeds(origin_of(request))}
    return render(request, "catalogue/retirements.html", context)


def _model_context(request: HttpRequest, found: ModelFacts, reading: Reading) -> dict[str, object]:
    at = reading.at
    offerings = offering_entries(found, reading, read_call_stats(found, at))
    endpoints = frozenset(word for offering in found.offerings for word in offering.endpoints)
    return {
        "row": row_of(found, reading),
        "members": member_entries(found, reading),
        "facts": facts_of(found, reading),
        "successor": reading.snapshot.successor(found, at),
        "offerings": offerings,
        "stages": stages(found, at),
        "relatives": relatives(found, reading),
        "samples": samples(base_url_of(request), found.id, endpoints),
        "events": events_of(found, reading),
        "feeds": model_feeds(origin_of(request), found.id),
    }


def _unknown(request: HttpRequest, name: str, reading: Reading) -> HttpResponse:
    names = [*reading.snapshot.models, *reading.snapshot.aliases]
    near = get_close_matches(name[:_NAME_SHOWN], names, n=_NEAR, cutoff=0.5)
    context = {"name": name[:_NAME_SHOWN], "near": near}
    return render(request, "catalogue/unknown.html", context, status=404)


def _without(request: HttpRequest, names: Sequence[str]) -> str:
    asked = request.GET.copy()
    for name in names:
        del asked[name]
    return f"{request.path}?{asked.urlencode(safe='/:')}" if asked else request.path


def _others(chosen: list[ModelFacts], model: ModelFacts) -> str:
    """The address of the comparison without that one."""
    rest = [each for each in chosen if each is not model]
    return f"{reverse('public:compare')}?{_ids(rest)}" if rest else reverse("public:compare")


def _ids(chosen: list[ModelFacts]) -> str:
    return urlencode([("id", each.id) for each in chosen], safe="/:")
