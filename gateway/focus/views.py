"""`/v1/focus`: cost and usage in the FinOps Foundation's form."""

from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.serializers import StrictSerializer
from accounts.usage.access import UsageView
from accounts.usage.parameters import read_instant
from accounts.usage.rollups import UTC_ZONE
from accounts.windows import DAY_S
from gateway.core.choice_field import ChoiceField
from gateway.core.refusals import InvalidField
from gateway.focus.export import parts_of, spans_of

LONGEST_DAYS = 366
_USUAL_DAYS = 30
_INSTANT = "RFC 3339, a day (its midnight in the team's zone), or Unix seconds."
_TYPES = {"csv": "text/csv", "jsonl": "application/jsonl"}


class FocusParameters(StrictSerializer):
    """The query of an export."""

    team = serializers.SlugField(
        required=False, help_text="A slug; staff who leave it out are told of all teams."
    )
    format = ChoiceField(choices=list(_TYPES), default="csv")

    def get_fields(self) -> dict[str, Any]:
        bounds = {
            "from": serializers.CharField(required=False, help_text=f"Inclusive. {_INSTANT}"),
            "to": serializers.CharField(
                required=False, help_text=f"Exclusive; now, where left out. {_INSTANT}"
            ),
        }
        return {**bounds, **super().get_fields()}


class FocusView(UsageView):
    """`/v1/focus`."""

    @extend_schema(
        tags=["usage"],
        operation_id="focus_export",
        summary="Export cost and usage as FOCUS 1.2, by day, key, model and meter, as CSV or JSON lines",
        description="Whole days of each team's zone that the range touches, at most "
        f"{LONGEST_DAYS} days. The sum of BilledCost is that of the ledger's charges, to the last digit.",
        parameters=[FocusParameters],
        responses={(200, each): OpenApiTypes.STR for each in _TYPES.values()},
    )
    def get(self, request: Request) -> HttpResponseBase:  # noqa: ARG002  # the framework's signature
        query = self.query(FocusParameters)
        team = self.team_asked(query.get("team"))
        low, high = read_range(query, team.time_zone if team else UTC_ZONE)
        form = query["format"]
        headers = {
            "Content-Disposition": f'attachment; filename="focus-{timezone.now():%Y-%m-%d-%H%M%S}.{form}"',
            "Cache-Control": "no-store",
        }
        return StreamingHttpResponse(
            parts_of(spans_of(team, low, high), form),
            content_type=f"{_TYPES[form]}; charset=utf-8",
            headers=headers,
        )


def read_range(told: dict[str, Any], zone: str) -> tuple[float, float]:
    """Of `from` and `to`, where they are told: Unix seconds. Raises InvalidField."""
    until = read_instant("to", told["to"], zone) if told.get("to") else timezone.now().timestamp()
    since = read_instant("from", told["from"], zone) if told.get("from") else until - _USUAL_DAYS * DAY_S
    if until <= since:
        raise InvalidField("to", "to is not after from.")
    if until - since > LONGEST_DAYS * DAY_S:
        raise InvalidField("from", f"from and to are more than {LONGEST_DAYS} days apart: ask for parts.")
    return since, until
