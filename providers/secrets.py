"""What opens providers: secrets encrypted at rest, or read from the environment. Each opens at its origins only.

SecretError
├── KeyUnusable       a configured encryption key is not one
└── SecretUnreadable  no configured key opens it, or it belongs to another provider or address
"""

import json
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from providers import validators
from providers.models import Credential, Provider
from providers.origins import origin_of


class SecretError(Exception):
    """A secret cannot be kept or read; the message never holds any of it."""


class KeyUnusable(SecretError):
    """A key in GATEWAY_CREDENTIAL_KEYS is not a Fernet key."""


class SecretUnreadable(SecretError):
    """No configured key opens the secret, or it was encrypted for another provider or origin."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a credential yields. `problem` says why it opens nothing, for people; empty if it does."""

    secret: str | None = field(default=None, repr=False)
    problem: str = ""

    @property
    def is_usable(self) -> bool:
        return not self.problem


def seal(data: bytes) -> str:
    """Encrypt what the database must not show. Raises KeyUnusable."""
    return _box().encrypt(data).decode()


def unseal(sealed: str) -> bytes:
    """Raises SecretUnreadable, KeyUnusable."""
    try:
        return _box().decrypt(sealed.encode())
    except InvalidToken:
        raise SecretUnreadable("No key in GATEWAY_CREDENTIAL_KEYS opens what was stored.") from None


def encrypt(secret: str, *, provider: Provider, team_id: int | None = None) -> str:
    """Bind the provider's id and origin into what is encrypted, so that it opens no other, whoever moves the row.

    So it is with the team whose own it is; None: it is the house's.
    """
    payload = {"provider": provider.pk, "origin": origin_of(provider.base_url), "secret": secret}
    if team_id is not None:
        payload["team"] = team_id
    return _box().encrypt(json.dumps(payload).encode()).decode()


def decrypt(ciphertext: str, *, provider: Provider, team_id: int | None = None) -> str:
    """Raises SecretUnreadable, KeyUnusable."""
    try:
        payload = json.loads(_box().decrypt(ciphertext.encode()))
    except InvalidToken:
        raise SecretUnreadable(
            "No key in GATEWAY_CREDENTIAL_KEYS opens the stored secret. "
            "Add the key it was encrypted with, or type the secret again."
        ) from None
    if payload["provider"] != provider.pk:
        raise SecretUnreadable("The stored secret belongs to another provider. Type the secret again.")
    if payload.get("team") != team_id:
        raise SecretUnreadable("The stored secret belongs to somebody else. Type the secret again.")
    # Those of the first releases name no origin: only the service forgets them when their provider moves.
    if payload.get("origin", origin_of(provider.base_url)) != origin_of(provider.base_url):
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


def _box() -> MultiFernet:
    return _box_of(tuple(settings.CREDENTIAL_KEYS))


@lru_cache(maxsize=4)
def _box_of(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        # Without its cause: that could show a part of the key.
        raise KeyUnusable(
            "GATEWAY_CREDENTIAL_KEYS needs one or more Fernet keys (32 bytes, URL-safe base64), newest first."
        ) from None
