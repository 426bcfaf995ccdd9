"""Who may manage keys: people in their teams, and management keys in theirs."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import KeyPrincipal
from accounts.models import Key
from gateway.core.errors import ApiError


class MayManageKeys(BasePermission):
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
