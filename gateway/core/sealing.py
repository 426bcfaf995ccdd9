"""What rests in the database encrypted with the deployment's own keys.

SecretError
├── KeyUnusable       a configured encryption key is not one
└── SecretUnreadable  no configured key opens it, or it belongs to another place
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretError(Exception):
    """A secret cannot be kept or read; the message never holds any of it."""


class KeyUnusable(SecretError):
    """A key in GATEWAY_CREDENTIAL_KEYS is not a Fernet key."""


class SecretUnreadable(SecretError):
    """No configured key opens the secret, or it was encrypted for another place."""


def seal(data: bytes) -> str:
    """Encrypt what the database must not show. Raises KeyUnusable."""
    return box().encrypt(data).decode()


def unseal(sealed: str) -> bytes:
    """Raises SecretUnreadable, KeyUnusable."""
    try:
        return box().decrypt(sealed.encode())
    except InvalidToken:
        raise SecretUnreadable("No key in GATEWAY_CREDENTIAL_KEYS opens what was stored.") from None


def box() -> MultiFernet:
    """Encrypts with the newest key and opens with any. Raises KeyUnusable."""
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
