"""`GET /v1/receipts/{request_id}`."""

from collections.abc import Iterable

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import KeyAuthentication, KeyPrincipal, SessionAuthentication
from accounts.management_view import person_of
from accounts.memberships import teams_of
from accounts.people import may_as_staff
from accounts.receipt_serializers import ReceiptSerializer, write_receipt
from accounts.receipts import read_receipt
from accounts.usage.access import MayReadUsage
from gateway.core.errors import ApiError

_EXAMPLE = {
    "object": "receipt",
    "request_id": "req_6f1c",
    "call_id": "0a9d5c1e7f3b4c2d8e6f0a1b2c3d4e5f",
    "team": "research",
    "key": "kYIRuhsHEdKF",
    "key_name": "billing",
    "project": "invoices",
    "end_user": "",
    "surface": "openai",
    "endpoint": "chat.completions",
    "requested_model": "auto",
    "redirected_from": "",
    "is_streamed": False,
    "started_at": "2026-11-02T09:30:00Z",
    "ended_at": "2026-11-02T09:30:01Z",
    "outcome": "finished",
    "cost_usd": "0.00012",
    "charge_usd": "0.000108",
    "attempts": [],
    "routing": None,
}


class ReceiptView(APIView):
    """For keys of the team that made the request, its people, and staff who may see the ledger."""

    authentication_classes = [KeyAuthentication, SessionAuthentication]
    permission_classes = [MayReadUsage]

    @extend_schema(
        tags=["usage"],
        operation_id="receipt_retrieve",
        summary="Get all that is known of one request: attempts, usage, prices, charge, routing and corrections",
        responses=ReceiptSerializer,
        examples=[OpenApiExample("Answer", value=_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, request_id: str) -> Response:
        receipt = read_receipt(request_id, _teams(request)) if _is_id(request_id) else None
        if receipt is None:
            message = (
                f"No request of your team has the id '{request_id[:64]}'. One is in the ledger about a second after it "
                "ended, and only if a provider was asked."
            )
            raise ApiError(message, status=404, code="receipt_not_found", param="request_id")
        return Response(write_receipt(receipt))


def _teams(request: Request) -> Iterable[int] | None:
    """Whose receipts may be read; None: everybody's."""
    person = person_of(request)
    if person is None:
        return [request.user.team.pk] if isinstance(request.user, KeyPrincipal) else []
    if may_as_staff(person, "accounts.view_ledgerentry"):
        return None
    return list(teams_of(person).values_list("pk", flat=True))


def _is_id(text: str) -> bool:
    return len(text) <= 64 and text.isprintable()
