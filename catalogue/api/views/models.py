"""The list of models as the SDKs of OpenAI, Anthropic and Google read it: what this key may call now."""

from collections.abc import Sequence

from django.http import HttpResponseBase
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.api.anthropic_listing import BOUND, anthropic_listing, anthropic_page
from catalogue.api.conditional import conditional
from catalogue.api.google_listing import SIZE, google_listing, google_page
from catalogue.api.serializers import (
    AnthropicModelListSerializer,
    AnthropicModelSerializer,
    GoogleModelListSerializer,
    GoogleModelSerializer,
    ModelListSerializer,
    ModelSerializer,
)
from catalogue.api.views.base import PublishedView, unknown_model
from catalogue.facts import ModelFacts
from catalogue.published.record import listing
from gateway.core.envelopes import spoken_form

_VERSION = OpenApiParameter(
    "anthropic-version",
    location="header",
    description="Sent by Anthropic's SDKs; the answer has their form then.",
)
_ANTHROPIC = [
    _VERSION,
    OpenApiParameter("limit", BOUND.schema, description="With `anthropic-version` only."),
    OpenApiParameter("after_id", description="With `anthropic-version` only: the page behind that model."),
    OpenApiParameter("before_id", description="With `anthropic-version` only: the page before that model."),
]

_GOOGLE = [
    OpenApiParameter("pageSize", SIZE.schema, description="At most 1,000 come, however many are asked for."),
    OpenApiParameter("pageToken", description="The `nextPageToken` of the page before."),
]
_ID = OpenApiParameter("id", location="path", description="Such as `acme/one`; slashes are fine.")
_PAGES = {"anthropic": anthropic_page, "google": google_page}
_ROWS = {"anthropic": anthropic_listing, "google": google_listing}


class CallableModelsView(PublishedView):
    """Reads what the request's key may call."""

    @property
    def visibility(self) -> str:
        return f"key {self.sight}"

    @cached_property
    def callable(self) -> Sequence[ModelFacts]:
        """Now, newest first."""
        return self.reading.callable_by(self.key)

    def callable_model(self, name: str) -> ModelFacts:
        """By id or alias. Raises ApiError."""
        model = self.reading.find(name)
        if model is None or not self.reading.is_callable_by(self.key, model, name):
            names = [name for each in self.callable for name in (each.id, *each.aliases)]
            raise unknown_model(name, names, hint="GET /v1/models lists those that this key can call now.")
        return model


class ModelViewSet(CallableModelsView):
    serializer_class = ModelSerializer

    @property
    def error_shape(self) -> str:  # type: ignore[override]
        return spoken_form(self.request.headers.__contains__)

    @extend_schema(
        tags=["catalogue"],
        operation_id="models_list",
        summary="List models in the form that the client's SDK reads",
        description="Models that this key may call now. OpenAI's form; Anthropic's for a client that sends "
        "`anthropic-version`; Google's, as under `/v1beta/models`, for one that shows its key as `x-goog-api-key`.",
        parameters=_ANTHROPIC,
        responses=PolymorphicProxySerializer(
            "ModelListInEitherForm",
            [ModelListSerializer, AnthropicModelListSerializer, GoogleModelListSerializer],
            resource_type_field_name=None,
            many=False,
        ),
    )
    @conditional
    def list(self, request: Request) -> HttpResponseBase:
        if page := _PAGES.get(self.error_shape):
            return Response(page(self.callable, request.query_params))
        reading = self.reading
        rows = [listing(model, reading.snapshot, reading.at) for model in self.callable]
        return Response({"object": "list", "data": rows})

    @extend_schema(
        tags=["catalogue"],
        operation_id="models_retrieve",
        summary="Look a model up",
        description="By id or alias.",
        parameters=[
            _ID,
            _VERSION,
        ],
        responses=PolymorphicProxySerializer(
            "ModelInEitherForm",
            [ModelSerializer, AnthropicModelSerializer, GoogleModelSerializer],
            resource_type_field_name=None,
        ),
    )
    @conditional
    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002, ARG002  # the address names it
        model = self.callable_model(id)
        if row := _ROWS.get(self.error_shape):
            return Response(row(model))
        return Response(listing(model, self.reading.snapshot, self.reading.at))


class GoogleModelViewSet(CallableModelsView):
    """The same where nobody else asks, under /v1beta/."""

    serializer_class = GoogleModelSerializer
    error_shape = "google"

    @extend_schema(
        tags=["catalogue"],
        operation_id="google_models_list",
        summary="List models in Google's form",
        description="Models that this key may call now.",
        parameters=_GOOGLE,
        responses=GoogleModelListSerializer(many=False),
    )
    @conditional
    def list(self, request: Request) -> HttpResponseBase:
        return Response(google_page(self.callable, request.query_params))

    @extend_schema(
        tags=["catalogue"],
        operation_id="google_models_retrieve",
        summary="Look a model up in Google's form",
        description="By id or alias.",
        parameters=[_ID],
        responses=GoogleModelSerializer,
    )
    @conditional
    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002, ARG002  # the address names it
        return Response(google_listing(self.callable_model(id)))
