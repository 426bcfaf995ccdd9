"""The published list of models, its records, and where each model runs."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.api.conditional import conditional
from catalogue.api.serializers import (
    GatewayModelListSerializer,
    GatewayModelSerializer,
    ModelEndpointsSerializer,
)
from catalogue.api.views.base import refusals
from catalogue.api.views.feed_view import TOKEN, FeedView, feed_answers
from catalogue.facts import ModelFacts
from catalogue.feeds.entries import model_entries
from catalogue.listing.filters import GatewayModelFilter, StrictFilterBackend, check_names
from catalogue.listing.pagination import LIMIT, PARAMETERS, Page, cut_page, page_links
from catalogue.listing.parameters import ParameterField, WordsField, read_parameter, refuse
from catalogue.listing.vocabulary import near_names, words_that_match_nothing
from catalogue.published.call_stats import read_call_stats
from catalogue.published.offering_record import offering_record
from catalogue.published.reading import Reading
from catalogue.published.record_cache import record_cache

FIELDS = WordsField(*GatewayModelSerializer().fields)
_NAME = OpenApiParameter(
    "id", location="path", description="An id or an alias, such as `acme/one`; also `acme%2Fone`."
)
_AS_OF = OpenApiParameter(
    "as_of", description="As it was published then, or as it will be: a day or an instant."
)
_PAGING = [
    OpenApiParameter(name, field.schema, description=about) for name, (field, about) in PARAMETERS.items()
]
_FIELDS_PARAMETER = OpenApiParameter(
    "fields", FIELDS.schema, explode=False, description="Only these fields of each model."
)


class GatewayModelViewSet(FeedView):
    serializer_class = GatewayModelSerializer
    filter_backends = [StrictFilterBackend]
    filterset_class = GatewayModelFilter
    lookup_value_regex = ".+"
    own_parameters = frozenset({*PARAMETERS, "fields", TOKEN})

    @property
    def visibility(self) -> str:
        return f"team {self.sight}" if self._is_of_team else "shared"

    @cached_property
    def reading(self) -> Reading:
        reading = super().reading
        return reading.seen_by(self.key) if self._is_of_team else reading

    @property
    def is_for_everybody(self) -> bool:
        return super().is_for_everybody and not self._is_of_team

    @extend_schema(
        tags=["catalogue"],
        operation_id="gateway_models_list",
        summary="List models in full",
        description="Models that can be called now, newest first: lifecycle, providers, parameters and prices.",
        filters=True,
        parameters=[*_PAGING, _FIELDS_PARAMETER],
        responses=feed_answers(GatewayModelListSerializer)
        | refusals(
            _400="A parameter is unknown or its value is not allowed.",
            _501="`privacy_scope=team` is not turned on in this deployment.",
        ),
    )
    @conditional
    def list(self, request: Request) -> HttpResponseBase:
        rows = self.filter_queryset(self.reading.rows())
        page = cut_page(self._in_scope(list(rows.values_list("public_id", flat=True))), request)
        is_json = self.asked_format == "json"
        response: HttpResponseBase = Response(self._list_body(page)) if is_json else self._list_feed(page)
        if links := page_links(page, request):
            response["Link"] = links
        return response

    @extend_schema(
        tags=["catalogue"],
        operation_id="gateway_models_retrieve",
        summary="Look a model up in full",
        description="By id or alias, listed or not: a retired model names its successor.",
        parameters=[_NAME, _AS_OF],
        responses={200: GatewayModelSerializer} | refusals(_404="There is no such model."),
    )
    @conditional
    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002  # the address names it
        check_names(request, {"as_of"})
        return Response(record_cache.record(self.find(id), self.reading))

    @extend_schema(
        tags=["catalogue"],
        operation_id="gateway_models_endpoints",
        summary="See where a model runs",
        description="Its offerings: provider, limits, every price with its conditions, and how calls went lately.",
        parameters=[_NAME],
        responses={200: ModelEndpointsSerializer} | refusals(_404="There is no such model."),
    )
    @action(detail=True)
    def endpoints(self, request: Request, id: str) -> Response:  # noqa: A002  # likewise
        check_names(request, ())
        model = self.find(id)
        stats = read_call_stats(model, timezone.now())
        offerings = [
            offering_record(offering, self.reading, stats[offering.id]) for offering in model.offerings
        ]
        return Response({"ok": True, "id": model.id, "name": model.name, "endpoints": offerings})

    @extend_schema(
        tags=["catalogue"],
        operation_id="gateway_data_models_list",
        summary="Look a model up, as a list",
        description="What the published list's own SDK asks before each call. An unknown model is an empty list.",
        parameters=[
            OpenApiParameter("model_id", required=True, description="An id or an alias."),
            OpenApiParameter("limit", LIMIT.schema, description="Accepted; there is at most one model."),
        ],
        responses={200: GatewayModelListSerializer} | refusals(_400="`model_id` is missing."),
    )
    @conditional
    def data(self, request: Request) -> HttpResponseBase:
        check_names(request, {"model_id", "limit"})
        name: str | None = read_parameter(request.query_params, "model_id", ParameterField())
        if name is None:
            raise refuse("model_id", "model_id is missing: an id or an alias.")
        limit = read_parameter(request.query_params, "limit", LIMIT) or 1
        model = self.reading.find(name)
        ids = [model.id] if model else []
        return Response(self._list_body(Page(ids, total=len(ids), limit=limit, offset=0, next_cursor=None)))

    @property
    def _is_of_team(self) -> bool:
        return self._scope == "team"

    @property
    def _scope(self) -> str:
        """`privacy_scope` wins over `privacy`, its other name."""
        query = self.request.query_params
        return query.get("privacy_scope") or query.get("privacy") or "shared"

    def _in_scope(self, ids: Sequence[str]) -> Sequence[str]:
        if not self._is_of_team:
            return ids
        models = [self.reading.snapshot.models.get(public_id) for public_id in ids]
        return [model.id for model in models if model and self._is_in_scope(model)]

    def _is_in_scope(self, model: ModelFacts) -> bool:
        """A team's own credentials may be for some models of a provider only."""
        reading = self.reading
        if reading.has_own(self.key) and self.request.query_params.get("availability") != "all":
            is_reached = not model.is_listed(reading.at) or bool(reading.reached(self.key, model))
            return is_reached and reading.is_open_to(self.key, model)
        return reading.is_open_to(self.key, model)

    def _list_body(self, page: Page) -> dict[str, Any]:
        query = self.request.query_params
        unmatched = words_that_match_nothing(query, self.reading.snapshot)
        if not page.total:
            unmatched += near_names(query, self.reading.snapshot)
        return {
            "ok": True,
            "privacy_scope": self._scope,
            "limit": page.limit,
            "offset": page.offset,
            "total": page.total,
            "models": self._records(page, read_parameter(query, "fields", FIELDS)),
            "next_cursor": page.next_cursor,
            "warnings": unmatched,
        }

    def _list_feed(self, page: Page) -> HttpResponse:
        if "fields" in self.request.query_params:
            raise refuse("fields", "fields goes with format=json; leave it out where a feed is asked for.")
        models = self.reading.snapshot.models
        shown = [models[public_id] for public_id in page.ids if public_id in models]
        entries = list(model_entries(shown, self.reading, self.link_to))
        return self.feed("Models", "Models of this gateway, with their lives and prices.", entries)

    def _records(self, page: Page, fields: Sequence[str] | None) -> Sequence[Any]:
        models = self.reading.snapshot.models
        rows = [models[public_id] for public_id in page.ids if public_id in models]
        if fields is None:
            return [self._record(model) for model in rows]
        return [record_cache.fields(model, self.reading, fields) | self._own(model, fields) for model in rows]

    def _record(self, model: ModelFacts) -> Any:
        own = self._own(model, ("is_routable",))
        if not own:
            return record_cache.record(model, self.reading)
        return orjson.loads(record_cache.text(model, self.reading)) | own

    def _own(self, model: ModelFacts, fields: Sequence[str]) -> dict[str, Any]:
        """What of the record is otherwise where the team's own credentials open what ours do not."""
        if not self._is_of_team or "is_routable" not in fields or not self.reading.has_own(self.key):
            return {}
        is_routable = model.is_listed(self.reading.at) and bool(self.reading.reached(self.key, model))
        return {"is_routable": is_routable}
