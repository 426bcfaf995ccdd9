"""`/v1/keys`: a team's keys, for its members and its management keys."""

from typing import Any

import orjson
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts import services
from accounts.authentication import KeyAuthentication, KeyPrincipal, SessionAuthentication
from accounts.models import Key, Team, User
from accounts.querysets import KeyQuerySet
from accounts.serializers import (
    ChangedKeySerializer,
    IssuedKeySerializer,
    KeyChangesSerializer,
    KeyListSerializer,
    KeySerializer,
    ListParameters,
    NewKeySerializer,
    TeamParameter,
)
from gateway.core.errors import ApiError

_KEY = {
    "id": "3kT9vQ2mXw7B",
    "object": "key",
    "name": "billing service, production",
    "team": "research",
    "scope": "inference",
    "state": "active",
    "requests_per_minute": 600,
    "concurrency": None,
    "model_patterns": ["anthropic/*"],
    "lane": "auto",
    "may_search_elsewhere": False,
    "created_at": "2026-11-02T09:30:00Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": "2026-11-02T09:41:12Z",
}
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
_PAGE = OpenApiExample(
    "One page",
    value={"object": "list", "total": 1, "limit": 50, "offset": 0, "data": [_KEY]},
    response_only=True,
)
_TEAM = OpenApiParameter(
    "team",
    {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
    description="The team's slug; needed by people who belong to several teams.",
)


class MayManageKeys(BasePermission):
    """People do in their teams, and management keys in theirs."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002  # the framework's signature
        principal = request.user
        if isinstance(principal, KeyPrincipal) and not principal.may_manage:
            may = "read the catalogue" if principal.key.scope == Key.Scope.FEED else "list and call models"
            raise ApiError(
                f"This is a key of scope {principal.key.scope}: it may {may}. Use a management key to manage keys.",
                status=403,
                code="management_key_required",
            )
        return bool(principal and principal.is_authenticated)


class StrictJsonParser(JSONParser):
    """Takes UTF-8 JSON of sane depth, and no NaN."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:  # noqa: ARG002
        try:
            return orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from None


@extend_schema_view(
    list=extend_schema(
        summary="List the team's keys",
        parameters=[_TEAM, ListParameters],
        responses=KeyListSerializer,
        examples=[_PAGE],
    ),
    create=extend_schema(
        summary="Issue a key; the answer is the only place that ever shows it",
        parameters=[_TEAM],
        request=NewKeySerializer,
        responses={201: IssuedKeySerializer},
        examples=[_REQUEST, _ISSUED],
    ),
    retrieve=extend_schema(
        summary="One key", parameters=[_TEAM], responses=KeySerializer, examples=[_ANSWER]
    ),
    partial_update=extend_schema(
        summary="Change a key's name, limits, patterns, lane, web search or expiry",
        parameters=[_TEAM],
        request=KeyChangesSerializer,
        responses=ChangedKeySerializer,
        examples=[_REQUEST, _CHANGED],
    ),
    destroy=extend_schema(
        summary="Revoke a key for good, in every process within a second",
        parameters=[_TEAM],
        responses={200: KeySerializer},
        examples=[_ANSWER],
    ),
    revoke=extend_schema(
        summary="Revoke a key for good, as DELETE does",
        parameters=[_TEAM],
        request=None,
        responses=KeySerializer,
        examples=[_ANSWER],
    ),
)
class KeyViewSet(GenericViewSet[Key]):
    authentication_classes = [KeyAuthentication, SessionAuthentication]
    permission_classes = [MayManageKeys]
    parser_classes = [StrictJsonParser]
    serializer_class = KeySerializer
    pagination_class = None
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    queryset = Key.objects.none()

    def list(self, request: Request) -> Response:
        query = _checked(ListParameters, request.query_params.dict())
        keys = self._keys(_team(request, query.get("team")))
        limit, offset = query["limit"], query["offset"]
        page = KeySerializer(keys[offset : offset + limit], many=True).data
        return Response(
            {"object": "list", "total": keys.count(), "limit": limit, "offset": offset, "data": page}
        )

    def create(self, request: Request) -> Response:
        team = self._asked_team()
        terms = _checked(NewKeySerializer, request.data)
        key, text = services.issue_key(team=team, created_by=_person(request), **terms)
        return Response({"key": text} | ChangedKeySerializer(key).data, status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return Response(KeySerializer(self._key(id)).data)

    def partial_update(self, request: Request, id: str) -> Response:  # noqa: A002
        key = self._key(id)
        changes = _checked(KeyChangesSerializer, request.data, partial=True)
        return Response(ChangedKeySerializer(services.update_key(key=key, **changes)).data)

    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        return self._revoke(id)

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        return self._revoke(id)

    def _revoke(self, public_id: str) -> Response:
        return Response(KeySerializer(services.revoke_key(key=self._key(public_id))).data)

    def _keys(self, team: Team) -> KeyQuerySet:
        return Key.objects.for_team(team).select_related("team")

    def _key(self, public_id: str) -> Key:
        keys = self._keys(self._asked_team())
        # Nothing but letters and digits reaches SQL: PostgreSQL fails on a NUL.
        key = keys.filter(public_id=public_id).first() if public_id.isalnum() else None
        if key is None:
            raise ApiError(f"There is no key '{public_id}' in this team.", status=404, code="key_not_found")
        return key

    def _asked_team(self) -> Team:
        query = _checked(TeamParameter, self.request.query_params.dict())
        return _team(self.request, query.get("team"))


def _checked(kind: Any, data: Any, *, partial: bool = False) -> dict[str, Any]:
    serializer = kind(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _team(request: Request, slug: str | None) -> Team:
    """The team that is acted for. Raises ApiError where it is not the caller's, or not clear."""
    teams = _teams(request)
    chosen = [team for team in teams if slug in {None, team.slug}]
    if slug is not None and not chosen:
        raise ApiError(f"You belong to no team '{slug}'.", status=404, code="team_not_found", param="team")
    if not chosen:
        raise ApiError("You belong to no team that is switched on.", status=403, code="no_team")
    if len(chosen) > 1:
        slugs = ", ".join(sorted(team.slug for team in chosen))
        raise ApiError(
            f"You belong to several teams. Name one as 'team': {slugs}.", code="required", param="team"
        )
    return chosen[0]


def _teams(request: Request) -> list[Team]:
    person = _person(request)
    if person is not None:
        return list(person.teams.filter(is_active=True))
    return [request.user.team] if isinstance(request.user, KeyPrincipal) else []


def _person(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None
