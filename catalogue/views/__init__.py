"""The catalogue's addresses under /v1/."""

from catalogue.views.gateway_models import GatewayModelViewSet
from catalogue.views.models import ModelViewSet
from catalogue.views.vocabularies import (
    EndpointViewSet,
    OrganisationViewSet,
    ParamViewSet,
    ProviderViewSet,
)

__all__ = [
    "EndpointViewSet",
    "GatewayModelViewSet",
    "ModelViewSet",
    "OrganisationViewSet",
    "ParamViewSet",
    "ProviderViewSet",
]
