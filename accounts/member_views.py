"""`/v1/members` and `/v1/invitations`: who belongs to a team, and who is asked to."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import invitations, memberships
from accounts.acting import Acting
from accounts.described import examples, operation, page_of_one
from accounts.management_view import ManagementView, acting_of, checked, find_row, page_of, person_of
from accounts.member_serializers import (
    AcceptanceSerializer,
    InvitationListSerializer,
    InvitationSerializer,
    LeavingParameters,
    MemberChangesSerializer,
    MemberListParameters,
    MemberListSerializer,
    MemberSerializer,
    NewInvitationSerializer,
    RenewalSerializer,
    SentInvitationSerializer,
)
from accounts.memberships import KeysThen
from accounts.models import Invitation, Membership, Team
from accounts.rights import Right
from accounts.serializers import ListParameters
from gateway.core.errors import ApiError
from gateway.core.links import origin_of
from gateway.core.refusals import InvalidField

_GRANT = {"source": "manual", "origin": "", "role": "admin", "until": None}
_MEMBER = {
    "id": "17",
    "object": "member",
    "team": "research",
    "username": "mary",
    "email": "mary@example.com",
    "role": "admin",
    "state": "active",
    "grants": [_GRANT],
    "created_at": "2026-11-02T09:30:00Z",
    "suspended_at": None,
}
_INVITATION = {
    "id": "4",
    "object": "invitation",
    "team": "research",
    "email": "ann@example.com",
    "role": "member",
    "state": "open",
    "invited_by": "mary",
    "created_at": "2026-11-02T09:30:00Z",
    "expires_at": "2026-11-09T09:30:00Z",
    "sent_at": None,
    "accepted_at": None,
    "accepted_by": None,
    "withdrawn_at": None,
}
_LINK = {"mail_sent": False, "link": "https://gateway.example.com/invitation#…"}


def _rows(team: Team) -> QuerySet[Membership]:
    return team.memberships.select_related("user", "team").prefetch_related("grants").order_by("pk")


def _write(acting: Acting, rows: list[Membership]) -> Any:
    context = {"tells_email": acting.may(Right.MEMBERS)}
    return MemberSerializer(rows, many=True, context=context).data


@extend_schema_view(
    get=operation(
        "member_list",
        "List the people of the team, those who left too",
        query=[MemberListParameters],
        responses=MemberListSerializer,
        told=page_of_one(_MEMBER),
    )
)
class MembersView(ManagementView):
    """`/v1/members`. Who joins accepts an invitation, or comes by an identity provider."""

    def get(self, request: Request) -> Response:
        query = checked(MemberListParameters, request.query_params.dict())
        acting = acting_of(request, query.get("team"))
        rows = _rows(acting.team)
        if "state" in query:
            rows = rows.filter(suspended_at__isnull=query["state"] == "active")
        return page_of(rows, query, lambda page: _write(acting, page))


@extend_schema_view(
    get=operation("member_retrieve", "One of the team's people", responses=MemberSerializer, told=_MEMBER),
    patch=operation(
        "member_partial_update",
        "Give somebody another role, or let back in who left; only people who signed in may",
        request=MemberChangesSerializer,
        responses=MemberSerializer,
        sent={"role": "viewer"},
        told=_MEMBER,
    ),
    delete=operation(
        "member_destroy",
        "Take somebody out of the team, or leave it oneself, saying what becomes of the keys",
        query=[LeavingParameters],
        responses={200: MemberSerializer},
        told=_MEMBER | {"state": "suspended", "grants": []},
    ),
)
class MemberView(ManagementView):
    """`/v1/members/{id}`."""

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        acting = self.acting()
        return Response(_write(acting, [_find_member(acting, id)])[0])

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        acting = self.acting()
        found = _find_member(acting, id)
        acting.check(Right.MEMBERS)
        changes = checked(MemberChangesSerializer, request.data, partial=True)
        if "role" in changes:
            memberships.give_role(team=acting.team, person=found.user, role=changes["role"], by=acting)
        return Response(_write(acting, [_find_member(acting, id)])[0])

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002
        query = checked(LeavingParameters, request.query_params.dict())
        acting = acting_of(request, query.get("team"))
        found = _find_member(acting, id)
        if person_of(request) is None or not acting.is_own(found.user_id):
            acting.check(Right.MEMBERS)
        memberships.leave(membership=found, keys=_fate(acting.team, query), by=acting)
        return Response(_write(acting, [_find_member(acting, id)])[0])


def _find_member(acting: Acting, text: str) -> Membership:
    return find_row(_rows(acting.team), text, f"member '{text}' in this team")


def _fate(team: Team, query: dict[str, Any]) -> KeysThen | None:
    """Raises InvalidField."""
    if "keys" not in query:
        return None
    if query["keys"] != "member":
        return KeysThen(query["keys"])
    name = query.get("hand_over_to", "")
    person = memberships.people_of(team, Right.CALL).filter(username=name).first() if name else None
    if person is None:
        raise InvalidField("hand_over_to", f"hand_over_to is {name!r}, who may have no keys in this team.")
    return KeysThen("member", person)


@extend_schema_view(
    get=operation(
        "invitation_list",
        "List the team's invitations, the latest first",
        query=[ListParameters],
        responses=InvitationListSerializer,
        told=page_of_one(_INVITATION),
    ),
    post=operation(
        "invitation_create",
        "Invite somebody by mail, or get a link to hand on; an open one of the same words is answered with 200",
        request=NewInvitationSerializer,
        responses={201: SentInvitationSerializer, 200: SentInvitationSerializer},
        sent={"email": "ann@example.com", "role": "member", "mail": False},
        told=_INVITATION | _LINK,
    ),
)
class InvitationsView(ManagementView):
    """`/v1/invitations`."""

    def get(self, request: Request) -> Response:
        query = checked(ListParameters, request.query_params.dict())
        team = acting_of(request, query.get("team"), Right.MEMBERS).team
        return page_of(_invitations(team), query, lambda page: InvitationSerializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        acting, given = self.acting(Right.MEMBERS), checked(NewInvitationSerializer, request.data)
        email = invitations.read_email(given["email"])
        there = _invitations(acting.team).filter(email=email, accepted_at__isnull=True).first()
        if there is not None and there.state is Invitation.State.OPEN:
            if there.role == given["role"]:
                return Response(SentInvitationSerializer(_marked(there)).data)
            message = (
                f"There is an open invitation for this address, as {there.role}. Withdraw that one: its id is "
                f"'{there.pk}'."
            )
            raise ApiError(message, status=409, code="already_exists", param="role")
        made, secret = invitations.invite(team=acting.team, email=email, role=given["role"], by=acting)
        return _made(
            request, made, secret, mails=given.get("mail", True), answer_status=status.HTTP_201_CREATED
        )


@extend_schema_view(
    get=operation("invitation_retrieve", "One invitation", responses=InvitationSerializer, told=_INVITATION),
    delete=operation(
        "invitation_destroy",
        "Withdraw an invitation: its link opens nothing any more",
        responses={200: InvitationSerializer},
        told=_INVITATION | {"state": "withdrawn", "withdrawn_at": "2026-11-03T09:30:00Z"},
    ),
)
class InvitationView(ManagementView):
    """`/v1/invitations/{id}`."""

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        return Response(InvitationSerializer(_find_invitation(self.acting(), id)).data)

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        acting = self.acting()
        found = invitations.withdraw(invitation=_find_invitation(acting, id), by=acting)
        return Response(InvitationSerializer(found).data)


class InvitationRenewalView(ManagementView):
    """`/v1/invitations/{id}/renew`."""

    @operation(
        "invitation_renew",
        "Send an invitation again, with another link for another week; the former opens nothing",
        request=RenewalSerializer,
        responses=SentInvitationSerializer,
        sent={"mail": False},
        told=_INVITATION | _LINK,
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        acting = self.acting()
        found, given = _find_invitation(acting, id), checked(RenewalSerializer, request.data)
        made, secret = invitations.renew(invitation=found, by=acting)
        return _made(request, made, secret, mails=given.get("mail", True))


class AcceptanceView(ManagementView):
    """`/v1/invitations/accept`, for people who signed in."""

    @extend_schema(
        tags=["team"],
        operation_id="invitation_accept",
        summary="Join a team by the secret of an invitation; it serves once",
        request=AcceptanceSerializer,
        responses=MemberSerializer,
        examples=examples(sent={"secret": "Vm9y…"}, told=_MEMBER | {"role": "member"}),
    )
    def post(self, request: Request) -> Response:
        secret = checked(AcceptanceSerializer, request.data)["secret"]
        person = person_of(request)
        if person is None:
            raise ApiError("Sign in to accept an invitation.", status=403, code="person_required")
        made = invitations.accept(digest=invitations.digest_of(secret), person=person)
        return Response(MemberSerializer(made).data)


def _invitations(team: Team) -> QuerySet[Invitation]:
    return team.invitations.select_related("team", "invited_by", "accepted_by")


def _find_invitation(acting: Acting, text: str) -> Invitation:
    """Raises ApiError, Refused."""
    found = find_row(_invitations(acting.team), text, f"invitation '{text}' in this team")
    acting.check(Right.MEMBERS)
    return found


def _made(
    request: Request,
    made: Invitation,
    secret: str,
    *,
    mails: bool,
    answer_status: int = status.HTTP_200_OK,
) -> Response:
    link = f"{origin_of(request)}{reverse('portal:invitation')}#{secret}"
    is_sent = mails and invitations.mail(made, link)
    told = _marked(made, mail_sent=is_sent, link=None if is_sent else link)
    return Response(SentInvitationSerializer(told).data, status=answer_status)


def _marked(row: Invitation, *, mail_sent: bool = False, link: str | None = None) -> Any:
    vars(row).update(mail_sent=mail_sent, link=link)
    return row
