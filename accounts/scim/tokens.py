"""What directories are let in by."""

import hmac

from django.utils import timezone

from accounts.keys import digest_secret, mint_key, read_key
from accounts.models import ScimDirectory, ScimToken

PREFIX = "scim-gw-"
_NO_DIGEST = digest_secret("")


def issue_token(directory: ScimDirectory) -> tuple[ScimToken, str]:
    """One more, with the text that is shown once and kept nowhere."""
    minted = mint_key(PREFIX)
    token = ScimToken.objects.create(directory=directory, public_id=minted.public_id, digest=minted.digest)
    return token, minted.text


def revoke_tokens(directory: ScimDirectory, *, but: ScimToken | None = None) -> int:
    """All that are live, or all but one. Returns how many."""
    live = directory.tokens.filter(revoked_at__isnull=True)
    count = 0
    for token in live.exclude(pk=but.pk) if but else live:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        count += 1
    return count


def find_directory(text: str) -> ScimDirectory | None:
    """Whose live token that is."""
    shown = read_key(text, PREFIX)
    if shown is None:
        return None
    rows = ScimToken.objects.filter(public_id=shown.public_id, revoked_at__isnull=True)
    token = rows.select_related("directory").first()
    # An unknown token costs one comparison too, so that its time tells nothing.
    is_right = hmac.compare_digest(digest_secret(shown.secret), token.digest if token else _NO_DIGEST)
    if token is None or not is_right:
        return None
    ScimToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now())
    return token.directory
