"""What the catalogue's views have in common: one reading for the whole request, and how they refuse."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, cast

import orjson
from django.http import HttpRequest
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.gzip import gzip_page
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import viewsets
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from accounts.keys import KeyFacts
from accounts.scopes import CATALOGUE
from catalogue.api.examples import REFUSAL_EXAMPLE
from catalogue.api.serializers import RefusalSerializer
from catalogue.facts import ModelFacts
from catalogue.listing.parameters import InstantField, read_parameter, without_brackets
from catalogue.models import PublishedModel
from catalogue.published.reading import Reading, read_as_of, read_now
from gateway.core.errors import ApiError

_NEAR = 3
_NAME_SHOWN = 200


def refusals(**descriptions: str) -> dict[int, Any]:
    """For the API document: `_400="…"` and so on, in the published shape."""
    return {
        int(status.removeprefix("_")): OpenApiResponse(
            RefusalSerializer,
            description,
            examples=[OpenApiExample("refusal", REFUSAL_EXAMPLE, response_only=True, status_codes=["400"])],
        )
        for status, description in ({"_401": "No key, or one that is not valid."} | descriptions).items()
    }


class FastJSONRenderer(JSONRenderer):
    """JSON written fast; what `orjson.Fragment` wraps is JSON already, and goes out as it is."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002  # REST framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002  # likewise
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data)


@method_decorator(gzip_page, name="dispatch")
class PublishedView(viewsets.GenericViewSet[PublishedModel]):
    """Reads what is published, at one instant for the whole request."""

    error_shape = "gateway"
    needed_scope = CATALOGUE
    queryset = PublishedModel.objects.none()
    renderer_classes: ClassVar[list[type[BaseRenderer]]] = [FastJSONRenderer]  # type: ignore[misc]
    filter_backends = []
    pagination_class = None
    own_parameters: ClassVar[frozenset[str]] = frozenset()
    """Names in the query that no filterset knows."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        request.GET = without_brackets(request.GET)  # type: ignore[assignment]  # as immutable as the other
        return super().initialize_request(request, *args, **kwargs)

    @cached_property
    def reading(self) -> Reading:
        if "as_of" not in self.request.query_params:
            return read_now()
        return read_as_of(read_parameter(self.request.query_params, "as_of", InstantField()))

    @property
    def key(self) -> KeyFacts:
        return cast("KeyFacts", self.request.auth)

    @property
    def visibility(self) -> str:
        """Equal for those who may see the same."""
        return "shared"

    @property
    def sight(self) -> str:
        """Equal for keys that may call the same: credentials of a team's own may be for some of its keys."""
        own = self.key.lineage_id if self.reading.has_own(self.key) else ""
        return f"{self.key.sight} {own}"

    @property
    def depends_on_day(self) -> bool:
        """Whether the answer may be another one tomorrow though nothing changes, because it counts days."""
        return False

    def find(self, name: str) -> ModelFacts:
        """The published model of that id or alias, listed or not. Raises ApiError with the nearest names."""
        model = self.reading.find(name)
        if model is None:
            raise unknown_model(name, [*self.reading.snapshot.models, *self.reading.snapshot.aliases])
        return model


def unknown_model(
    name: str, names: list[str], *, hint: str = "GET /v1/gateway/models lists them."
) -> ApiError:
    near = get_close_matches(name[:_NAME_SHOWN], names, n=_NEAR)
    advice = f"Near it: {', '.join(map(repr, near))}." if near else hint
    return ApiError(
        f"There is no model {name[:_NAME_SHOWN]!r}. {advice}",
        status=404,
        code="model_not_found",
        param="model",
        extra={"param": "model", "provided": name[:_NAME_SHOWN], "nearest": near},
    )
