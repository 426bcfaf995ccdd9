"""What all of management shares: whose team is acted for, and who may."""

from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from django.db.models import Model, QuerySet
from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.acting import Acting
from accounts.authentication import KeyAuthentication, KeyPrincipal, SessionAuthentication
from accounts.memberships import teams_of
from accounts.models import Key, Team, User
from accounts.rights import Right, rights_of_key
from accounts.scopes import FEED
from accounts.serializers import TeamParameter
from gateway.core.errors import ApiError

_Row = TypeVar("_Row", bound=Model)


class MayManageKeys(BasePermission):
    """People do in their teams, and management keys in theirs."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002  # the framework's signature
        principal = request.user
        if isinstance(principal, KeyPrincipal) and not principal.may_manage:
            may = "read the catalogue" if FEED in principal.facts.scopes else "list and call models"
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


class ManagementView(APIView):
    """Acts for one team: that of the key, or the one that a person names where they belong to several."""

    authentication_classes = [KeyAuthentication, SessionAuthentication]
    permission_classes = [MayManageKeys]
    parser_classes = [StrictJsonParser]

    def acting(self, right: Right = Right.READ) -> Acting:
        """For the team that is asked for, where the caller may do that there. Raises ApiError, Refused."""
        query = checked(TeamParameter, self.request.query_params.dict())
        return acting_of(self.request, query.get("team"), right)

    def asked_team(self, right: Right = Right.READ) -> Team:
        return self.acting(right).team


def find_row(rows: QuerySet[_Row], text: str, what: str) -> _Row:
    """The one whose id is in the address, of those that the caller may see; `what` it is. Raises ApiError."""
    # As long as the ids that there are: no database is asked for others.
    is_id = text.isascii() and text.isdecimal() and len(text) < 19
    row = rows.filter(pk=int(text)).first() if is_id else None
    if row is None:
        raise ApiError(f"There is no {what}.", status=404, code="not_found")
    return row


def page_of(rows: QuerySet[_Row], query: dict[str, Any], write: Callable[[list[_Row]], Any]) -> Response:
    """One page of a list; `query` says its `limit` and `offset`."""
    limit, offset = query["limit"], query["offset"]
    data = write(list(rows[offset : offset + limit]))
    return Response({"object": "list", "total": rows.count(), "limit": limit, "offset": offset, "data": data})


def checked(kind: Any, data: Any, *, partial: bool = False) -> dict[str, Any]:
    serializer = kind(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def joined_lists(query: QueryDict) -> dict[str, str]:
    """A query whose lists may be written as `name=a,b`, `name=a&name=b` or `name[]=a&name[]=b`."""
    told: dict[str, str] = {}
    for name, values in query.lists():
        plain = name.removesuffix("[]")
        told[plain] = ",".join([told[plain], *values] if plain in told else values)
    return told


def team_of(request: Request, slug: str | None) -> Team:
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


def acting_of(request: Request, slug: str | None, right: Right = Right.READ) -> Acting:
    """For the team of that slug, or the only one. Raises ApiError, Refused."""
    team, principal, person = team_of(request, slug), request.user, person_of(request)
    owner = principal.key.owner_id if isinstance(principal, KeyPrincipal) else person and person.pk
    membership = team.memberships.active().filter(user=owner).first() if owner is not None else None
    if isinstance(principal, KeyPrincipal):
        rights = (
            rights_of_key(membership.role if membership else None) if principal.may_manage else _OF_OTHER_KEYS
        )
        acting = Acting(None, team, membership, rights, principal.key)
    else:
        acting = Acting(person, team, membership, membership.rights if membership else frozenset())
    acting.check(right)
    return acting


_OF_OTHER_KEYS = frozenset({Right.READ})


def _teams(request: Request) -> list[Team]:
    person = person_of(request)
    if person is not None:
        return list(teams_of(person).filter(is_active=True, archived_at__isnull=True))
    return [request.user.team] if isinstance(request.user, KeyPrincipal) else []


def person_of(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None


def maker_of(request: Request) -> Key | None:
    """The key that acts; None where a person does."""
    return request.user.key if isinstance(request.user, KeyPrincipal) else None
