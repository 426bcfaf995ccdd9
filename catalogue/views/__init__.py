"""The catalogue's addresses under /v1/."""

from catalogue.views.changes import ChangeViewSet
from catalogue.views.gateway_models import GatewayModelViewSet
from catalogue.views.history import HistoryViewSet
from catalogue.views.lifecycle import LifecycleViewSet
from catalogue.views.lifecycle_check import LifecycleCheckViewSet
from catalogue.views.models import ModelViewSet
from catalogue.views.vocabularies import (
    EndpointViewSet,
    OrganisationViewSet,
    ParamViewSet,
    ProviderViewSet,
)

__all__ = [
    "ChangeViewSet",
    "EndpointViewSet",
    "GatewayModelViewSet",
    "HistoryViewSet",
    "LifecycleCheckViewSet",
    "LifecycleViewSet",
    "ModelViewSet",
    "OrganisationViewSet",
    "ParamViewSet",
    "ProviderViewSet",
]
