"""Who may read usage, and of whom: keys and people their teams', staff who may see the ledger everybody's."""

from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import KeyAuthentication, KeyPrincipal, SessionAuthentication
from accounts.management_view import checked, joined_lists, person_of, team_of
from accounts.models import Team
from accounts.people import may_as_staff
from accounts.permits import judge
from accounts.scopes import MANAGEMENT, USAGE
from accounts.serializers import StrictSerializer
from gateway.core.client_address import client_of_meta
from gateway.core.errors import ApiError


class MayReadUsage(BasePermission):
    """Keys of the scopes usage or management may, and all people."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002  # the framework's signature
        principal = request.user
        if isinstance(principal, KeyPrincipal) and MANAGEMENT not in principal.facts.scopes:
            address = client_of_meta(request.META, settings.TRUSTED_PROXIES)
            if denial := judge(principal.facts, USAGE, address=address):
                raise ApiError(denial.message, status=403, code=denial.code, param=denial.param)
        return bool(principal and principal.is_authenticated)


class UsageView(APIView):
    """Reads of one team, or of all where staff ask and name none."""

    authentication_classes = [KeyAuthentication, SessionAuthentication]
    permission_classes = [MayReadUsage]

    def query(self, parameters: type[StrictSerializer]) -> dict[str, Any]:
        """What is asked, where lists may be written in several ways."""
        return checked(parameters, joined_lists(self.request.query_params))

    def team_asked(self, slug: str | None) -> Team | None:
        """Of whom it is; None: of everybody. Raises ApiError."""
        person = person_of(self.request)
        if person is None or not may_as_staff(person, "accounts.view_ledgerentry"):
            return team_of(self.request, slug)
        if slug is None:
            return None
        team = Team.objects.filter(slug=slug).first()
        if team is None:
            raise ApiError(f"There is no team '{slug}'.", status=404, code="team_not_found", param="team")
        return team
