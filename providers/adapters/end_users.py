"""Who an end user is, as a provider sees it."""

import hashlib


def hashed(user_id: str | None, team: str) -> str | None:
    """Always the same for a team, and nobody's name. None where nothing was said."""
    if not user_id:
        return None
    return hashlib.sha256(f"{team}\n{user_id}".encode()).hexdigest()[:32]
