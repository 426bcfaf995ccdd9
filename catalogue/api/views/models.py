"""The list of models as OpenAI's and Anthropic's SDKs read it: what this key may call now."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponseBase
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.api.anthropic_listing import BOUND, anthropic_listing, anthropic_page
from catalogue.api.conditional import conditional
from catalogue.api.serializers import (
    AnthropicModelListSerializer,
    AnthropicModelSerializer,
    ModelListSerializer,
    ModelSerializer,
)
from catalogue.api.views.base import PublishedView, unknown_model
from catalogue.facts import ModelFacts
from catalogue.published.record import listing

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


class ModelViewSet(PublishedView):
    serializer_class = ModelSerializer

    @property
    def is_anthropic(self) -> bool:
        """Whether the client speaks Anthropic's form. Source: their SDKs send the version with every request."""
        return "anthropic-version" in self.request.headers

    @property
    def error_shape(self) -> str:  # type: ignore[override]
        return "anthropic" if self.is_anthropic else "openai"

    @property
    def visibility(self) -> str:
        return f"key {self.key.model_patterns}"

    @extend_schema(
        tags=["catalogue"],
        operation_id="models_list",
        summary="List models in OpenAI's or Anthropic's form",
        description="Models that this key may call now.",
        parameters=_ANTHROPIC,
        responses=PolymorphicProxySerializer(
            "ModelListInEitherForm",
            [ModelListSerializer, AnthropicModelListSerializer],
            resource_type_field_name=None,
            many=False,
        ),
    )
    @conditional
    def list(self, request: Request) -> HttpResponseBase:
        if self.is_anthropic:
            return Response(anthropic_page(self._callable, request.query_params))
        reading = self.reading
        rows = [listing(model, reading.snapshot, reading.at) for model in self._callable]
        return Response({"object": "list", "data": rows})

    @extend_schema(
        tags=["catalogue"],
        operation_id="models_retrieve",
        summary="Look one model up",
        description="By id or alias.",
        parameters=[
            OpenApiParameter("id", location="path", description="Such as `acme/one`; slashes are fine."),
            _VERSION,
        ],
        responses=PolymorphicProxySerializer(
            "ModelInEitherForm", [ModelSerializer, AnthropicModelSerializer], resource_type_field_name=None
        ),
    )
    @conditional
    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002, ARG002  # the address names it
        model = self.reading.find(id)
        if model is None or model not in self._callable:
            names = [name for each in self._callable for name in (each.id, *each.aliases)]
            raise unknown_model(id, names, hint="GET /v1/models lists those that this key can call now.")
        return Response(self._row(model))

    def _row(self, model: ModelFacts) -> dict[str, Any]:
        if self.is_anthropic:
            return anthropic_listing(model)
        return listing(model, self.reading.snapshot, self.reading.at)

    @cached_property
    def _callable(self) -> Sequence[ModelFacts]:
        """What this key may call now, newest first."""
        ids = self.reading.routable().newest_first().values_list("public_id", flat=True)
        models = self.reading.snapshot.models
        return [
            models[public_id] for public_id in ids if public_id in models and self.key.may_call(public_id)
        ]
