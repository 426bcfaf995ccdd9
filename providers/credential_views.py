"""`/v1/credentials`: what a team opens providers with itself. Its owners change them; all of its people may look."""

from typing import Any

from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.described import operation, page_of_one
from accounts.management_view import ManagementView, checked, find_row, page_of, team_of
from accounts.models import Key, Team
from accounts.rights import Right
from gateway.core.errors import ApiError
from gateway.core.refusals import InvalidField
from gateway.core.sealing import SecretError
from providers.credential_check import NotTaken, try_secret
from providers.credential_places import check_region, checked_address
from providers.credential_serializers import (
    CredentialChangesSerializer,
    CredentialListParameters,
    CredentialListSerializer,
    CredentialSerializer,
    NewCredentialSerializer,
    write_credentials,
)
from providers.credentials import (
    add_credential,
    change_credential,
    check_secret,
    holds,
    open_secret,
    remove_credential,
    replace_secret,
)
from providers.models import Provider, ProviderCredential

_CREDENTIAL = {
    "id": "7",
    "object": "credential",
    "team": "research",
    "provider": "groq",
    "label": "research account",
    "masked": "…a1b2",
    "place": "before",
    "position": 0,
    "model_patterns": ["meta/*"],
    "keys": None,
    "base_url": None,
    "region": None,
    "is_enabled": True,
    "tested_at": "2026-11-02T09:30:00Z",
    "failed_at": None,
    "failure": "",
    "created_at": "2026-11-02T09:30:00Z",
    "rotated_at": "2026-11-02T09:30:00Z",
    "set_by": "mary",
}
_NEW = {
    "provider": "groq",
    "label": "research account",
    "secret": "gsk_…",
    "place": "before",
    "model_patterns": ["meta/*"],
}


class _CredentialView(ManagementView):
    """Of one team's own credentials."""

    def find(self, team: Team, text: str) -> ProviderCredential:
        return find_row(ProviderCredential.objects.for_team(team), text, f"credential '{text}' in this team")


@extend_schema_view(
    get=operation(
        "credential_list",
        "List the team's own credentials of providers, in the order in which they are tried",
        query=[CredentialListParameters],
        responses=CredentialListSerializer,
        told=page_of_one(_CREDENTIAL),
    ),
    post=operation(
        "credential_create",
        "Test a credential and keep it; the same one again is answered with 200",
        request=NewCredentialSerializer,
        responses={201: CredentialSerializer, 200: CredentialSerializer},
        sent=_NEW,
        case="For one vendor's models",
        told=_CREDENTIAL,
    ),
)
class CredentialsView(_CredentialView):
    """`/v1/credentials`."""

    def get(self, request: Request) -> Response:
        query = checked(CredentialListParameters, request.query_params.dict())
        rows = ProviderCredential.objects.for_team(team_of(request, query.get("team")))
        if "provider" in query:
            rows = rows.filter(provider__slug=query["provider"])
        return page_of(rows, query, write_credentials)

    def post(self, request: Request) -> Response:
        team = self.asked_team(Right.CREDENTIALS)
        given = _with_keys(team, checked(NewCredentialSerializer, request.data))
        provider = _provider(given.pop("provider"))
        label, secret = given.pop("label"), given.pop("secret")
        given = _with_place(provider, given)
        there = ProviderCredential.objects.for_team(team).filter(provider=provider, label=label)
        if not there.exists():
            check_secret(secret)
            tested_at = _tested(provider, secret, given.get("base_url", ""))
            try:
                made = add_credential(
                    provider=provider, team=team, label=label, secret=secret, tested_at=tested_at, **given
                )
                return Response(write_credentials([made])[0], status=status.HTTP_201_CREATED)
            except InvalidField:
                # Of two at once the second finds it made.
                if not there.exists():
                    raise
        return Response(write_credentials([_same(there.get(), secret, given)])[0])


@extend_schema_view(
    get=operation("credential_retrieve", "One credential", responses=CredentialSerializer, told=_CREDENTIAL),
    patch=operation(
        "credential_partial_update",
        "Change a credential or replace its secret, in force within a second",
        request=CredentialChangesSerializer,
        responses=CredentialSerializer,
        sent={"place": "only"},
        case="In place of the gateway's",
        told=_CREDENTIAL,
    ),
    delete=operation(
        "credential_destroy", "Remove a credential: within a second no call uses it", responses={204: None}
    ),
)
class CredentialView(_CredentialView):
    """`/v1/credentials/{id}`."""

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return Response(write_credentials([self.find(self.asked_team(), id)])[0])

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        team = self.asked_team(Right.CREDENTIALS)
        credential = self.find(team, id)
        changes = _with_keys(team, checked(CredentialChangesSerializer, request.data, partial=True))
        changes = _with_place(credential.provider, changes)
        secret = changes.pop("secret", None)
        if secret is not None:
            check_secret(secret)
            tested_at = _tested(credential.provider, secret, changes.get("base_url", credential.base_url))
            credential = replace_secret(credential=credential, secret=secret, tested_at=tested_at, **changes)
        elif changes:
            credential = change_credential(credential=credential, **changes)
        return Response(write_credentials([credential])[0])

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        remove_credential(credential=self.find(self.asked_team(Right.CREDENTIALS), id))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    post=operation(
        "credential_test",
        "Test a credential that is kept",
        request=None,
        responses=CredentialSerializer,
        told=_CREDENTIAL,
    )
)
class CredentialTestView(_CredentialView):
    """`/v1/credentials/{id}/test`."""

    def post(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        credential = self.find(self.asked_team(Right.CREDENTIALS), id)
        try:
            secret = open_secret(credential)
        except SecretError:
            message = (
                f"The secret for {credential.provider.name} was forgotten, since that moved: give it again."
            )
            raise ApiError(message, status=409, code="credential_forgotten", param="secret") from None
        tested_at = _tested(credential.provider, secret, credential.base_url)
        credential.tested_at = tested_at
        ProviderCredential.objects.filter(pk=credential.pk).update(tested_at=tested_at)
        return Response(write_credentials([credential])[0])


def _tested(provider: Provider, secret: str, base_url: str) -> Any:
    """When the provider took it. Raises ApiError: 400 where it does not, 502 where nobody can find out."""
    try:
        return try_secret(provider, secret, base_url)
    except NotTaken as error:
        if error.is_its_fault:
            raise ApiError(error.message, status=400, code=error.code, param="secret") from None
        param = "base_url" if base_url else "provider"
        raise ApiError(error.message, status=502, code=error.code, param=param) from None


def _provider(slug: str) -> Provider:
    provider = Provider.objects.filter(slug=slug, is_enabled=True).exclude(base_url="").first()
    if provider is None:
        message = (
            f"provider is {slug!r}, and no provider of that slug is in use; /v1/gateway/providers lists them."
        )
        raise InvalidField("provider", message)
    return provider


def _with_place(provider: Provider, terms: dict[str, Any]) -> dict[str, Any]:
    """With the address and region as they are kept: nothing is empty. Raises InvalidField."""
    said = {name: terms[name] or "" for name in ("base_url", "region") if name in terms}
    if "base_url" in said:
        said["base_url"] = checked_address(said["base_url"], provider=provider, is_own=True)
    check_region(said.get("region", ""))
    return terms | said


def _with_keys(team: Team, terms: dict[str, Any]) -> dict[str, Any]:
    """With the team's rows in place of the ids of keys. Raises InvalidField."""
    names = terms.get("keys")
    if not names:
        return terms
    # Nothing but letters and digits reaches SQL: PostgreSQL fails on a NUL.
    found = {
        key.public_id: key
        for key in Key.objects.for_team(team).filter(public_id__in=[name for name in names if name.isalnum()])
    }
    for name in names:
        if name not in found:
            raise InvalidField("keys", f"keys holds {name!r}, and this team has no such key.")
    return terms | {"keys": [found[name] for name in names]}


def _same(credential: ProviderCredential, secret: str, terms: dict[str, Any]) -> ProviderCredential:
    """One that is there, if it is what was asked for. Raises ApiError."""
    asked = dict(terms)
    if "keys" in asked:
        keys = asked.pop("keys")
        asked["lineages"] = None if keys is None else sorted({key.lineage_id for key in keys})
    names = {"lineages": "keys"}
    different = [names.get(name, name) for name, value in asked.items() if getattr(credential, name) != value]
    if not holds(credential, secret):
        different.insert(0, "secret")
    if different:
        message = (
            f"There is one called {credential.label!r} at {credential.provider.name}, with another {different[0]}. "
            f"Change that one: its id is '{credential.pk}'."
        )
        raise ApiError(message, status=409, code="already_exists", param=different[0])
    return credential
