"""The catalogue's addresses."""

from datetime import datetime
from difflib import get_close_matches
from typing import Any, cast

from django.utils import timezone
from django.utils.functional import cached_property
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import ApiError
from accounts.keys import KeyFacts
from catalogue.filters import GatewayModelFilter, StrictFilterBackend
from catalogue.models import Offering, PublishedModel
from catalogue.pagination import GatewayPagination
from catalogue.querysets import PublishedModelQuerySet
from catalogue.record import Switches
from catalogue.serializers import (
    REFUSAL_EXAMPLE,
    GatewayModelSerializer,
    ModelListSerializer,
    ModelSerializer,
    RefusalSerializer,
)
from providers.services import usable_provider_ids

_REFUSALS: dict[int, Any] = {
    status: OpenApiResponse(
        RefusalSerializer,
        description,
        examples=[OpenApiExample("refusal", REFUSAL_EXAMPLE, response_only=True, status_codes=["400"])],
    )
    for status, description in {
        400: "A parameter is unknown or its value is not allowed.",
        401: "No key, or one that is not valid.",
        501: "`privacy_scope=team` is not implemented.",
    }.items()
}


class PublishedView(viewsets.GenericViewSet[PublishedModel]):
    """Reads what is published, at one instant for the whole request."""

    queryset = PublishedModel.objects.all()

    @cached_property
    def at(self) -> datetime:
        return timezone.now()

    @cached_property
    def live(self) -> Switches:
        return read_switches()


@extend_schema_view(
    list=extend_schema(
        tags=["catalogue"],
        operation_id="gateway_models_list",
        summary="List models in full",
        description="Models that can be called now, newest first: lifecycle, providers, parameters and prices.",
        responses={200: GatewayModelSerializer(many=True)} | _REFUSALS,
    )
)
class GatewayModelViewSet(mixins.ListModelMixin, PublishedView):
    error_shape = "gateway"
    queryset = PublishedModel.objects.current().newest_first()
    serializer_class = GatewayModelSerializer
    filter_backends = [StrictFilterBackend]
    filterset_class = GatewayModelFilter
    pagination_class = GatewayPagination


class ModelViewSet(PublishedView):
    serializer_class = ModelSerializer
    pagination_class = None

    @extend_schema(
        tags=["catalogue"],
        operation_id="models_list",
        summary="List models in OpenAI's form",
        description="Models that this key may call now.",
        responses=ModelListSerializer,
    )
    def list(self, request: Request) -> Response:
        rows = [row for row in self._routable() if _may_call(request, row.public_id)]
        return Response({"object": "list", "data": self.get_serializer(rows, many=True).data})

    @extend_schema(
        tags=["catalogue"],
        operation_id="models_retrieve",
        summary="Look one model up",
        description="By id or alias.",
        parameters=[
            OpenApiParameter("id", location="path", description="Such as `acme/one`; slashes are fine.")
        ],
    )
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002  # the address names it
        names = _names(self._routable(), request)
        if id not in names:
            raise _unknown_model(id, names)
        row = self._routable().get(public_id=names[id])
        return Response(self.get_serializer(row).data)

    def _routable(self) -> PublishedModelQuerySet:
        return published_models().routable(self.at, self.live.provider_ids)


def published_models() -> PublishedModelQuerySet:
    return PublishedModel.objects.current().newest_first()


def read_switches() -> Switches:
    on = Offering.objects.filter(is_enabled=True, provider__is_enabled=True).values_list("pk", flat=True)
    return Switches(frozenset(on), frozenset(usable_provider_ids()))


def _names(rows: PublishedModelQuerySet, request: Request) -> dict[str, str]:
    """Ids and aliases of what the key may call → public id."""
    names: dict[str, str] = {}
    for public_id, aliases in rows.values_list("public_id", "content__aliases"):
        if _may_call(request, public_id):
            names |= dict.fromkeys((public_id, *aliases), public_id)
    return names


def _may_call(request: Request, public_id: str) -> bool:
    return cast("KeyFacts", request.auth).may_call(public_id)


def _unknown_model(name: str, names: dict[str, str]) -> ApiError:
    near = get_close_matches(name[:200], names, n=3)
    hint = f"Near it: {', '.join(repr(each) for each in near)}." if near else "GET /v1/models lists them."
    return ApiError(
        f"There is no model {name[:200]!r} that this key can call now. {hint}",
        status=404,
        code="model_not_found",
        param="model",
    )
