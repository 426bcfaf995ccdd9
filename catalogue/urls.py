"""Addresses of the catalogue under /v1/, and of its list for Google's SDKs under /v1beta/."""

from typing import Any

from django.urls import path

from catalogue.api import views

_LIST: dict[str, Any] = {"get": "list"}

urlpatterns = [
    path("gateway/models", views.GatewayModelViewSet.as_view(_LIST), name="gateway-models"),
    path(
        "gateway/models/<path:id>/endpoints",
        views.GatewayModelViewSet.as_view({"get": "endpoints"}),
        name="gateway-model-endpoints",
    ),
    path(
        "gateway/models/<path:id>/history",
        views.HistoryViewSet.as_view({"get": "retrieve"}),
        name="gateway-model-history",
    ),
    path(
        "gateway/models/<path:id>",
        views.GatewayModelViewSet.as_view({"get": "retrieve"}),
        name="gateway-model",
    ),
    path(
        "gateway/data/models", views.GatewayModelViewSet.as_view({"get": "data"}), name="gateway-data-models"
    ),
    path("gateway/changes", views.ChangeViewSet.as_view(_LIST), name="gateway-changes"),
    path("gateway/lifecycle", views.LifecycleViewSet.as_view(_LIST), name="gateway-lifecycle"),
    path(
        "gateway/lifecycle/check",
        views.LifecycleCheckViewSet.as_view({"post": "create"}),
        name="gateway-lifecycle-check",
    ),
    path("gateway/organisations", views.OrganisationViewSet.as_view(_LIST), name="gateway-organisations"),
    path("gateway/providers", views.ProviderViewSet.as_view(_LIST), name="gateway-providers"),
    path("gateway/endpoints", views.EndpointViewSet.as_view(_LIST), name="gateway-endpoints"),
    path("gateway/params", views.ParamViewSet.as_view(_LIST), name="gateway-params"),
    path("gateway/regions", views.RegionViewSet.as_view(_LIST), name="gateway-regions"),
    path("routing/status", views.RoutingStatusViewSet.as_view(_LIST), name="routing-status"),
    path("models", views.ModelViewSet.as_view(_LIST), name="models"),
    path("models/<path:id>", views.ModelViewSet.as_view({"get": "retrieve"}), name="model"),
]

google_urlpatterns = [
    path("models", views.GoogleModelViewSet.as_view(_LIST), name="google-models"),
    path("models/<path:id>", views.GoogleModelViewSet.as_view({"get": "retrieve"}), name="google-model"),
]
