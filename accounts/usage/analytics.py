"""`/v1/analytics`: how many calls there were and how they ended, by provider, model, project and day, in few words."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import LedgerEntry
from accounts.serializers import TeamParameter
from accounts.usage.access import UsageView
from accounts.usage.parameters import check_values
from accounts.usage.question import Question
from accounts.usage.reader import read_usage
from accounts.usage.times import WHOLE_DAY
from accounts.windows import DAY_S

_GROUPS = {"providers": "provider", "models": "model", "projects": "project"}


class AnalyticsParameters(TeamParameter):
    """The query of the counts."""

    project_id = serializers.CharField(
        required=False, max_length=64, help_text="A project's slug, or a free tag."
    )
    days = serializers.IntegerField(
        min_value=1, max_value=365, default=30, help_text="So many days of UTC, of which today is the last."
    )


class AnalyticsDaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    total_requests = serializers.IntegerField()
    successful_requests = serializers.IntegerField()
    failed_requests = serializers.IntegerField()


class AnalyticsSerializer(serializers.Serializer[Any]):
    """Calls, each once, however many providers were tried."""

    total_requests = serializers.IntegerField()
    successful_requests = serializers.IntegerField()
    failed_requests = serializers.IntegerField(help_text="All others, with those that their clients ended.")
    success_rate = serializers.FloatField(help_text="From 0 to 1.")
    providers = serializers.DictField(child=serializers.IntegerField(), help_text="Calls by provider.")
    models = serializers.DictField(child=serializers.IntegerField(), help_text="Calls by model.")
    projects = serializers.DictField(child=serializers.IntegerField(), help_text="Calls by project.")
    daily = AnalyticsDaySerializer(many=True, help_text="Of each day, the first one first.")


_COUNTS = {"total_requests": 3, "successful_requests": 2, "failed_requests": 1}


class AnalyticsView(UsageView):
    """`/v1/analytics`."""

    @extend_schema(
        tags=["usage"],
        operation_id="analytics_retrieve",
        summary="Count calls by how they ended, by provider, model, project and day",
        parameters=[AnalyticsParameters],
        responses=AnalyticsSerializer,
        examples=[
            OpenApiExample(
                "A day",
                value=_COUNTS
                | {
                    "success_rate": 0.6667,
                    "providers": {"acme": 3},
                    "models": {"acme/one": 3},
                    "projects": {"invoices": 2},
                    "daily": [{"date": "2026-11-02"} | _COUNTS],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002  # the framework's signature
        query = self.query(AnalyticsParameters)
        team = self.team_asked(query.get("team"))
        end = (int(timezone.now().timestamp()) // DAY_S + 1) * DAY_S
        narrowed = {}
        if "project_id" in query:
            narrowed["project"] = check_values("project_id", [query["project_id"]])
        groups = (*_GROUPS.values(), "outcome")
        low = end - query["days"] * DAY_S
        question = Question(
            low, end, WHOLE_DAY, groups=groups, filters=narrowed, team_id=team.pk if team else None
        )
        return Response(_write(question))


def _write(question: Question) -> dict[str, Any]:
    totals: Counter[int] = Counter()
    good: Counter[int] = Counter()
    named: dict[str, Counter[str]] = {name: Counter() for name in _GROUPS}
    for row in read_usage(question):
        (day, *names, outcome), calls = row.key, row.sums["calls"]
        totals[day] += calls
        good[day] += calls if outcome == LedgerEntry.Outcome.FINISHED else 0
        for counter, name in zip(named.values(), names, strict=True):
            if name and calls:
                counter[name] += calls
    days = range(question.low, question.high, DAY_S)
    total, successful = totals.total(), good.total()
    return {
        **_counts(total, successful),
        "success_rate": round(successful / total, 4) if total else 0.0,
        **{name: dict(counter.most_common()) for name, counter in named.items()},
        "daily": [
            {"date": datetime.fromtimestamp(day, UTC).date().isoformat()} | _counts(totals[day], good[day])
            for day in days
        ],
    }


def _counts(total: int, successful: int) -> dict[str, int]:
    return {
        "total_requests": total,
        "successful_requests": successful,
        "failed_requests": total - successful,
    }
