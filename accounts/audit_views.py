"""`GET /v1/audit`: who did what in a team, as JSON a page at a time, or all of it as lines of JSON."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.auditing.exporting import LINES, send_lines
from accounts.auditing.filters import BOUNDS, read_cursor, read_filters
from accounts.auditing.querysets import AuditQuerySet
from accounts.auditing.telling import tell_all
from accounts.management_view import ManagementView, acting_of, checked, joined_lists, person_of
from accounts.models import AuditEntry, Team
from accounts.people import may_as_staff
from accounts.rights import Right
from accounts.serializers import StrictSerializer
from gateway.core.choice_field import ChoiceField
from gateway.core.errors import ApiError
from gateway.core.refusals import InvalidField

VIEW = "accounts.view_auditentry"


def _words(help_text: str) -> serializers.CharField:
    return serializers.CharField(required=False, max_length=10_000, help_text=help_text)


class AuditParameters(StrictSerializer):
    """The query of the audit; lists may be repeated, with or without brackets."""

    team = serializers.SlugField(
        required=False, help_text="A slug; staff who may see the audit and leave it out are told of all."
    )
    event_types = _words("Such as key.revoked, or key.* for all of keys.")
    actor_ids = _words("User names, and ids of keys.")
    actor_emails = _words("")
    resource_ids = _words("What the acts were on: ids of keys, slugs of teams, ids of all else.")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    after = _words("The last id of the page before: what is older.")
    before = _words("The first id of the page after: what is newer.")
    format = ChoiceField(
        choices=["json", "jsonl"], required=False, help_text="jsonl: everything, an entry on a line."
    )

    def get_fields(self) -> dict[str, Any]:
        """Names with brackets, as OpenAI has them, are none that a class can have."""
        bounds = {
            f"effective_at[{bound}]": serializers.CharField(
                required=False, max_length=40, help_text="RFC 3339, or Unix seconds."
            )
            for bound in BOUNDS
        }
        return {**super().get_fields(), **bounds}


class AuditChangeSerializer(serializers.Serializer[Any]):
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class AuditTargetSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField(help_text="As it was called then.")


class AuditEntrySerializer(serializers.Serializer[Any]):
    """Who did what. Secrets are dots."""

    id = serializers.CharField()
    object = serializers.CharField(default="audit_entry")
    type = serializers.CharField(help_text="Such as key.revoked.")
    effective_at = serializers.IntegerField(help_text="Unix seconds.")
    actor = serializers.DictField(
        help_text="By `type`: `session` (a person), `api_key`, `directory` (an identity provider), `stranger` "
        "(nobody had signed in) or `gateway`."
    )
    team = serializers.CharField(allow_null=True, help_text="The slug; null: it concerns no team.")
    request_id = serializers.CharField(allow_null=True)
    target = AuditTargetSerializer()
    changes = serializers.DictField(child=AuditChangeSerializer())


class AuditListSerializer(serializers.Serializer[Any]):
    """Entries, the newest first."""

    object = serializers.CharField(default="list")
    data = AuditEntrySerializer(many=True)  # type: ignore[assignment]  # a field's name in the answer
    first_id = serializers.CharField(allow_null=True)
    last_id = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


_EXAMPLE = {
    "id": "aud_17",
    "object": "audit_entry",
    "type": "key.revoked",
    "effective_at": 1_793_600_000,
    "actor": {
        "type": "session",
        "session": {"user": {"id": "mary", "email": "mary@example.com"}, "ip_address": "203.0.113.9"},
    },
    "team": "research",
    "request_id": "req_6f1c",
    "target": {"type": "key", "id": "A1b2C3d4E5f6", "name": "reports (sk-gw-A1b2C3d4E5f6-…)"},
    "changes": {"revoked_at": {"before": None, "after": "2026-11-02 09:30:00+00:00"}},
}
_JSON = "application/json"


class LinesRenderer(JSONRenderer):
    """Whoever accepts lines is sent them; a refusal is an object on a line."""

    media_type = LINES
    format = "jsonl"


class AuditView(ManagementView):
    """`/v1/audit`."""

    renderer_classes = [JSONRenderer, LinesRenderer]

    @extend_schema(
        tags=["team"],
        operation_id="audit_list",
        summary="Who did what in the team, the newest first, as JSON or lines of JSON",
        parameters=[AuditParameters],
        responses={(200, _JSON): AuditListSerializer, (200, LINES): OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "A revoked key",
                value={
                    "object": "list",
                    "data": [_EXAMPLE],
                    "first_id": "aud_17",
                    "last_id": "aud_17",
                    "has_more": False,
                },
                response_only=True,
                media_type=_JSON,
            )
        ],
    )
    def get(self, request: Request) -> HttpResponseBase:
        query = checked(AuditParameters, joined_lists(request.query_params))
        team = self._team(query.get("team"))
        filters = read_filters(query)
        entries: AuditQuerySet = (
            AuditEntry.objects.all() if team is None else AuditEntry.objects.filter(team=team)
        )
        entries = filters.narrow(entries)
        if _wants_lines(request, query):
            audit.record_event("audit.exported", team=team, row=team or person_of(request))
            return send_lines(entries)
        return Response(_page(entries, query))

    def _team(self, slug: str | None) -> Team | None:
        """Whose it is; None: everybody's. Raises ApiError."""
        person = person_of(self.request)
        if person is None or not may_as_staff(person, VIEW):
            return acting_of(self.request, slug, Right.AUDIT).team
        if slug is None:
            return None
        team = Team.objects.filter(slug=slug).first()
        if team is None:
            raise ApiError(f"There is no team '{slug}'.", status=404, code="team_not_found", param="team")
        return team


def _page(entries: AuditQuerySet, query: dict[str, Any]) -> dict[str, Any]:
    if "after" in query and "before" in query:
        raise InvalidField("before", "Send after or before, not both.")
    limit, entries = query["limit"], entries.newest_first()
    if "before" in query:
        newer = entries.after(read_cursor("before", query["before"])).order_by("id")[: limit + 1]
        found = list(newer)
        page, has_more = found[:limit][::-1], len(found) > limit
    else:
        if "after" in query:
            entries = entries.before(read_cursor("after", query["after"]))
        found = list(entries[: limit + 1])
        page, has_more = found[:limit], len(found) > limit
    told = tell_all(page)
    return {
        "object": "list",
        "data": told,
        "first_id": told[0]["id"] if told else None,
        "last_id": told[-1]["id"] if told else None,
        "has_more": has_more,
    }


def _wants_lines(request: Request, query: dict[str, Any]) -> bool:
    if "format" in query:
        return bool(query["format"] == "jsonl")
    return isinstance(request.accepted_renderer, LinesRenderer)
