"""Pages of the catalogue's list, bounded as the published page says."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalogue.filters import only_value, refuse

_BOUNDS = {"limit": (1, 250, 50), "offset": (0, 5000, 0)}
_ABOUT = {"limit": "How many models to answer.", "offset": "How many models to pass over."}
_SCOPE = "shared"


class GatewayPagination(BasePagination):
    """`limit` and `offset`. A value outside its bounds is refused, never bent."""

    parameters = tuple(_BOUNDS)

    def paginate_queryset(
        self,
        queryset: QuerySet[Any, Any] | Sequence[Any],
        request: Request,
        view: APIView | None = None,  # noqa: ARG002  # REST framework's signature
    ) -> list[Any]:
        self.limit = _read(request, "limit")
        self.offset = _read(request, "offset")
        self.total = queryset.count() if isinstance(queryset, QuerySet) else len(queryset)
        return list(queryset[self.offset : self.offset + self.limit])

    def get_paginated_response(self, data: Any) -> Response:
        return Response(self._page(data))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        bounded = {name: _number_schema(name) for name in _BOUNDS}
        properties = {
            "ok": {"type": "boolean", "enum": [True], "example": True},
            "privacy_scope": {"type": "string", "enum": [_SCOPE, "team"], "example": _SCOPE},
            **bounded,
            "total": {"type": "integer", "minimum": 0, "description": "Matches on all pages.", "example": 1},
            "models": schema,
        }
        return {"type": "object", "required": list(properties), "properties": properties}

    def get_schema_operation_parameters(self, _view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": about,
                "schema": _number_schema(name) | {"default": _BOUNDS[name][2]},
            }
            for name, about in _ABOUT.items()
        ]

    def get_results(self, data: dict[str, Any]) -> Any:
        return data["models"]

    def _page(self, models: Any) -> dict[str, Any]:
        return {
            "ok": True,
            "privacy_scope": _SCOPE,
            "limit": self.limit,
            "offset": self.offset,
            "total": self.total,
            "models": models,
        }


def _number_schema(name: str) -> dict[str, Any]:
    least, most, default = _BOUNDS[name]
    return {"type": "integer", "minimum": least, "maximum": most, "example": default}


def _read(request: Request, name: str) -> int:
    least, most, default = _BOUNDS[name]
    text = only_value(request.query_params, name)
    if text is None:
        return default
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    if is_number and least <= int(text) <= most:
        return int(text)
    raise refuse(
        name,
        f"{name} must be a whole number from {least} to {most}; {text!r} came.",
        provided=text,
        minimum=least,
        maximum=most,
    )
