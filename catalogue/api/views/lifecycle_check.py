"""Whether the models that a client uses will stay: a question that its CI can ask."""

from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.management_view import StrictJsonParser
from catalogue.api.lifecycle_serializers import (
    NEAR_DAYS,
    NEAR_DAYS_MAX,
    QuestionSerializer,
    VerdictListSerializer,
)
from catalogue.api.views.base import PublishedView, refusals
from catalogue.instants import SHAPE, instant_text, parse_instant
from catalogue.lifecycle.check import Check, unknown_name
from catalogue.published.reading import Reading, read_as_of, read_now
from gateway.core.errors import ApiError

_NEAR = 3
# Comparing a name with every other one is slow; a list of nothing but typos is told of the first ones.
_NEAREST_FOR = 20


class LifecycleCheckViewSet(PublishedView):
    serializer_class = QuestionSerializer
    parser_classes = [StrictJsonParser]

    @extend_schema(
        tags=["catalogue"],
        operation_id="gateway_lifecycle_check",
        summary="Check that models will stay",
        description="One verdict for each id or alias: whether it is answered, when it ends, what replaces it, and "
        "what your team's policy does then. `ok` is false as soon as one of them needs somebody to act.",
        request=QuestionSerializer,
        responses={200: VerdictListSerializer}
        | refusals(_400="A field is unknown or its value is not allowed."),
    )
    def create(self, request: Request) -> Response:
        question = QuestionSerializer(data=request.data)
        question.is_valid(raise_exception=True)
        asked = question.validated_data
        reading = _reading_at(asked.get("at"))
        within_days = asked.get("within_days", NEAR_DAYS)
        near = timedelta(days=within_days)
        check = Check(reading.snapshot, reading.at, near, self.key.lifecycle_policy)
        rows = _judge_all(check, asked["models"])
        return Response(
            {
                "ok": all(row["ok"] for row in rows),
                "at": instant_text(reading.at),
                "within_days": within_days,
                "models": rows,
            }
        )


def _reading_at(text: str | None) -> Reading:
    """Raises ApiError."""
    if text is None:
        return read_now()
    try:
        at = parse_instant(text)
        # Whatever counts as near has to have a date too.
        at + timedelta(days=NEAR_DAYS_MAX)
    except (ValueError, OverflowError):
        raise ApiError(
            f"at must be {SHAPE}.", code="invalid_value", param="at", extra={"param": "at"}
        ) from None
    return read_as_of(at)


def _judge_all(check: Check, names: list[str]) -> list[dict[str, Any]]:
    known = [*check.snapshot.models, *check.snapshot.aliases]
    rows, unknown = [], 0
    for name in names:
        model = check.snapshot.find(name)
        if model is not None:
            rows.append(check.judge(name, model))
            continue
        unknown += 1
        nearest = get_close_matches(name, known, n=_NEAR) if unknown <= _NEAREST_FOR else []
        rows.append(unknown_name(name, nearest, check.team_policy))
    return rows
