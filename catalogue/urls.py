"""Addresses of the catalogue under /v1/."""

from django.urls import path

from catalogue.views import GatewayModelViewSet, ModelViewSet

urlpatterns = [
    path("gateway/models", GatewayModelViewSet.as_view({"get": "list"}), name="gateway-models"),
    path("models", ModelViewSet.as_view({"get": "list"}), name="models"),
    path("models/<path:id>", ModelViewSet.as_view({"get": "retrieve"}), name="model"),
]
