"""The catalogue's addresses under /v1/."""

from catalogue.api.views.changes import ChangeViewSet
from catalogue.api.views.gateway_models import GatewayModelViewSet
from catalogue.api.views.history import HistoryViewSet
from catalogue.api.views.lifecycle import LifecycleViewSet
from catalogue.api.views.lifecycle_check import LifecycleCheckViewSet
from catalogue.api.views.models import GoogleModelViewSet, ModelViewSet
from catalogue.api.views.routing_status import RoutingStatusViewSet
from catalogue.api.views.vocabularies import (
    EndpointViewSet,
    OrganisationViewSet,
    ParamViewSet,
    ProviderViewSet,
    RegionViewSet,
)

__all__ = [
    "ChangeViewSet",
    "EndpointViewSet",
    "GatewayModelViewSet",
    "GoogleModelViewSet",
    "HistoryViewSet",
    "LifecycleCheckViewSet",
    "LifecycleViewSet",
    "ModelViewSet",
    "OrganisationViewSet",
    "ParamViewSet",
    "ProviderViewSet",
    "RegionViewSet",
    "RoutingStatusViewSet",
]
