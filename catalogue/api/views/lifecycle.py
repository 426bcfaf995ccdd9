"""Who is announced, deprecated and retired when, and whether the models that a client uses will stay."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.api.conditional import conditional
from catalogue.api.lifecycle_serializers import NEAR_DAYS_MAX, LifecycleListSerializer
from catalogue.api.views.base import refusals
from catalogue.api.views.feed_view import TOKEN, FeedView, Parameters, documented, feed_answers
from catalogue.changes.model_changes import Kind
from catalogue.facts import ModelFacts
from catalogue.feeds.calendar import CONTENT_TYPE, write_calendar
from catalogue.feeds.entries import editions_of, event_entries
from catalogue.feeds.formats import FEED_FORMATS
from catalogue.lifecycle.events import LifecycleEvent, LifecycleQuery, lifecycle_events, lifecycle_record
from catalogue.lifecycle.status import Status
from catalogue.listing.filters import check_names, check_organisations
from catalogue.listing.pagination import CURSOR, LIMIT, Page, cut_page, page_links
from catalogue.listing.parameters import ChoiceField, CountField, InstantField, WordsField, read_parameter

_FORMATS = ("json", *FEED_FORMATS, "ics")
_DAYS = CountField(0, NEAR_DAYS_MAX)
_STATUS = WordsField(*Status)
_PAGING: Parameters = {
    "limit": (LIMIT, "How many models to return. A calendar is whole and takes no limit."),
    "cursor": (CURSOR, "Where the last page ended: `next_cursor` of its answer."),
}
PARAMETERS: Parameters = {
    "organisation": (WordsField(), "Made by any of these, by exact id."),
    "provider": (WordsField(), "Offered by any of these providers."),
    "status": (_STATUS, "Of any of these."),
    "within_days": (_DAYS, "Something comes to it within so many whole days (UTC)."),
    "retires_before": (InstantField(), "Retires, or was retired, before that."),
    "model": (WordsField(), "Any of these, by id or alias."),
    "as_of": (InstantField(), "As it was published then; an instant to come: as it will be."),
    **_PAGING,
    "format": (ChoiceField(*_FORMATS, default="json"), "Of the answer. `ics`: a calendar."),
    "feed": (ChoiceField(*_FORMATS), "Another name of `format`."),
}


class LifecycleViewSet(FeedView):
    serializer_class = LifecycleListSerializer
    formats = _FORMATS

    @property
    def depends_on_day(self) -> bool:
        return "within_days" in self.request.query_params

    @extend_schema(
        tags=["catalogue"],
        operation_id="gateway_lifecycle_list",
        summary="See when models begin and end",
        description="Models with a date of release, deprecation or retirement; whatever comes next stands first. Also "
        "as RSS, Atom, JSON Feed, and as a calendar to subscribe to.",
        parameters=documented(PARAMETERS),
        responses=feed_answers(LifecycleListSerializer, "text/calendar")
        | refusals(
            _400="A parameter is unknown or its value is not allowed.", _404="There is no such model."
        ),
    )
    @conditional
    def list(self, request: Request) -> HttpResponseBase:
        form = self.asked_format
        check_names(request, {*PARAMETERS, TOKEN} - (_PAGING.keys() if form == "ics" else set()))
        models = {model.id: model for model in self._models()}
        if form == "ics":
            return self._calendar(models.values())
        page = cut_page(list(models), request)
        shown = [models[id_] for id_ in page.ids]
        response = self._json(shown, page) if form == "json" else self._feed(shown)
        if links := page_links(page, request):
            response["Link"] = links
        return response

    @property
    def _morning(self) -> datetime:
        """The day's beginning."""
        return datetime.combine(self.reading.at.astimezone(UTC).date(), time.min, UTC)

    def _models(self) -> Sequence[ModelFacts]:
        """Those asked for, in order."""
        query = self.request.query_params
        names = read_parameter(query, "model", WordsField())
        days = read_parameter(query, "within_days", _DAYS)
        organisations = read_parameter(query, "organisation", WordsField())
        check_organisations("organisation", organisations or [])
        wanted = LifecycleQuery(
            ids=None if names is None else {self.find(name).id for name in names},
            organisations=organisations,
            providers=read_parameter(query, "provider", WordsField()),
            statuses=read_parameter(query, "status", _STATUS),
            retires_before=read_parameter(query, "retires_before", InstantField()),
            comes_before=None if days is None else self._morning + timedelta(days=days + 1),
        )
        return wanted.choose(self.reading.snapshot.models.values(), self.reading.at)

    def _json(self, models: Sequence[ModelFacts], page: Page) -> HttpResponseBase:
        reading = self.reading
        rows = [lifecycle_record(model, reading.snapshot, reading.at) for model in models]
        bounds = {"ok": True, "limit": page.limit, "total": page.total}
        return Response(bounds | {"models": rows, "next_cursor": page.next_cursor})

    def _feed(self, models: Iterable[ModelFacts]) -> HttpResponse:
        """The latest news first. That a model was released is no news of its end."""
        now = self.reading.at
        told = [each for each in _events_of(models) if each.kind is not Kind.RELEASED or each.at > now]
        entries = event_entries(told, self.reading, self.link_to)
        newest_first = sorted(entries, key=lambda entry: entry.updated, reverse=True)
        return self.feed("Model lifecycles", "Releases to come, deprecations and retirements.", newest_first)

    def _calendar(self, models: Iterable[ModelFacts]) -> HttpResponse:
        shown = _events_of(models)
        editions = editions_of({each.model.id for each in shown}, self.reading)
        text = write_calendar(shown, self.reading, editions, self.link_to)
        return HttpResponse(text, content_type=CONTENT_TYPE)


def _events_of(models: Iterable[ModelFacts]) -> list[LifecycleEvent]:
    return [event for model in models for event in lifecycle_events(model)]
