"""`/v1/team`, `/v1/service-accounts` and `/v1/projects`: who owns keys, and what spending is told by; `/v1/key`."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.authentication import KeyAuthentication, KeyPrincipal, Unauthorised
from accounts.described import examples, operation, page_of_one
from accounts.management_view import ManagementView, checked, page_of, person_of, team_of
from accounts.models import LedgerEntry, Project, ServiceAccount, Team, User
from accounts.own_key import OwnKeyAnswerSerializer, OwnKeySerializer, look
from accounts.owner_serializers import (
    NewProjectSerializer,
    NewServiceAccountSerializer,
    ProjectChangesSerializer,
    ProjectListSerializer,
    ProjectSerializer,
    ServiceAccountChangesSerializer,
    ServiceAccountListSerializer,
    ServiceAccountSerializer,
    TeamChangesSerializer,
    TeamSerializer,
)
from accounts.people import may_as_staff
from accounts.rights import Right
from accounts.serializers import ListParameters
from gateway.core.errors import ApiError

_ACCOUNT = {
    "id": "billing",
    "object": "service_account",
    "name": "Billing",
    "team": "research",
    "is_active": True,
    "created_at": "2026-11-02T09:30:00Z",
}
_PROJECT = {
    "id": "invoices",
    "object": "project",
    "name": "Invoices",
    "team": "research",
    "created_at": "2026-11-02T09:30:00Z",
    "archived_at": None,
}
_TEAM = {
    "id": "research",
    "object": "team",
    "name": "Research",
    "state": "active",
    "cost_centre": "4711",
    "charge_factor": "1",
}


class OwnKeyView(APIView):
    """`/v1/key`, for any key."""

    authentication_classes = [KeyAuthentication]

    @extend_schema(
        tags=["keys"],
        operation_id="key_retrieve_own",
        summary="Say what this key may do, and what it has left",
        responses=OwnKeyAnswerSerializer,
        examples=examples(
            told={"data": {"label": "billing", "scopes": ["inference"], "requests_per_minute": 60}}
        ),
    )
    def get(self, request: Request) -> Response:
        if not isinstance(request.user, KeyPrincipal):
            raise Unauthorised
        key, facts = request.user.key, request.user.facts
        return Response({"data": OwnKeySerializer(key, context={"standings": look(facts)}).data})


class TeamView(ManagementView):
    """`/v1/team`. Its owners change it; members and management keys read it."""

    @operation("team_retrieve", "Get the team with its terms", responses=TeamSerializer, told=_TEAM)
    def get(self, request: Request) -> Response:  # noqa: ARG002  # the framework's signature
        return Response(TeamSerializer(self.asked_team()).data)

    @operation(
        "team_partial_update",
        "Change a team's name, cost centre, policies or what its new keys get",
        request=TeamChangesSerializer,
        responses=TeamSerializer,
        sent={"cost_centre": "4711"},
        told=_TEAM,
    )
    def patch(self, request: Request) -> Response:
        team = self.asked_team(Right.TERMS)
        changes = checked(TeamChangesSerializer, request.data)
        is_staff = may_as_staff(cast("User", request.user), "accounts.change_team")
        if "charge_factor" in changes and not is_staff:
            raise ApiError(
                "Only staff may say by what a team's costs are multiplied: charge_factor is not yours to change.",
                status=403,
                code="staff_required",
                param="charge_factor",
            )
        for field, value in changes.items():
            setattr(team, field, value)
        if changes:
            services.save_team(team=team, fields=list(changes), is_owners=not is_staff)
        return Response(TeamSerializer(team).data)


class _TeamActView(ManagementView):
    act: ClassVar[Callable[..., Team]]
    terms: ClassVar[dict[str, bool]]

    def post(self, request: Request) -> Response:  # noqa: ARG002  # likewise
        return Response(TeamSerializer(type(self).act(team=self.asked_team(Right.TERMS), **self.terms)).data)


def _act_schema(name: str, summary: str) -> Any:
    post = operation(f"team_{name}", summary, request=None, responses=TeamSerializer, told=_TEAM)
    return extend_schema_view(post=post)


@_act_schema("freeze", "Refuse all of the team's keys within a second")
class FreezeView(_TeamActView):
    act = services.freeze_team
    terms = {"is_frozen": True}


@_act_schema("unfreeze", "Let the team's keys in again")
class UnfreezeView(_TeamActView):
    act = services.freeze_team
    terms = {"is_frozen": False}


@_act_schema("archive", "End a team; staff can bring it back")
class ArchiveView(_TeamActView):
    act = services.archive_team
    terms = {"is_archived": True}


class _RowsView(ManagementView):
    """A list of the team's rows of one kind, and one more; made again with the same words, it is the same one."""

    kind: ClassVar[type[ServiceAccount] | type[Project]]
    told: ClassVar[type[Any]]
    new: ClassVar[type[Any]]
    save: ClassVar[Callable[..., Any]]

    def get(self, request: Request) -> Response:
        query = checked(ListParameters, request.query_params.dict())
        rows = rows_of(self.kind, team_of(request, query.get("team")))
        return page_of(rows, query, lambda page: self.told(page, many=True).data)

    def post(self, request: Request) -> Response:
        team, given = self.asked_team(Right.KEYS), checked(self.new, request.data)
        given["name"] = given["name"].strip()
        row = rows_of(self.kind, team).filter(slug=given["slug"]).first()
        if row is None:
            made = self.kind(team=team, **given)
            if isinstance(made, ServiceAccount):
                made.created_by = person_of(request)
            return Response(self.told(self._save(made)).data, status=status.HTTP_201_CREATED)
        if row.name != given["name"]:
            raise _taken(row.slug)
        return Response(self.told(row).data)

    def _save(self, row: Any) -> Any:
        try:
            with transaction.atomic():
                return type(self).save(row)
        except IntegrityError:
            # Somebody else was a moment faster.
            raise _taken(row.slug) from None


class _RowView(ManagementView):
    kind: ClassVar[type[ServiceAccount] | type[Project]]
    told: ClassVar[type[Any]]
    changes: ClassVar[type[Any]]

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return Response(self.told(self.find(id)).data)

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        row = self.find(id, Right.KEYS)
        changed = self.change(row, checked(self.changes, request.data, partial=True))
        return Response(self.told(changed).data)

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        row = self.find(id, Right.KEYS)
        if reason := self.reason_to_keep(row):
            raise ApiError(f"'{id}' cannot be deleted: {reason}", status=409, code="in_use")
        services.delete_owner(row)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def find(self, slug: str, right: Right = Right.READ) -> Any:
        acting = self.acting()
        # What no slug has does not reach SQL: PostgreSQL fails on a NUL.
        found = rows_of(self.kind, acting.team).filter(slug=slug).first() if slug.isprintable() else None
        if found is None:
            what = self.kind._meta.verbose_name
            raise ApiError(f"There is no {what} '{slug}' in this team.", status=404, code="not_found")
        acting.check(right)
        return found

    def change(self, row: Any, changes: dict[str, Any]) -> Any:
        raise NotImplementedError

    def reason_to_keep(self, row: Any) -> str:
        """Why it cannot be deleted, and what to do instead; empty where it can."""
        raise NotImplementedError


def _rows_schema(name: str, what: str, told: Any, page: Any, new: Any, example: Any) -> Any:
    sent = {"slug": example["id"], "name": example["name"]}
    return extend_schema_view(
        get=operation(
            f"{name}_list",
            f"List the team's {what}s",
            query=[ListParameters],
            responses=page,
            told=page_of_one(example),
        ),
        post=operation(
            f"{name}_create",
            f"Make a {what}; one that is there with the same name is answered with 200",
            request=new,
            responses={201: told, 200: told},
            sent=sent,
            told=example,
        ),
    )


def _row_schema(name: str, what: str, told: Any, changes: Any, example: Any) -> Any:
    return extend_schema_view(
        get=operation(f"{name}_retrieve", f"One {what}", responses=told, told=example),
        patch=operation(
            f"{name}_partial_update",
            f"Change a {what}",
            request=changes,
            responses=told,
            sent={"name": example["name"]},
            told=example,
        ),
        delete=operation(f"{name}_destroy", f"Delete a {what} that nothing refers to", responses={204: None}),
    )


@_rows_schema(
    "service_account",
    "service account",
    ServiceAccountSerializer,
    ServiceAccountListSerializer,
    NewServiceAccountSerializer,
    _ACCOUNT,
)
class ServiceAccountsView(_RowsView):
    """`/v1/service-accounts`."""

    kind, told, new = ServiceAccount, ServiceAccountSerializer, NewServiceAccountSerializer
    save = services.save_service_account


@_row_schema(
    "service_account", "service account", ServiceAccountSerializer, ServiceAccountChangesSerializer, _ACCOUNT
)
class ServiceAccountView(_RowView):
    kind, told, changes = ServiceAccount, ServiceAccountSerializer, ServiceAccountChangesSerializer

    def change(self, row: ServiceAccount, changes: dict[str, Any]) -> ServiceAccount:
        row.name = changes.get("name", row.name)
        row.is_active = changes.get("is_active", row.is_active)
        return services.save_service_account(row)

    def reason_to_keep(self, row: ServiceAccount) -> str:
        return (
            "it owns keys, revoked ones too. Switch it off with is_active: false."
            if row.keys.exists()
            else ""
        )


@_rows_schema("project", "project", ProjectSerializer, ProjectListSerializer, NewProjectSerializer, _PROJECT)
class ProjectsView(_RowsView):
    """`/v1/projects`."""

    kind, told, new = Project, ProjectSerializer, NewProjectSerializer
    save = services.save_project


@_row_schema("project", "project", ProjectSerializer, ProjectChangesSerializer, _PROJECT)
class ProjectView(_RowView):
    kind, told, changes = Project, ProjectSerializer, ProjectChangesSerializer

    def change(self, row: Project, changes: dict[str, Any]) -> Project:
        row.name = changes.get("name", row.name)
        if "is_archived" in changes and changes["is_archived"] != (row.archived_at is not None):
            row.archived_at = timezone.now() if changes["is_archived"] else None
        return services.save_project(row)

    def reason_to_keep(self, row: Project) -> str:
        spent = LedgerEntry.objects.filter(team=row.team_id, project=row.slug)
        if row.keys.exists() or spent.exists():
            return "keys are bound to it, or the ledger has calls of it. Archive it with is_archived: true."
        return ""


def rows_of(kind: Any, team: Team) -> "QuerySet[Any]":
    rows: QuerySet[Any] = kind.objects.filter(team=team).select_related("team")
    return rows


def _taken(slug: str) -> ApiError:
    message = f"There is '{slug}' already, under another name. Change that one, or choose another slug."
    return ApiError(message, status=409, code="already_exists", param="slug")
