"""`/v1/keys`: a team's keys, for its members and its management keys."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import services
from accounts.acting import Acting, check_may_issue
from accounts.described import TEAM, examples, page_of_one
from accounts.key_facts import with_owners
from accounts.management_view import ManagementView, checked, maker_of, page_of, person_of, team_of
from accounts.memberships import hand_over_key, people_of
from accounts.models import Key, Team
from accounts.querysets import KeyQuerySet
from accounts.repeats import HEADER, issue_once
from accounts.rights import Right
from accounts.serializers import (
    ChangedKeySerializer,
    HandOverSerializer,
    IssuedKeySerializer,
    KeyChangesSerializer,
    KeyListSerializer,
    KeySerializer,
    ListParameters,
    NewKeySerializer,
    RotationSerializer,
)
from gateway.core.errors import ApiError
from gateway.core.refusals import InvalidField

_KEY = {
    "id": "3kT9vQ2mXw7B",
    "object": "key",
    "name": "billing service, production",
    "team": "research",
    "owner": None,
    "service_account": "billing",
    "project": "invoices",
    "scope": "inference",
    "scopes": ["catalogue", "inference"],
    "state": "active",
    "stopped_by": None,
    "requests_per_minute": 600,
    "concurrency": None,
    "model_patterns": ["anthropic/*"],
    "denied_model_patterns": ["*-preview"],
    "provider_patterns": [],
    "denied_provider_patterns": [],
    "surfaces": ["messages"],
    "ip_ranges": ["192.0.2.0/24"],
    "regions": ["eu"],
    "quantizations": [],
    "zero_retention": False,
    "no_data_collection": True,
    "lane": "auto",
    "may_search_elsewhere": False,
    "timeout_ms": 30000,
    "created_at": "2026-11-02T09:30:00Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": "2026-11-02T09:41:12Z",
    "replaces": None,
    "successor": None,
}
_ONCE = OpenApiParameter(
    HEADER,
    {"type": "string", "maxLength": 255},
    OpenApiParameter.HEADER,
    description="Names this request for 24 hours: sent again with the same body, it is answered with the same key and "
    "200. The key itself is shown again within ten minutes; then `key` is null.",
)
_ANSWER = OpenApiExample("A key", value=_KEY, response_only=True)
_REQUEST = OpenApiExample(
    "A key for one vendor's models",
    value={
        "name": "billing service, production",
        "requests_per_minute": 600,
        "model_patterns": ["anthropic/*"],
    },
    request_only=True,
)
_CHANGED = OpenApiExample("A changed key", value=_KEY | {"warnings": []}, response_only=True)
_ISSUED = OpenApiExample(
    "Issued", value={"key": "sk-gw-3kT9vQ2mXw7B-…"} | _KEY | {"warnings": []}, response_only=True
)
_HANDED = OpenApiExample("To a program", value={"service_account": "billing"}, request_only=True)
_ROTATION = OpenApiExample("An hour for both", value={"overlap_s": 3600}, request_only=True)


@extend_schema_view(
    list=extend_schema(
        summary="List the team's keys",
        parameters=[TEAM, ListParameters],
        responses=KeyListSerializer,
        examples=examples(told=page_of_one(_KEY)),
    ),
    create=extend_schema(
        summary="Issue a key; the answer is the only place that ever shows it",
        parameters=[TEAM, _ONCE],
        request=NewKeySerializer,
        responses={201: IssuedKeySerializer, 200: IssuedKeySerializer},
        examples=[_REQUEST, _ISSUED],
    ),
    retrieve=extend_schema(
        summary="Get one key", parameters=[TEAM], responses=KeySerializer, examples=[_ANSWER]
    ),
    partial_update=extend_schema(
        summary="Change a key's name, limits, what it may reach, project, lane, web search or expiry",
        parameters=[TEAM],
        request=KeyChangesSerializer,
        responses=ChangedKeySerializer,
        examples=[_REQUEST, _CHANGED],
    ),
    destroy=extend_schema(
        summary="Revoke a key for good, in every process within a second",
        parameters=[TEAM],
        responses={200: KeySerializer},
        examples=[_ANSWER],
    ),
    rotate=extend_schema(
        summary="Issue a key in place of another one, which keeps working for the overlap",
        parameters=[TEAM, _ONCE],
        request=RotationSerializer,
        responses={201: IssuedKeySerializer, 200: IssuedKeySerializer},
        examples=[_ROTATION, _ISSUED],
    ),
    hand_over=extend_schema(
        summary="Make a key another member's, a service account's or the team's own",
        parameters=[TEAM],
        request=HandOverSerializer,
        responses=KeySerializer,
        examples=[_HANDED, _ANSWER],
    ),
    revoke=extend_schema(
        summary="Revoke a key for good, as DELETE does",
        parameters=[TEAM],
        request=None,
        responses=KeySerializer,
        examples=[_ANSWER],
    ),
)
class KeyViewSet(ManagementView, GenericViewSet[Key]):
    serializer_class = KeySerializer
    pagination_class = None
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    queryset = Key.objects.none()

    def list(self, request: Request) -> Response:
        query = checked(ListParameters, request.query_params.dict())
        keys = self._keys(team_of(request, query.get("team"))).lasting(timezone.now())
        return page_of(keys, query, lambda page: KeySerializer(page, many=True).data)

    def create(self, request: Request) -> Response:
        acting = self.acting()
        team = acting.team
        terms = _with_rows(team, checked(NewKeySerializer, request.data))
        check_may_issue(acting, terms)
        person, maker = person_of(request), maker_of(request)
        return self._issued(
            lambda: services.issue_key(team=team, created_by=person, maker=maker, **terms), team
        )

    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return Response(KeySerializer(self._key(id)[0]).data)

    def partial_update(self, request: Request, id: str) -> Response:  # noqa: A002
        key = self._changeable(id)
        changes = _with_rows(key.team, checked(KeyChangesSerializer, request.data, partial=True))
        changed = services.update_key(key=key, maker=maker_of(request), **changes)
        return Response(ChangedKeySerializer(changed).data)

    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        return self._revoke(id)

    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, id: str) -> Response:  # noqa: A002
        key = self._changeable(id)
        given = checked(RotationSerializer, request.data)
        overlap = timedelta(seconds=given["overlap_s"]) if "overlap_s" in given else services.OVERLAP
        person, maker = person_of(request), maker_of(request)
        return self._issued(
            lambda: services.rotate_key(key=key, overlap=overlap, created_by=person, maker=maker), key.team
        )

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        return self._revoke(id)

    @action(detail=True, methods=["post"], url_path="hand-over", url_name="hand-over")
    def hand_over(self, request: Request, id: str) -> Response:  # noqa: A002
        key, acting = self._key(id)
        given = _with_rows(acting.team, checked(HandOverSerializer, request.data))
        acting.check(Right.KEYS)
        if given.get("owner") and given.get("service_account"):
            raise InvalidField("service_account", "A key has one owner: a person or a service account.")
        to = given.get("owner") or given.get("service_account")
        hand_over_key(key=key, to=to, by=acting)
        return Response(KeySerializer(self._key(id)[0]).data)

    def _issued(self, issue: Callable[[], tuple[Key, str]], team: Team) -> Response:
        person, maker = person_of(self.request), maker_of(self.request)
        actor = f"{team.pk} key {maker.lineage_id}" if maker else f"{team.pk} person {person and person.pk}"
        key, text, was_issued = issue_once(self.request, actor, issue)
        told = {"key": text} | ChangedKeySerializer(key).data
        if was_issued:
            return Response(told, headers={"Idempotent-Replayed": "true"})
        return Response(told, status=status.HTTP_201_CREATED)

    def _revoke(self, public_id: str) -> Response:
        return Response(KeySerializer(services.revoke_key(key=self._changeable(public_id))).data)

    def _keys(self, team: Team) -> KeyQuerySet:
        return with_owners(Key.objects.for_team(team).with_limits())

    def _changeable(self, public_id: str) -> Key:
        """Raises ApiError, Refused."""
        key, acting = self._key(public_id)
        if not acting.may_manage(key):
            acting.check(Right.KEYS)
        return key

    def _key(self, public_id: str) -> tuple[Key, Acting]:
        acting = self.acting()
        keys = self._keys(acting.team)
        # Nothing but letters and digits reaches SQL: PostgreSQL fails on a NUL.
        key = keys.filter(public_id=public_id).first() if public_id.isalnum() else None
        if key is None:
            raise ApiError(f"There is no key '{public_id}' in this team.", status=404, code="key_not_found")
        return key, acting


def _with_rows(team: Team, terms: dict[str, Any]) -> dict[str, Any]:
    """Of owner, service account and project the team's rows, in place of their names. Raises InvalidField."""
    people = people_of(team)
    rows = {
        "owner": (people, "username", "a member"),
        "service_account": (team.service_accounts.all(), "slug", "a service account"),
        "project": (team.projects.all(), "slug", "a project"),
    }
    found = dict(terms)
    for field, (queryset, name, what) in rows.items():
        if terms.get(field) is not None:
            row = queryset.filter(**{name: terms[field]}).first()
            if row is None:
                raise InvalidField(field, f"{field} is {terms[field]!r}, which is not {what} of this team.")
            found[field] = row
    return found
