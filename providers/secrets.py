"""What opens providers: secrets encrypted at rest, or read from the environment. Each opens at its origins only."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import InvalidToken
from django.conf import settings

from gateway.core.sealing import SecretError, SecretUnreadable, box
from providers import validators
from providers.models import Credential, Provider
from providers.origins import origin_of


@dataclass(frozen=True, slots=True)
class Access:
    """What a credential yields. `problem` says why it opens nothing, for people; empty if it does."""

    secret: str | None = field(default=None, repr=False)
    problem: str = ""

    @property
    def is_usable(self) -> bool:
        return not self.problem


ADMINISTRATOR = "administrator"
"""The purpose of a secret that opens a provider's cost report; what opens calls has none."""


def encrypt(
    secret: str, *, provider: Provider, team_id: int | None = None, purpose: str = "", base_url: str = ""
) -> str:
    """Bind the provider's id and origin into what is encrypted, so that it opens no other, whoever moves the row.

    So it is with the team whose own it is (None: it is the operator's), and with its purpose. `base_url` is where it
    is sent, if not to the provider's.
    """
    origin = origin_of(base_url or provider.base_url)
    payload = {"provider": provider.pk, "origin": origin, "secret": secret}
    if team_id is not None:
        payload["team"] = team_id
    if purpose:
        payload["purpose"] = purpose
    return box().encrypt(json.dumps(payload).encode()).decode()


def decrypt(
    ciphertext: str, *, provider: Provider, team_id: int | None = None, purpose: str = "", base_url: str = ""
) -> str:
    """Raises SecretUnreadable, KeyUnusable."""
    try:
        payload = json.loads(box().decrypt(ciphertext.encode()))
    except InvalidToken:
        raise SecretUnreadable(
            "No key in GATEWAY_CREDENTIAL_KEYS opens the stored secret. "
            "Add the key it was encrypted with, or type the secret again."
        ) from None
    if payload["provider"] != provider.pk:
        raise SecretUnreadable("The stored secret belongs to another provider. Type the secret again.")
    if payload.get("purpose", "") != purpose:
        raise SecretUnreadable("The stored secret is for something else. Type the secret again.")
    if payload.get("team") != team_id:
        raise SecretUnreadable("The stored secret belongs to somebody else. Type the secret again.")
    # Those of the first releases name no origin: only the service forgets them when their provider moves.
    origin = origin_of(base_url or provider.base_url)
    if payload.get("origin", origin_of(provider.base_url)) != origin:
        raise SecretUnreadable("The stored secret was typed for another address. Type the secret again.")
    return str(payload["secret"])


def open_credential(credential: Credential | None) -> Access:
    """Yield what the credential holds, or why it opens nothing; never raises. Load its provider with it."""
    if credential is None:
        return Access(problem="has no credential")
    if not credential.is_enabled:
        return Access(problem="credential is switched off")
    if credential.kind == Credential.Kind.NONE:
        return Access()
    if credential.kind == Credential.Kind.ENVIRONMENT:
        return _open_variable(credential)
    return _open_stored(credential)


def _open_stored(credential: Credential) -> Access:
    if not credential.ciphertext:
        return Access(problem="no secret is stored yet")
    try:
        return Access(secret=decrypt(credential.ciphertext, provider=credential.provider))
    except SecretError:
        return Access(problem="the stored secret cannot be opened; type it again")


def _open_variable(credential: Credential) -> Access:
    """What is read here leaves for the provider's address: so this asks, whatever let the row be as it is."""
    name, base_url = credential.variable, credential.provider.base_url
    if name not in settings.CREDENTIAL_VARIABLES:
        return Access(problem=f"variable {name} is not in GATEWAY_CREDENTIAL_VARIABLES")
    if refusal := validators.destination_refusal(name, base_url, approval=credential.approval):
        return Access(problem=f"variable {refusal}")
    try:
        value = _read_variable(name)
    except (OSError, UnicodeDecodeError):
        return Access(problem=f"the file named by {name}_FILE cannot be read")
    return Access(secret=value) if value else Access(problem=f"variable {name} is not set")


def _read_variable(name: str) -> str:
    path = os.environ.get(f"{name}_FILE")
    value = Path(path).read_text(encoding="utf-8") if path else os.environ.get(name, "")
    return value.strip()
