"""`/v1/usage`: what was used in any range, by any groups, as JSON or CSV."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.budget_terms import check_zone
from accounts.models import LedgerEntry, Team
from accounts.serializers import StrictSerializer
from accounts.usage.access import UsageView
from accounts.usage.answers import (
    UsageListSerializer,
    told_to,
    write_instant,
    write_rows,
    write_sums,
)
from accounts.usage.names import columns_of, find_values
from accounts.usage.parameters import (
    GROUPS,
    check_groups,
    check_values,
    fit_range,
    read_cursor,
    read_instant,
    read_words,
    write_cursor,
)
from accounts.usage.question import Question
from accounts.usage.reader import add_rows, is_read_from_quarters, read_total, read_usage
from accounts.usage.rollups import UTC_ZONE
from accounts.usage.sheet import send_sheet
from accounts.usage.times import HOUR, LONGEST_DAYS, QUARTER, WHOLE_DAY, WHOLE_MONTH
from accounts.windows import DAY_S
from gateway.core.choice_field import ChoiceField
from gateway.core.refusals import InvalidField

_USUAL_DAYS = {QUARTER: 1, HOUR: 7, WHOLE_MONTH: 365}
_OTHERS_USUAL_DAYS = 30
_CLOSED = {"outcome": LedgerEntry.Outcome.values, "kind": LedgerEntry.Kind.values}
_INSTANT = "RFC 3339, a day (its midnight in `zone`), or Unix seconds."


class UsageParameters(StrictSerializer):
    """The query of usage. Each filter is a name or several with commas between them; an empty one means none."""

    team = serializers.SlugField(
        required=False, help_text="A slug; staff who leave it out are told of all teams."
    )
    start_time = serializers.CharField(required=False, help_text="`from` by another name.")
    end_time = serializers.CharField(required=False, help_text="`to` by another name.")
    bucket = ChoiceField(choices=list(LONGEST_DAYS), default=WHOLE_DAY)
    zone = serializers.CharField(
        required=False,
        max_length=64,
        help_text="The time zone in which months, days and hours begin; the team's where it is left out.",
    )
    group_by = serializers.CharField(
        required=False, help_text=f"Any of {', '.join(GROUPS)}, with commas between."
    )
    limit = serializers.IntegerField(min_value=1, max_value=1_000, default=100, help_text="Rows of a page.")
    cursor = serializers.CharField(required=False, help_text="`next_cursor` of the page before.")
    format = ChoiceField(choices=["json", "csv"], default="json", help_text="csv: all of it, in one sheet.")

    def get_fields(self) -> dict[str, Any]:
        bounds = {
            "from": serializers.CharField(required=False, help_text=f"Inclusive. {_INSTANT}"),
            "to": serializers.CharField(
                required=False, help_text=f"Exclusive; now, where it is left out. {_INSTANT}"
            ),
        }
        filters = {
            name: serializers.CharField(required=False, allow_blank=True) for name in GROUPS if name != "team"
        }
        return {**bounds, **super().get_fields(), **filters}


_ROW = {
    "starts_at": "2026-11-02T00:00:00Z",
    "ends_at": "2026-11-03T00:00:00Z",
    "model": "acme/one",
    "calls": 2,
    "attempts": 3,
    "input_tokens": 120,
    "output_tokens": 80,
    "cost_usd": "0.00042",
    "charge_usd": "0.00042",
}


class UsageListView(UsageView):
    """`/v1/usage`."""

    @extend_schema(
        tags=["usage"],
        operation_id="usage_list",
        summary="Say what was used in a range of time, by any groups, as JSON or CSV",
        parameters=[UsageParameters],
        responses={(200, "application/json"): UsageListSerializer, (200, "text/csv"): OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "By day and model",
                value={"object": "list", "bucket": "1d", "zone": "UTC", "data": [_ROW], "has_more": False},
                response_only=True,
                media_type="application/json",
            )
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:  # noqa: ARG002  # the framework's signature
        query = self.query(UsageParameters)
        team = self.team_asked(query.get("team"))
        groups = (
            check_groups("group_by", read_words([query["group_by"]]), GROUPS) if "group_by" in query else []
        )
        question = _question(query, team, groups)
        names = told_to(is_operator=team is None)
        if query["format"] == "csv":
            return send_sheet(question, groups, names)
        return Response(_page(query, question, groups, names))


def _question(query: dict[str, Any], team: Team | None, groups: Sequence[str]) -> Question:
    zone = query.get("zone") or (team.time_zone if team else UTC_ZONE)
    check_zone(zone)
    low, high = _range(query, zone)
    filters = {
        GROUPS[name]: find_values(name, _words(query, name), team)
        for name in GROUPS
        if name in query and name != "team"
    }
    asked = Question(low, high, query["bucket"], zone, columns_of(groups), filters, team.pk if team else None)
    _check_cost(asked)
    return asked


def _check_cost(asked: Question) -> None:
    """Raises InvalidField: as many quarters of an hour would be read as no range of hours may have."""
    most = LONGEST_DAYS[HOUR]
    if asked.high - asked.low > (most + 1) * DAY_S and is_read_from_quarters(asked):
        raise InvalidField(
            "zone",
            f"Of teams whose days begin elsewhere than in {asked.zone}, {most} days can be asked for at most: ask for "
            "less, for a team in its own zone, or with bucket none.",
        )


def _words(query: dict[str, Any], name: str) -> Sequence[str]:
    words = check_values(name, read_words([query[name]]))
    return check_groups(name, words, _CLOSED[name]) if name in _CLOSED else words


def _range(query: dict[str, Any], zone: str) -> tuple[int, int]:
    names = []
    for name, other in (("from", "start_time"), ("to", "end_time")):
        if name in query and other in query:
            raise InvalidField(other, f"{other} is {name} by another name: leave one of them out.")
        names.append(other if other in query else name)
    begin, end = names
    until = read_instant(end, query[end], zone) if end in query else timezone.now().timestamp()
    usual_s = _USUAL_DAYS.get(query["bucket"], _OTHERS_USUAL_DAYS) * DAY_S
    since = read_instant(begin, query[begin], zone) if begin in query else until - usual_s
    return fit_range((begin, end), since, until, query["bucket"])


def _page(
    query: dict[str, Any], question: Question, groups: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    cursor, limit = query.get("cursor"), query["limit"]
    after = None if cursor is None else read_cursor("cursor", cursor, question.groups)
    rows = read_usage(question, after=after, limit=limit + 1)
    has_more, page = len(rows) > limit, rows[:limit]
    is_all = after is None and not has_more
    return {
        "object": "list",
        "from": write_instant(question.low),
        "to": write_instant(question.high),
        "bucket": question.bucket,
        "zone": question.zone,
        "totals": write_sums(add_rows(page) if is_all else read_total(question), names),
        "data": write_rows(page, groups, question.bounds, names),
        "has_more": has_more,
        "next_cursor": write_cursor(page[-1].key) if has_more else None,
    }
