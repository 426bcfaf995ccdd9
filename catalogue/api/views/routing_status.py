"""How the models that a key may call do at this moment."""

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.api.health_serializers import RoutingStatusSerializer
from catalogue.api.views.base import PublishedView
from catalogue.listing.filters import check_names
from catalogue.published.live_offerings import count_requests_today, status_of


class RoutingStatusViewSet(PublishedView):
    error_shape = "openai"
    serializer_class = RoutingStatusSerializer

    @extend_schema(
        tags=["catalogue"],
        operation_id="routing_status",
        summary="See how models do now",
        description="Of the models that the key can call: whether calls go there, how they went lately, and since "
        "when and until when an offering is left alone. All processes say the same within a second.",
        responses=extend_schema_serializer(many=False)(RoutingStatusSerializer),
    )
    def list(self, request: Request) -> Response:
        check_names(request, ())
        counts = count_requests_today(self.reading.at)
        models = {
            model.id: status_of(model, self.reading, counts.get(model.id, 0))
            for model in self.reading.callable_by(self.key)
            # A change may come between the list and what is in memory.
            if self.reading.snapshot.is_routable(model, self.reading.at)
        }
        well = [each["healthy"] for each in models.values()]
        status = "ok" if all(well) else "degraded" if any(well) else "down"
        return Response({"status": status, "models": models})
