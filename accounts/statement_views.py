"""`/v1/statements`: what teams were charged, month by month, as JSON or CSV."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.management_view import person_of
from accounts.memberships import teams_of
from accounts.models import Statement
from accounts.people import may_as_staff
from accounts.serializers import StrictSerializer
from accounts.statement_sheet import send_statement, send_statements, write_line, write_statement
from accounts.usage.access import UsageView
from gateway.core.choice_field import ChoiceField
from gateway.core.errors import ApiError

_LONGEST_NUMBER = 18


class StatementFormatParameter(StrictSerializer):
    """The query of one statement."""

    format = ChoiceField(choices=["json", "csv"], default="json")


class StatementsParameters(StatementFormatParameter):
    """The query of statements."""

    team = serializers.SlugField(
        required=False, help_text="A slug; staff who leave it out are told of all teams."
    )
    month = serializers.RegexField(r"\A\d{4}-\d{2}\Z", required=False, help_text="As 2026-10.")
    cost_centre = serializers.CharField(
        required=False, max_length=100, allow_blank=True, help_text="As it was when the month was closed."
    )
    limit = serializers.IntegerField(min_value=1, max_value=1_000, default=100)
    cursor = serializers.IntegerField(
        min_value=1,
        max_value=10**_LONGEST_NUMBER,
        required=False,
        help_text="`next_cursor` of the page before.",
    )


def _count(help_text: str = "") -> serializers.IntegerField:
    return serializers.IntegerField(help_text=help_text)


class StatementSerializer(serializers.Serializer[Any]):
    """A team's month as it was closed. It is never changed. Money in USD as text, exact."""

    number = _count("Runs without gaps over all teams.")
    month = serializers.CharField()
    zone = serializers.CharField(help_text="Where the month began and ended.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="Exclusive.")
    closed_at = serializers.DateTimeField()
    team = serializers.CharField(help_text="Its slug then.")
    team_name = serializers.CharField()
    cost_centre = serializers.CharField()
    calls = _count()
    cost_usd = serializers.CharField(help_text="By the price list.")
    charge_usd = serializers.CharField(help_text="What the team is charged.")


class StatementLineSerializer(serializers.Serializer[Any]):
    """What a project used of a model at a provider with a key; or what came later to an earlier statement."""

    corrects = serializers.IntegerField(
        allow_null=True,
        help_text="The number of the earlier statement to which it adds; null: of this month.",
    )
    project = serializers.CharField()
    key = serializers.CharField(help_text="The public id of the first key of its lineage; empty: it is gone.")
    key_name = serializers.CharField()
    model = serializers.CharField()
    provider = serializers.CharField()
    calls = _count()
    input_tokens = _count()
    output_tokens = _count()
    cached_read_tokens = _count()
    cached_write_tokens = _count()
    cost_usd = serializers.CharField()
    factor = serializers.CharField(allow_null=True, help_text="Null: what came later does not tell it.")
    charge_usd = serializers.CharField()
    own_cost_usd = serializers.CharField(
        help_text="What calls on the team's own credentials would have cost. It is not charged."
    )


class WholeStatementSerializer(StatementSerializer):
    """One with its lines."""

    lines = StatementLineSerializer(many=True)


class StatementsSerializer(serializers.Serializer[Any]):
    """Statements, the latest first."""

    object = serializers.CharField(default="list")
    data = StatementSerializer(many=True)  # type: ignore[assignment]  # a field's name in the answer
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


_EXAMPLE = {
    "number": 42,
    "month": "2026-10",
    "zone": "Europe/Berlin",
    "starts_at": "2026-09-30T22:00:00Z",
    "ends_at": "2026-10-31T23:00:00Z",
    "closed_at": "2026-11-04T00:10:00Z",
    "team": "research",
    "team_name": "Research",
    "cost_centre": "4711",
    "calls": 2,
    "cost_usd": "0.00042",
    "charge_usd": "0.000378",
}
_LINE = {
    "corrects": None,
    "project": "invoices",
    "key": "A1b2C3d4E5f6",
    "key_name": "reports",
    "model": "acme/one",
    "provider": "acme",
    "calls": 2,
    "input_tokens": 120,
    "output_tokens": 80,
    "cached_read_tokens": 0,
    "cached_write_tokens": 0,
    "cost_usd": "0.00042",
    "factor": "0.9",
    "charge_usd": "0.000378",
    "own_cost_usd": "0",
}
_JSON, _CSV = "application/json", "text/csv"


class _StatementBase(UsageView):
    def statements_of(self, slug: str | None) -> "QuerySet[Statement]":
        """Those that the caller may read. Raises ApiError."""
        team = self.team_asked(slug)
        return Statement.objects.all() if team is None else Statement.objects.filter(team=team)


class StatementsView(_StatementBase):
    """`/v1/statements`."""

    @extend_schema(
        tags=["usage"],
        operation_id="statement_list",
        summary="List statements of closed months, the latest first, as JSON or CSV",
        parameters=[StatementsParameters],
        responses={(200, _JSON): StatementsSerializer, (200, _CSV): OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "A month",
                value={"object": "list", "data": [_EXAMPLE], "has_more": False, "next_cursor": None},
                response_only=True,
                media_type=_JSON,
            )
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:  # noqa: ARG002  # the framework's signature
        query = self.query(StatementsParameters)
        found = self.statements_of(query.get("team"))
        found = found.filter(**{name: query[name] for name in ("month", "cost_centre") if name in query})
        if "cursor" in query:
            found = found.filter(number__lt=query["cursor"])
        if query["format"] == "csv":
            return send_statements(found)
        limit = query["limit"]
        rows = list(found[: limit + 1])
        page, has_more = rows[:limit], len(rows) > limit
        return Response(
            {
                "object": "list",
                "data": [write_statement(each) for each in page],
                "has_more": has_more,
                "next_cursor": str(page[-1].number) if has_more else None,
            }
        )


class StatementView(_StatementBase):
    """`/v1/statements/{number}`."""

    @extend_schema(
        tags=["usage"],
        operation_id="statement_retrieve",
        summary="Show one statement with its lines, as JSON or CSV",
        parameters=[
            OpenApiParameter("number", OpenApiTypes.INT, OpenApiParameter.PATH),
            StatementFormatParameter,
        ],
        responses={(200, _JSON): WholeStatementSerializer, (200, _CSV): OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "A month", value=_EXAMPLE | {"lines": [_LINE]}, response_only=True, media_type=_JSON
            )
        ],
    )
    def get(self, request: Request, number: str) -> HttpResponseBase:  # noqa: ARG002  # the framework's signature
        query = self.query(StatementFormatParameter)
        statement = self._found(number)
        if query["format"] == "csv":
            return send_statement(statement)
        lines = [write_line(line) for line in statement.lines.all()]
        return Response(write_statement(statement) | {"lines": lines})

    def _found(self, number: str) -> Statement:
        is_number = number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER
        found: Statement | None = Statement.objects.filter(pk=int(number)).first() if is_number else None
        person = person_of(self.request)
        if person is None or not may_as_staff(person, "accounts.view_ledgerentry"):
            found = found if found and found.team_id in self._readable_teams() else None
        if found is None:
            raise ApiError(
                f"There is no statement '{number[:40]}'.", status=404, code="not_found", param="number"
            )
        return found

    def _readable_teams(self) -> set[int]:
        person = person_of(self.request)
        if person is None:
            return {team.pk} if (team := self.team_asked(None)) else set()
        open_teams = teams_of(person).filter(is_active=True, archived_at__isnull=True)
        return set(open_teams.values_list("pk", flat=True))
