"""`/v1/responses/{id}`: answers that a team's clients come back to."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import KeyAuthentication, KeyPrincipal, Unauthorised
from accounts.scopes import INFERENCE
from gateway.core.errors import ApiError
from gateway.proxy.ports import StoredTurn
from gateway.responses import stored

_MOST_ITEMS = 100
_NOT_HERE = "There is no stored response '{}': it was not stored, has expired, or is another team's."
_NO_COMPACTION = (
    "This gateway does not compact conversations. Ask a model at POST /v1/responses for a summary, and go on with that "
    "and the newest items as 'input'."
)
_ORDERS = ("asc", "desc")


class ResponseAPIView(APIView):
    authentication_classes = [KeyAuthentication]
    needed_scope = INFERENCE

    def team_of(self, request: Request) -> int:
        """Raises Unauthorised."""
        if not isinstance(request.user, KeyPrincipal):
            raise Unauthorised
        return request.user.key.team_id

    def find(self, request: Request, response_id: str) -> StoredTurn:
        kept = stored.find(self.team_of(request), response_id)
        if kept is None:
            raise _missing(response_id)
        return kept


class StoredResponseView(ResponseAPIView):
    @extend_schema(
        tags=["inference"],
        operation_id="responses_retrieve",
        summary="Get a stored response",
        parameters=[
            OpenApiParameter("stream", OpenApiTypes.BOOL, description="Not supported: leave it out.")
        ],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, response_id: str) -> Response:
        """As its client saw it when it ended. Stored unless `store` was false or the team's setting forbids it."""
        if request.query_params.get("stream") in {"true", "1"}:
            raise ApiError(
                "A stored response is returned whole; leave 'stream' out.",
                code="unsupported_parameter",
                param="stream",
            )
        return Response(self.find(request, response_id).response)

    @extend_schema(
        tags=["inference"],
        operation_id="responses_delete",
        summary="Delete a stored response",
        responses={200: OpenApiTypes.OBJECT},
    )
    def delete(self, request: Request, response_id: str) -> Response:
        if not stored.delete(self.team_of(request), response_id):
            raise _missing(response_id)
        return Response({"id": response_id, "object": "response", "deleted": True})


class CancelView(ResponseAPIView):
    @extend_schema(exclude=True)
    def post(self, request: Request, response_id: str) -> Response:
        self.find(request, response_id)
        raise ApiError(
            "Only a response in the background can be cancelled, and none is: close the connection instead.",
            code="not_in_background",
            param="response_id",
        )


class InputItemsView(ResponseAPIView):
    @extend_schema(
        tags=["inference"],
        operation_id="responses_input_items",
        summary="List what led to a stored response",
        parameters=[
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": _MOST_ITEMS, "default": 20},
                description="How many items to return.",
            ),
            OpenApiParameter(
                "order", enum=_ORDERS, description="`desc`, the newest first, unless you say otherwise."
            ),
            OpenApiParameter("after", description="The id of the item before the first one wanted."),
            OpenApiParameter(
                "include", many=True, description="Everything that was kept is returned anyway."
            ),
        ],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, response_id: str) -> Response:
        """All items of its input, those of earlier responses included."""
        items = [_with_id(item, number) for number, item in enumerate(self.find(request, response_id).input)]
        if _choice(request, "order", _ORDERS, "desc") == "desc":
            items.reverse()
        items = _after(items, request.query_params.get("after"))
        limit = _limit(request)
        page = items[:limit]
        return Response(
            {
                "object": "list",
                "data": page,
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": len(items) > limit,
            }
        )


class CompactView(APIView):
    """OpenAI's operation that nobody else can do: what it answers only their models can read."""

    authentication_classes = []
    permission_classes = []
    schema = None

    def initial(self, request: Request, *_args: Any, **_kwargs: Any) -> None:  # noqa: ARG002  # the framework's
        raise ApiError(_NO_COMPACTION, status=404, code="not_found")


def _with_id(item: dict[str, Any], number: int) -> dict[str, Any]:
    """Items that a client sent have no id, and pages go by it."""
    told = {"type": "message", **item, "id": item.get("id") or f"item_{number}"}
    if isinstance(told.get("content"), str):
        told["content"] = [{"type": "input_text", "text": told["content"]}]
    return told


def _after(items: list[dict[str, Any]], item_id: str | None) -> list[dict[str, Any]]:
    if item_id is None:
        return items
    places = [number for number, item in enumerate(items) if item["id"] == item_id]
    if not places:
        raise ApiError(f"There is no item '{item_id[:80]}' here.", code="invalid_value", param="after")
    return items[places[0] + 1 :]


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "20")
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= _MOST_ITEMS):
        raise ApiError(
            f"'limit' must be a whole number from 1 to {_MOST_ITEMS}, not '{given[:20]}'.",
            code="invalid_value",
            param="limit",
        )
    return int(given)


def _choice(request: Request, name: str, allowed: tuple[str, ...], default: str) -> str:
    given = request.query_params.get(name, default)
    if given not in allowed:
        message = f"'{name}' must be one of {', '.join(allowed)}, not '{given[:20]}'."
        raise ApiError(message, code="invalid_value", param=name)
    return given


def _missing(response_id: str) -> ApiError:
    return ApiError(
        _NOT_HERE.format(response_id[:80]), status=404, code="response_not_found", param="response_id"
    )
