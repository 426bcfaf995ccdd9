"""Secrets that a clone makes for itself on its first start and keeps in its data folder, readable by its owner only."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from gateway.core.private_files import close_to_others


@dataclass(frozen=True, slots=True)
class LocalSecrets:
    """`secret_key` signs sessions; `credential_key` (Fernet, base64) encrypts provider credentials."""

    secret_key: str = field(repr=False)
    credential_key: str = field(repr=False)


class UnusableDataFolder(OSError):
    """The data folder cannot be written; the message says which and what to do."""


def load(folder: Path) -> LocalSecrets:
    """Read the folder's secrets, making them first where there are none.

    Raises UnusableDataFolder if the folder cannot be written.
    """
    path = folder / "secrets.json"
    close_to_others([path])
    try:
        return LocalSecrets(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return _create(path)
    except OSError as error:
        raise _unusable(folder, error) from error


def _create(path: Path) -> LocalSecrets:
    made = LocalSecrets(secrets.token_urlsafe(50), Fernet.generate_key().decode())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"secrets.{os.getpid()}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(made), file)
        try:
            # A link, unlike a rename, fails where another process was first: then that one's secrets count.
            os.link(draft, path)
        except FileExistsError:
            return LocalSecrets(**json.loads(path.read_text(encoding="utf-8")))
        finally:
            draft.unlink()
    except OSError as error:
        raise _unusable(path.parent, error) from error
    return made


def _unusable(folder: Path, error: OSError) -> UnusableDataFolder:
    return UnusableDataFolder(
        f"The data folder {folder} cannot be used ({error.strerror}). "
        "Make it writable, or name another one with GATEWAY_DATA_DIR."
    )
