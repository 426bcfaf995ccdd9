"""`/scim/v2/…`: people and groups, for the directory whose token is shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import guesses
from accounts.authentication import TooManyGuesses, Unauthorised
from accounts.keys import credential_of
from accounts.management_view import StrictJsonParser
from accounts.models import ScimDirectory
from accounts.scim import bodies, groups, people, resources
from accounts.scim.filters import read_filter
from accounts.scim.tokens import find_directory
from gateway.core.client_address import client_of_meta
from gateway.core.errors import ApiError

_UNKNOWN_TOKEN = "This token is not valid. Send one of this directory as 'Authorization: Bearer scim-gw-…'."  # noqa: S105
_USER_FILTERS = {
    "userName": "user_name__iexact",
    "externalId": "external_id",
    "id": "resource_id",
    "displayName": "display_name__iexact",
    "active": "is_active",
    "emails": "user__email__iexact",
    "emails.value": "user__email__iexact",
}
_GROUP_FILTERS = {
    "displayName": "display_name__iexact",
    "externalId": "external_id",
    "id": "resource_id",
    "members.value": "people__resource_id",
}


@dataclass(frozen=True, slots=True)
class DirectoryPrincipal:
    """`request.user` of a request that showed a directory's token."""

    directory: ScimDirectory
    is_authenticated: bool = True

    @property
    def audit_name(self) -> str:
        return self.directory.name


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[DirectoryPrincipal, None]:
        directory = find_directory(credential_of(request.META.get("HTTP_AUTHORIZATION", ""), "", ""))
        if directory is None:
            address = client_of_meta(request.META, settings.TRUSTED_PROXIES)
            if wait_s := guesses.here.counter.take(guesses.keys_from(address), guesses.WRONG_KEYS):
                raise TooManyGuesses(wait_s)
            raise Unauthorised(_UNKNOWN_TOKEN)
        return DirectoryPrincipal(directory), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # REST framework's signature
        return "Bearer"


class _ScimParser(StrictJsonParser):
    media_type = "application/scim+json"


class _ScimRenderer(JSONRenderer):
    media_type = "application/scim+json"
    charset = "utf-8"


class _OneForm(BaseContentNegotiation):
    """Whatever is asked for: providers ask for JSON, for SCIM's own kind, or for anything."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:  # noqa: ARG002
        return renderers[0], renderers[0].media_type


class ScimView(APIView):
    """What all of them share."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated]
    parser_classes = [_ScimParser, StrictJsonParser]
    renderer_classes = [_ScimRenderer]
    content_negotiation_class = _OneForm
    error_shape = "scim"
    schema = None

    @property
    def directory(self) -> ScimDirectory:
        return cast("DirectoryPrincipal", self.request.user).directory

    @property
    def base(self) -> str:
        return self.request.build_absolute_uri(reverse("scim:users")).rpartition("/")[0]

    def tell(self, told: dict[str, Any], *, status: int = 200) -> Response:
        query = self.request.query_params
        only, without = (_words(query.get(name)) for name in ("attributes", "excludedAttributes"))
        headers = {"Location": told["meta"]["location"]} if "meta" in told else {}
        return Response(resources.chosen(told, only, without), status=status, headers=headers)

    def tell_page(
        self, rows: "QuerySet[Any]", filters: Mapping[str, str], tell: Callable[[Any], dict[str, Any]]
    ) -> Response:
        query = self.request.query_params
        wanted = dict(read_filter(query.get("filter", ""), list(filters)))
        columns = {name.lower(): column for name, column in filters.items()}
        if "active" in wanted:
            wanted["active"] = bodies.read_flag("active", wanted["active"])
        if any(isinstance(value, str) and not value.isprintable() for value in wanted.values()):
            rows = rows.none()
        rows = rows.filter(**{columns[name]: value for name, value in wanted.items()}).order_by("pk")
        start = max(1, _whole(query.get("startIndex"), "startIndex", 1))
        count = min(
            resources.MOST_ON_A_PAGE, max(0, _whole(query.get("count"), "count", resources.MOST_ON_A_PAGE))
        )
        only, without = (_words(query.get(name)) for name in ("attributes", "excludedAttributes"))
        page = [resources.chosen(tell(row), only, without) for row in rows[start - 1 : start - 1 + count]]
        return Response(resources.tell_list(page, rows.count(), start))


class UsersView(ScimView):
    def get(self, request: Request) -> Response:  # noqa: ARG002  # the framework's signature
        rows = people.people_of(self.directory).prefetch_related("groups")
        return self.tell_page(rows, _USER_FILTERS, lambda row: resources.tell_user(row, self.base))

    def post(self, request: Request) -> Response:
        row = people.make_user(self.directory, bodies.read_user(request.data))
        return self.tell(resources.tell_user(row, self.base), status=201)


class UserView(ScimView):
    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return self.tell(resources.tell_user(self.find(id), self.base))

    def put(self, request: Request, id: str) -> Response:  # noqa: A002
        empty = dict.fromkeys(("external_id", "display_name", "given_name", "family_name", "email"), "")
        row = people.change_user(self.find(id), empty | bodies.read_user(request.data))
        return self.tell(resources.tell_user(row, self.base))

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        row = people.change_user(self.find(id), bodies.read_user_patch(request.data))
        return self.tell(resources.tell_user(row, self.base))

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        people.delete_user(self.find(id))
        return Response(status=204)

    def find(self, id: str) -> Any:  # noqa: A002
        return _find(people.people_of(self.directory), id, "user")


class GroupsView(ScimView):
    def get(self, request: Request) -> Response:  # noqa: ARG002
        rows = groups.groups_of(self.directory)
        is_without = "members" in {
            each.lower() for each in _words(self.request.query_params.get("excludedAttributes"))
        }
        if not is_without:
            rows = rows.prefetch_related("people")
        return self.tell_page(
            rows,
            _GROUP_FILTERS,
            lambda row: resources.tell_group(row, self.base, with_members=not is_without),
        )

    def post(self, request: Request) -> Response:
        group = groups.make_group(self.directory, bodies.read_group(request.data))
        return self.tell(resources.tell_group(group, self.base), status=201)


class GroupView(ScimView):
    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        return self.tell(resources.tell_group(self.find(id), self.base))

    def put(self, request: Request, id: str) -> Response:  # noqa: A002
        group = groups.change_group(self.find(id), bodies.read_group(request.data))
        return self.tell(resources.tell_group(group, self.base))

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        groups.change_group(self.find(id), bodies.read_group_patch(request.data))
        # As Entra ID asks for it: groups are large, and nobody reads the answer.
        return Response(status=204)

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        groups.delete_group(self.find(id))
        return Response(status=204)

    def find(self, id: str) -> Any:  # noqa: A002
        return _find(groups.groups_of(self.directory), id, "group")


class ConfigView(ScimView):
    def get(self, request: Request) -> Response:  # noqa: ARG002
        return self.tell(resources.config(self.base))


class ResourceTypesView(ScimView):
    def get(self, request: Request) -> Response:  # noqa: ARG002
        told = resources.resource_types(self.base)
        return Response(resources.tell_list(told, len(told)))


class SchemasView(ScimView):
    def get(self, request: Request) -> Response:  # noqa: ARG002
        told = resources.schemas(self.base)
        return Response(resources.tell_list(told, len(told)))


class OneOfView(ScimView):
    """One resource type or schema."""

    tell_all: Callable[[str], list[dict[str, Any]]]

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        found = next((each for each in type(self).tell_all(self.base) if each["id"] == id), None)
        if found is None:
            raise _unknown("resource", id)
        return self.tell(found)


class ResourceTypeView(OneOfView):
    tell_all = staticmethod(resources.resource_types)


class SchemaView(OneOfView):
    tell_all = staticmethod(resources.schemas)


class UnknownView(ScimView):
    """What no other address answers: also `/Bulk` and `/Me`, which are not served."""

    def initial(self, request: Request, *arguments: Any, **named: Any) -> None:
        super().initial(request, *arguments, **named)
        raise ApiError(
            "There is nothing at this address: use /Users, /Groups, /ServiceProviderConfig, /ResourceTypes or "
            "/Schemas.",
            status=404,
            code="not_found",
        )


def _find(rows: "QuerySet[Any]", id: str, what: str) -> Any:  # noqa: A002
    # PostgreSQL fails on a NUL.
    row = rows.filter(resource_id=id).first() if id.isalnum() else None
    if row is None:
        raise _unknown(what, id)
    return row


def _unknown(what: str, id: str) -> ApiError:  # noqa: A002
    return ApiError(f"There is no {what} '{id[:80]}' in this directory.", status=404, code="not_found")


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _whole(text: str | None, name: str, usual: int) -> int:
    if not text:
        return usual
    if not (text.lstrip("-").isascii() and text.lstrip("-").isdecimal() and len(text) <= 9):
        raise ApiError(f"{name} is {text[:40]!r}; use a whole number.", code="invalidValue", param=name)
    return int(text)
