"""A secret that somebody gave, tried at its provider before it is kept: what is the matter, for people of teams.

Where a provider is, is none of theirs: they are told its name.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from providers import services
from providers.connecting import facts_with
from providers.connection_check import check_connection, way_out
from providers.models import Provider
from providers.probes import Trouble

_OF_SECRETS: Mapping[Trouble, str] = {
    Trouble.SECRET_UNSENDABLE: "secret_unsendable",
    Trouble.REQUEST_REFUSED: "credential_refused",
    Trouble.CREDENTIAL_REFUSED: "credential_refused",
    Trouble.NO_CREDIT: "account_without_credit",
    Trouble.PERMISSION_LACKING: "permission_lacking",
}
_OF_PROVIDERS: Mapping[Trouble, tuple[str, str]] = {
    Trouble.NAME_UNKNOWN: ("provider_name_unknown", "the name of its server is not known"),
    Trouble.ADDRESS_FORBIDDEN: ("provider_address_forbidden", "calls may not go to its address"),
    Trouble.CONNECTION_REFUSED: ("provider_refuses_connections", "its server refuses connections"),
    Trouble.UNREACHABLE: ("provider_unreachable", "its server cannot be reached"),
    Trouble.CERTIFICATE: ("provider_certificate_invalid", "the certificate of its server cannot be verified"),
    Trouble.TLS: ("provider_tls_failed", "its server does not speak TLS"),
    Trouble.TIMEOUT: ("provider_timeout", "it did not answer within 5 seconds"),
    Trouble.BROKEN: ("provider_broke_off", "it broke off"),
    Trouble.REDIRECTED: ("provider_redirects", "it redirects elsewhere, and keys are never sent on"),
    Trouble.SERVER_ERROR: ("provider_failed", "it answers with an error of its own"),
    Trouble.NOT_JSON: ("provider_bad_response", "it does not answer as an API does"),
}


class NotTaken(Exception):
    """The secret cannot be kept. `is_its_fault`: it is the secret's own; else nobody could find out."""

    def __init__(self, code: str, message: str, *, is_its_fault: bool) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.is_its_fault = is_its_fault


def try_secret(provider: Provider, secret: str, base_url: str = "") -> datetime | None:
    """When the provider took it: it asks for a key, and lists its models for this one. In 10 seconds at most.

    `base_url` is where it is sent, if not to the provider's. None where there is nothing to find out by: it has no
    list, or shows it to everybody. Raises NotTaken.
    """
    facts = replace(facts_with(provider, secret), base_url=base_url or provider.base_url)
    check = check_connection(facts, policy=services.outbound_policy(), has_list=False)
    if check.error and check.outcome and (trouble := check.outcome.trouble):
        if trouble in _OF_SECRETS:
            message = way_out(trouble, facts, check.outcome.status)
            raise NotTaken(_OF_SECRETS[trouble], message, is_its_fault=True)
        code, what = _OF_PROVIDERS[trouble]
        message = f"{provider.name} cannot be asked whether it takes this key: {what}. Try again later, or ask staff."
        raise NotTaken(code, message, is_its_fault=False)
    return timezone.now() if check.proves_key else None
