"""What views have in common whose answer may also be asked for as a feed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from accounts.authentication import FeedTokenAuthentication, KeyAuthentication
from catalogue.api.views.base import PublishedView
from catalogue.changes.history import rows_of
from catalogue.facts import EPOCH, ModelFacts
from catalogue.feeds.formats import FEED_FORMATS, Entry, Feed, feed_response
from catalogue.listing.filters import FORMATS
from catalogue.listing.parameters import ChoiceField, ParameterField, WordsField, read_parameter
from catalogue.models import Edition
from gateway.core.links import origin_of

TOKEN = "token"  # noqa: S105  # the parameter's name
Parameters = Mapping[str, tuple[ParameterField | WordsField, str]]
"""Fields by name, and what they are about."""
FORMAT_PARAMETERS: Parameters = {
    "format": (ChoiceField(*FORMATS, default="json"), "Of the answer."),
    "feed": (ChoiceField(*FORMATS), "Another name of `format`."),
}
_NOT_THE_CONTENT = (TOKEN, "format", "feed")


class ByParameter(BaseContentNegotiation):
    """The form is asked for by a parameter: readers of feeds accept feeds only, and say so."""

    def select_parser(self, _request: Request, parsers: Iterable[Any]) -> Any:
        return next(iter(parsers), None)

    def select_renderer(
        self, _request: Request, renderers: Iterable[Any], _format_suffix: str | None = None
    ) -> tuple[Any, str]:
        first = next(iter(renderers))
        return first, first.media_type


class FeedView(PublishedView):
    """`format` wins over `feed`, its other name. A feed key may come as `token` where a feed is asked for.

    Feeds of a catalogue that everybody may look at need none.
    """

    formats: ClassVar[Sequence[str]] = FORMATS
    authentication_classes = [FeedTokenAuthentication, KeyAuthentication]
    content_negotiation_class = ByParameter

    @property
    def asked_format(self) -> str:
        """Raises ApiError for one that does not exist."""
        query, field = self.request.query_params, ChoiceField(*self.formats)
        alias = read_parameter(query, "feed", field)
        return read_parameter(query, "format", field) or alias or "json"

    @property
    def takes_token(self) -> bool:
        """Whether this request may be opened by a key in its address. Never raises."""
        query = self.request.query_params
        asked = query.get("format") or query.get("feed") or "json"
        return self.action == "list" and asked in self.formats and asked != "json"

    @property
    def is_for_everybody(self) -> bool:
        """Whether this is a feed of what everybody may look at."""
        return self.takes_token and bool(settings.PUBLIC_CATALOGUE == "public")

    def get_permissions(self) -> Sequence[Any]:
        return [AllowAny()] if self.is_for_everybody else super().get_permissions()

    def link_to(self, model: ModelFacts) -> str:
        """To the page for people, where there is one: readers of feeds have no key."""
        page = "gateway-model" if settings.PUBLIC_CATALOGUE == "off" else "public:model"
        return origin_of(self.request) + reverse(page, args=[model.id])

    def id_of(self, name: str) -> str:
        """Of a model that is published or once was. Raises ApiError with the nearest names."""
        model = self.reading.find(name)
        if model is None and rows_of(name).exists():
            return name
        return (model or self.find(name)).id

    def feed(self, title: str, description: str, entries: Sequence[Entry]) -> HttpResponse:
        """The entries in the form that was asked for."""
        newest = Edition.objects.filter(number__lte=self.reading.snapshot.revision).first()
        feed = Feed(
            title=title,
            description=description,
            link=self._own_address(*_NOT_THE_CONTENT),
            own_link=self._own_address(TOKEN),
            unless_entries=newest.published_at if newest else EPOCH,
            entries=entries,
        )
        return feed_response(feed, self.asked_format)

    def _own_address(self, *without: str) -> str:
        query = self.request.query_params.copy()
        for name in without:
            query.pop(name, None)
        path = urlsplit(self.request.get_full_path()).path
        return origin_of(self.request) + f"{path}?{query.urlencode()}".rstrip("?")


def documented(parameters: Parameters) -> list[OpenApiParameter]:
    """For the API document, from fields and what they are about."""
    return [
        OpenApiParameter(name, field.schema, description=about) for name, (field, about) in parameters.items()
    ]


def feed_answers(serializer: type[serializers.Serializer[Any]], *further: str) -> dict[Any, Any]:
    """For the API document: JSON, or a feed of some media type."""
    media_types = [*(media_type for media_type, _write in FEED_FORMATS.values()), *further]
    feed = OpenApiResponse(OpenApiTypes.STR, "The same, as a feed.")
    return {(200, "application/json"): serializer} | {(200, media_type): feed for media_type in media_types}
