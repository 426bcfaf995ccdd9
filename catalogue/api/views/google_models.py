"""The list of models as Google's SDKs read it, under /v1beta/."""

from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.api.conditional import conditional
from catalogue.api.google_listing import SIZE, google_listing, google_page
from catalogue.api.serializers import GoogleModelListSerializer, GoogleModelSerializer
from catalogue.api.views.models import CallableModelsView


class GoogleModelViewSet(CallableModelsView):
    serializer_class = GoogleModelSerializer
    error_shape = "google"

    @extend_schema(
        tags=["catalogue"],
        operation_id="google_models_list",
        summary="List models in Google's form",
        description="Models that this key may call now.",
        parameters=[
            OpenApiParameter(
                "pageSize", SIZE.schema, description="At most 1,000 come, however many are asked for."
            ),
            OpenApiParameter("pageToken", description="The `nextPageToken` of the page before."),
        ],
        responses=GoogleModelListSerializer(many=False),
    )
    @conditional
    def list(self, request: Request) -> HttpResponseBase:
        return Response(google_page(self.callable, request.query_params))

    @extend_schema(
        tags=["catalogue"],
        operation_id="google_models_retrieve",
        summary="Look one model up in Google's form",
        description="By id or alias.",
        parameters=[
            OpenApiParameter("id", location="path", description="Such as `acme/one`; slashes are fine.")
        ],
        responses=GoogleModelSerializer,
    )
    @conditional
    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002, ARG002  # the address names it
        hint = "GET /v1beta/models lists those that this key can call now."
        return Response(google_listing(self.callable_model(id, hint=hint)))
